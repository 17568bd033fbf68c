// Command sim runs the tree's rules in the simulator and prints what came of it:
//
//	go run ./tree/treetest/sim -seeds 3 -n 1000 -mix cdn,lan,uniform4
//
// It ends with status 1 if an invariant was broken; the message holds the seed.
package main

import (
	"errors"
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
	trace, svg, script  string
	picture             picture
	faults              []treetest.Fault
	vices               []treetest.Vice
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
	vices := flag.String("vices", "all", "ways of being a bad neighbour, comma separated; all, none")
	flag.IntVar(&o.trials, "trials", 4, "of each fault and seed")
	flag.IntVar(&o.faultN, "faultn", 100, "nodes in the trials of faults")
	flag.BoolVar(&o.noChurn, "nochurn", false, "leave out the long runs under churn")
	flag.BoolVar(&o.noFlash, "noflash", false, "leave out the crowd that comes at once")
	flag.IntVar(&o.loops, "loops", 0, "moves to make in search of a loop, and nothing else")
	flag.StringVar(&o.svg, "svg", "", "file for a picture of depths and outages")
	flag.StringVar(&o.script, "script", "", "file with sessions, one a line: seconds of joining and leaving, slots; in place of -n, -mix, -sessions")
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
	o.vices = vicesNamed(*vices)
	debug.SetGCPercent(400) // small objects by the million, and memory to spare
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "sim: error:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if o.loops > 0 {
		return storm(o)
	}
	for _, name := range o.mixes {
		if treetest.Mixes[name] == nil {
			return fmt.Errorf("no mix %q", name)
		}
	}
	var errs []error
	if !o.noChurn {
		errs = append(errs, churns(&o))
	}
	if !o.noFlash {
		errs = append(errs, flashes(o))
	}
	if len(o.faults) > 0 {
		errs = append(errs, drills(&o))
	}
	if len(o.vices) > 0 {
		errs = append(errs, sieges(o))
	}
	if o.svg != "" {
		errs = append(errs, o.picture.write(o.svg))
	}
	return errors.Join(errs...)
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
