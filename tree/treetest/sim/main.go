// Command sim runs the tree's rules in the simulator and prints what came of it:
//
//	go run ./tree/treetest/sim -seeds 3 -n 1000 -mix cdn,lan,uniform4
//
// It ends with status 1 if an invariant was broken; the message holds the seed.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"time"

	"relay/tree/treetest"
)

// options are what the flags say.
type options struct {
	seeds, first        uint64
	n                   int
	mixes               []string
	sessions            string
	graceful, silent    float64
	heartbeat, interval time.Duration
	spread, warm, take  time.Duration
	stale               time.Duration
	loss                float64
	limited             bool
	trace               string
	faults              []treetest.Fault
	trials, faultN      int
	noChurn, noFlash    bool
	loops               int
}

func main() {
	o := options{}
	mixes := flag.String("mix", "cdn,lan,uniform4", "degree mixes, comma separated")
	flag.Uint64Var(&o.seeds, "seeds", 2, "how many seeds")
	flag.Uint64Var(&o.first, "seed", 1, "the first seed")
	flag.IntVar(&o.n, "n", 1000, "nodes")
	flag.StringVar(&o.sessions, "sessions", "lognormal", "lengths of sessions: lognormal, exponential, pareto")
	flag.Float64Var(&o.graceful, "graceful", 0, "share of sessions that end in good order")
	flag.Float64Var(&o.silent, "silent", 0, "share of the others whose machine goes without a word")
	flag.DurationVar(&o.heartbeat, "heartbeat", time.Second, "between parent and child")
	flag.DurationVar(&o.interval, "chunk", time.Second, "between two chunks")
	flag.DurationVar(&o.spread, "spread", time.Minute, "in which the first nodes join")
	flag.DurationVar(&o.warm, "warm", 2*time.Minute, "before anything is measured, spread included")
	flag.DurationVar(&o.take, "for", 10*time.Minute, "that is measured")
	flag.DurationVar(&o.stale, "stale", 5*time.Second, "age that gossip's facts reach")
	flag.Float64Var(&o.loss, "loss", 0, "share of messages sent twice")
	flag.BoolVar(&o.limited, "limited", false, "uplinks are as narrow as their slots")
	faults := flag.String("faults", "all", "faults, comma separated; all, none")
	flag.IntVar(&o.trials, "trials", 4, "of each fault and seed")
	flag.IntVar(&o.faultN, "faultn", 100, "nodes in the trials of faults")
	flag.BoolVar(&o.noChurn, "nochurn", false, "leave out the long runs under churn")
	flag.BoolVar(&o.noFlash, "noflash", false, "leave out the crowd that comes at once")
	flag.IntVar(&o.loops, "loops", 0, "moves to make in search of a loop, and nothing else")
	flag.StringVar(&o.trace, "trace", "", "file for everything that the nodes are told to do")
	profile := flag.String("cpuprofile", "", "file for a profile of the processor's time")
	flag.Parse()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "sim: error:", err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	o.mixes = strings.Split(*mixes, ",")
	o.faults = faultsNamed(*faults)
	debug.SetGCPercent(400) // small objects by the million, and memory to spare
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "sim: error:", err)
		os.Exit(1)
	}
}

type result struct {
	treetest.Measures
	err  error
	real time.Duration
	work int
}

func run(o options) error {
	if o.loops > 0 {
		return storm(o)
	}
	var failed error
	note := func(err error) {
		if err != nil && failed == nil {
			failed = err
		}
	}
	for i, name := range o.mixes {
		mix, ok := treetest.Mixes[name]
		if !ok {
			return fmt.Errorf("no mix %q", name)
		}
		if o.noChurn {
			continue
		}
		if i == 0 {
			fmt.Println(header)
		}
		results := parallel(o.seeds, func(i uint64) result { return churn(o, mix, o.first+i) })
		fmt.Println(row(name, results))
		for _, r := range results {
			note(r.err)
		}
	}
	if !o.noFlash {
		note(flashes(o))
	}
	if len(o.faults) > 0 {
		note(drills(o))
	}
	return failed
}

// parallel calls f for 0 to n-1, as many at a time as there are processors.
func parallel[T any](n uint64, f func(uint64) T) []T {
	out := make([]T, n)
	next := make(chan uint64)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) { // each ends when next is closed below
		wg.Go(func() {
			for i := range next {
				out[i] = f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return out
}

func sessions(name string) (treetest.Sessions, error) {
	l := treetest.Lognormal(5.5, 2)
	switch name {
	case "lognormal":
		return l, nil
	case "exponential":
		return treetest.Exponential(l.Mean), nil
	case "pareto":
		return treetest.Pareto(l.Mean), nil
	case "none":
		return treetest.Sessions{}, nil
	}
	return l, fmt.Errorf("no sessions %q", name)
}

func churn(o options, mix treetest.Mix, seed uint64) result {
	begin := time.Now()
	ss, err := sessions(o.sessions)
	if err != nil {
		return result{err: err}
	}
	cfg := treetest.Config{
		Seed:      seed,
		MinDelay:  2 * time.Millisecond,
		MaxDelay:  60 * time.Millisecond,
		Loss:      o.loss,
		Heartbeat: o.heartbeat,
		Stream:    treetest.Stream{Interval: o.interval},
		Large:     true,
	}
	if o.trace != "" {
		f, err := os.Create(o.trace)
		if err != nil {
			return result{err: err}
		}
		defer f.Close()
		cfg.Trace = f
	}
	s := treetest.New(cfg)
	g := treetest.DefaultGossip
	g.Stale = o.stale
	p := treetest.NewPopulation(s, treetest.Crowd{
		N: o.n, Mix: mix, Sessions: ss, Graceful: o.graceful, Silent: o.silent,
		Spread: o.spread, Seeds: 2, Limited: o.limited, Gossip: g,
	})
	if err := s.Run(o.warm); err != nil {
		return result{err: err}
	}
	end := p.Watch()
	err = s.Run(o.take)
	return result{end(), err, time.Since(begin), s.Steps}
}
