package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"relay/tree/treetest"
)

// faultsNamed returns the faults in the list. It reports unknown names and leaves them out.
func faultsNamed(list string) []treetest.Fault {
	if list == "all" {
		return treetest.Faults
	}
	var fs []treetest.Fault
	for name := range strings.SplitSeq(list, ",") {
		found := name == "none"
		for _, f := range treetest.Faults {
			if f.Name == name {
				fs, found = append(fs, f), true
			}
		}
		if !found {
			fmt.Fprintf(os.Stderr, "sim: no fault %q\n", name)
		}
	}
	return fs
}

// chunkInterval is that of a stream with 25 frames a second and one chunk for each.
const chunkInterval = 40 * time.Millisecond

// drills tries every fault on crowds of every mix, at the real heartbeat.
func drills(o *options) error {
	fmt.Printf("\n%-10s %-9s %6s %7s %7s %7s %7s %7s %6s %6s %7s %7s %7s %7s %5s %5s\n", "fault", "mix", "trials", "victims",
		"gap50", "gap90", "gap99", "gapmax", "missed", "again", "whole50", "wholemx", "stead50", "steadmx", "stuck", "moves")
	var failed error
	for _, f := range o.faults {
		g := gaps{name: f.Name}
		for _, name := range o.mixes {
			rs := parallel(o.seeds, func(i uint64) drilled { return drill(o, f, treetest.Mixes[name], o.first+i) })
			fmt.Println(faultRow(f.Name, name, rs))
			for _, r := range rs {
				if r.err != nil && failed == nil {
					failed = r.err
				}
				g.sorted = append(g.sorted, r.Gaps...)
			}
		}
		slices.Sort(g.sorted)
		o.picture.gaps = append(o.picture.gaps, g)
	}
	return failed
}

type drilled struct {
	treetest.Findings
	err error
}

func drill(o *options, f treetest.Fault, mix treetest.Mix, seed uint64) drilled {
	s := treetest.New(treetest.Config{
		Seed:     seed,
		MinDelay: 2 * time.Millisecond,
		MaxDelay: 40 * time.Millisecond,
		Loss:     o.loss,
		Stream:   treetest.Stream{Interval: chunkInterval},
		Large:    true,
	})
	g := treetest.DefaultGossip
	g.Stale = o.stale
	d, err := treetest.NewDrill(s, treetest.Crowd{
		N: o.faultN, Mix: mix, Spread: 10 * time.Second, Seeds: 2, Limited: true, Gossip: g,
	}, f)
	for i := 0; i < o.trials && err == nil; i++ {
		err = d.Try()
	}
	return drilled{d.Found, err}
}

func faultRow(fault, mix string, rs []drilled) string {
	var all treetest.Findings
	for _, r := range rs {
		all.Trials += r.Trials
		all.Victims += r.Victims
		all.Gaps = append(all.Gaps, r.Gaps...)
		all.Missed += r.Missed
		all.Again += r.Again
		all.Whole = append(all.Whole, r.Whole...)
		all.Steady = append(all.Steady, r.Steady...)
		all.Stuck += r.Stuck
		all.Moves += r.Moves
	}
	q := func(ds []time.Duration, q float64) string { return short(treetest.Quantile(ds, q)) }
	return fmt.Sprintf("%-10s %-9s %6d %7d %7s %7s %7s %7s %6d %6d %7s %7s %7s %7s %5d %5.1f", fault, mix, all.Trials, all.Victims,
		q(all.Gaps, .5), q(all.Gaps, .9), q(all.Gaps, .99), q(all.Gaps, 1), all.Missed, all.Again, q(all.Whole, .5), q(all.Whole, 1),
		q(all.Steady, .5), q(all.Steady, 1), all.Stuck, float64(all.Moves)/float64(max(1, all.Trials)))
}
