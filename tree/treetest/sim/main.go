// Command sim runs the tree's rules in the simulator and prints what came of it:
//
//	go run ./tree/treetest/sim -seeds 3 -n 1000 -mix cdn,lan,uniform4
//
// There are five parts. -nochurn, -noflash, -closed none, -faults none and -vices none leave
// one out.
//
// Churn prints a line for each mix: a crowd with stationary sessions that runs for a long
// time. Heartbeats and chunks are a second apart there. That makes 10,000 nodes cheap, and
// every reaction slower than it really is; -heartbeat 50ms -chunk 40ms is the real thing.
//
//	depth ratio worst  mean depth; its ratio to the ideal tree's; the worst seed's ratio
//	over               by how much the deepest node was deeper than the ideal tree's, at
//	                   worst
//	noway orphan       most nodes without a way to the root, looking every 5 s; the longest
//	                   time for which a look found a node without a parent
//	loss/nh exp/nh     ancestors that died, per node and hour; those to be expected to, from the ages
//	                   of those present (lognormal sessions only)
//	good%              sessions of a minute and more with 99% of the chunks within 4 s
//	1st50 1st99 refus  time from joining to the first chunk; joins without one in 10 s
//	out50 out99        times without a chunk that exceed the interval by 100 ms or more
//	mv/30s flaps asked moves of a node's own choice per 30 s; those less than 30 s after
//	                   another; moves that the parent asked for
//	ctl kb/s           sent per node besides chunks: the frames alone, and with a packet for
//	                   each
//
// Flash lets as many nodes join within 10 s, at the real heartbeat. Its ratio is that of the
// last look, 20 s later.
//
// Closed lets -kindsn nodes of several kinds join within 10 s, for each share of closed ones in
// -closed: nobody gets through to these. Half of the others are punchable: they meet others by a
// call, if the pair does. The slots of the open ones are enough for all, or for a few: for the
// closed, for themselves and for a tenth more, so that the punchable have to serve each other.
// The tree has no rule that makes them, so some may be alone then.
//
//	pairs     share of the pairs of punchable nodes that meet; each seed draws its own
//	attach    time from joining to the first parent; alone: without one at the end, 2 min later
//	depth max mean and greatest depth, each beside that of an ideal tree for that mix
//	below     nodes whose parent is punchable; calls: per node, those that failed included
//	moves     of a node's own choice, per node; asked: those that the parent asked for
//	orphan    the longest time for which a look found a node without a parent
//
// -undialled 0,50,70,90 runs churn and flash with crowds in which such shares cannot be dialled, and no
// other part: half of those are punchable. The ideal is then that of what can be reached.
//
// Faults shows what the nodes below a host notice when a fault strikes it. The crowd is
// small, the heartbeat is the real one, and uplinks are as narrow as their slots.
//
//	gap       longest time between two chunks, which are 40 ms apart
//	missed    chunks that never came; again: chunks that came twice, and were dropped
//	whole     time until everybody else had a way to the root; mx is the worst
//	stead     time until nobody was 500 ms behind; stuck: trials in which it took too long
//	moves     per trial
//
// Liars shows what bad neighbours do whom everybody knows. falls are moves below a liar, most
// is the most moves of one host below one liar, and starve counts the hosts that are without
// chunks below a liar at the end. whole% are the sessions of a minute and more without a chunk that
// was missed or more than 4 s late, left50 and left99 how long hosts were children of a liar, and forged
// the chunks that were turned away. -hostile 20,40 is this alone, with -n nodes beside so many liars.
//
// The command ends with status 1 if an invariant was broken. The message holds the seed. The
// same flags with that -seed, -seeds 1 and -trace give the same run step by step.
package main

import (
	"cmp"
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
	memory              string
	picture             picture
	faults              []treetest.Fault
	vices               []treetest.Vice
	trials, faultN      int
	noChurn, noFlash    bool
	closed              []float64
	kindsN              int
	undialled           []float64
	feign               float64
	hostile             []float64
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
	closed := flag.String("closed", "0,30,60,90", "percentages of nodes that nobody gets through to, comma separated; none")
	flag.IntVar(&o.kindsN, "kindsn", 200, "nodes in the crowds of several kinds")
	dark := flag.String("undialled", "none", "percentages of nodes that cannot be dialled, comma separated: churn and flash with these, and nothing else")
	hostile := flag.String("hostile", "none", "percentages of liars among those who say that they serve, comma separated: the vices with -n nodes, and nothing else")
	flag.Float64Var(&o.feign, "feign", 0, "share of those that goes on claiming slots")
	flag.IntVar(&o.loops, "loops", 0, "moves to make in search of a loop, and nothing else")
	flag.StringVar(&o.svg, "svg", "", "file for a picture of depths and outages")
	flag.StringVar(&o.script, "script", "", "file with sessions, one a line: seconds of joining and leaving, slots; in place of -n, -mix, -sessions")
	flag.StringVar(&o.trace, "trace", "", "file for everything that the nodes are told to do")
	profile := flag.String("cpuprofile", "", "file for a profile of the processor's time")
	flag.StringVar(&o.memory, "memprofile", "", "file for a profile of the memory that the newest crowd under churn holds in the end")
	limit := flag.Int64("memory", 8, "GiB of memory above which garbage is collected more often")
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
	debug.SetMemoryLimit(*limit << 30)
	var err, err2, err3 error
	o.closed, err = percents("-closed", *closed)
	o.undialled, err2 = percents("-undialled", *dark)
	o.hostile, err3 = percents("-hostile", *hostile)
	if err = cmp.Or(err, err2, err3); err == nil {
		err = run(o)
	}
	if err != nil {
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
	switch {
	case len(o.undialled) > 0:
		return undialled(&o)
	case len(o.hostile) > 0:
		return sieges(o)
	}
	if !o.noChurn {
		errs = append(errs, churns(&o))
	}
	if !o.noFlash {
		errs = append(errs, flashes(o))
	}
	errs = append(errs, crowdsOfKinds(o))
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
