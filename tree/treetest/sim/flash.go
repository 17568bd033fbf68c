package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"relay/tree/treetest"
)

const (
	// flashTime is how long the crowd takes to come, and flashRest how long it is measured
	// afterwards.
	flashTime = 10 * time.Second
	flashRest = 20 * time.Second
	// flashChunk makes chunks of 300 kb: a larger step than real ones, and cheaper.
	flashChunk = 100 * time.Millisecond
)

// flashes lets a crowd come all at once, at the real heartbeat.
func flashes(o options) error {
	flashHeader()
	var failed error
	for _, name := range o.mixes {
		rs := parallel(o.seeds, func(i uint64) result { return flash(o, treetest.Mixes[name], nil, o.first+i) })
		failed = cmp.Or(failed, flashRow(o, name, rs))
	}
	return failed
}

func flashHeader() {
	fmt.Printf("\n%-9s %6s %7s %7s %7s %7s %7s %7s %6s %6s %7s %9s\n", "flash", "nodes", "first50", "first90", "first99", "ideal99", "max",
		"refused", "ratio", "out99", "repeats", "ctl kb/s")
}

// flashRow prints what came of some crowds, and returns what failed first.
func flashRow(o options, name string, rs []result) (failed error) {
	var first, outages []time.Duration
	var refused, nodes int
	var ratio, ctl, packets float64
	var again uint64
	var ideal []time.Duration
	for _, r := range rs {
		// Whoever waits least, waits for no slot.
		ideal = append(ideal, treetest.IdealFlash(treetest.RootSlots, r.Came, treetest.Quantile(slices.Clone(r.First), .1), flashRest)...)
		if r.err != nil && failed == nil {
			failed = r.err
		}
		first, outages = append(first, r.First...), append(outages, r.Outages...)
		refused, nodes = refused+r.Refused, nodes+len(r.Came)
		again += r.Again
		if n := len(r.Depth); n > 0 {
			ratio += r.Depth[n-1] / float64(o.seeds)
		}
		f, p := r.ControlRate()
		ctl, packets = ctl+f/1000/float64(o.seeds), packets+p/1000/float64(o.seeds)
	}
	q := func(q float64) string { return short(treetest.Quantile(first, q)) }
	fmt.Printf("%-9s %6d %7s %7s %7s %7s %7s %7d %6.3f %6s %7d %4.1f/%.1f\n", name, nodes/int(o.seeds), q(.5), q(.9), q(.99), short(treetest.Quantile(ideal, .99)), q(1), refused,
		ratio, short(treetest.Quantile(outages, .99)), again, ctl, packets)
	return failed
}

func flash(o options, mix treetest.Mix, k *treetest.Kinds, seed uint64) result {
	s := treetest.New(treetest.Config{
		Seed: seed, MinDelay: 2 * time.Millisecond, MaxDelay: 60 * time.Millisecond, Loss: o.loss,
		Stream: treetest.Stream{Interval: flashChunk}, Large: true, Proofs: true, Probes: k != nil, Calls: k != nil,
	})
	p := treetest.NewPopulation(s, treetest.Crowd{
		N: o.n, Mix: mix, Spread: flashTime, Seeds: 2, Limited: true, Gossip: treetest.DefaultGossip, Kinds: k,
	})
	end := p.Watch()
	err := s.Run(flashTime + flashRest)
	return result{Measures: end(), err: err}
}
