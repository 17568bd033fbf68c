package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"relay/tree/treetest"
)

const (
	// kindsTime is how long a crowd of several kinds comes, and kindsRest how long it is left
	// alone afterwards.
	kindsTime = 10 * time.Second
	kindsRest = 2 * time.Minute
)

// percents are the shares in a list, "" or "none" for no share.
func percents(flag, list string) ([]float64, error) {
	if list == "" || list == "none" {
		return nil, nil
	}
	var shares []float64
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 0 || n > 100 {
			return nil, fmt.Errorf("%s: %q is no percentage", flag, word)
		}
		shares = append(shares, float64(n)/100)
	}
	return shares, nil
}

// crowdsOfKinds lets crowds come in which some hosts are closed, and others punchable.
func crowdsOfKinds(o options) error {
	if len(o.closed) == 0 {
		return nil
	}
	fmt.Printf("\n%-9s %-6s %6s %5s %8s %8s %6s %6s %6s %5s %5s %6s %6s %6s %6s %6s\n", "closed", "slots", "nodes", "pairs", "attach50",
		"attach99", "alone", "depth", "ideal", "max", "ideal", "below", "calls", "moves", "asked", "orphan")
	var failed error
	for _, share := range o.closed {
		for _, tight := range []bool{false, true} {
			k := treetest.Kinds{Closed: share, Punchable: (1 - share) / 2, Tight: tight}
			rs := parallel(o.seeds, func(i uint64) ofKinds { return crowdOfKinds(o, &k, o.first+i) })
			fmt.Println(kindsRow(k, rs))
			for _, r := range rs {
				if r.err != nil && failed == nil {
					failed = r.err
				}
			}
		}
	}
	return failed
}

// ofKinds is what came of one such crowd.
type ofKinds struct {
	result
	census treetest.Census
	pairs  float64
	calls  int
}

func crowdOfKinds(o options, k *treetest.Kinds, seed uint64) ofKinds {
	s := treetest.New(treetest.Config{
		Seed: seed, MinDelay: 2 * time.Millisecond, MaxDelay: 60 * time.Millisecond, Loss: o.loss,
		Stream: treetest.Stream{Interval: flashChunk}, Large: true, Probes: true, Proofs: true, Calls: true,
	})
	p := treetest.NewPopulation(s, treetest.Crowd{
		N: o.kindsN, Mix: treetest.Mixes[o.mixes[0]], Spread: kindsTime, Seeds: 2, Gossip: treetest.DefaultGossip, Kinds: k,
	})
	end := p.Watch()
	err := s.Run(kindsTime + kindsRest)
	return ofKinds{result{Measures: end(), err: err}, p.Census(), s.PairShare(), s.Calls}
}

func kindsRow(k treetest.Kinds, rs []ofKinds) string {
	var c treetest.Census
	var pairs, calls, moves, asked, below float64
	var orphan time.Duration
	nodes := 0
	for _, r := range rs {
		c.Real, c.Ideal = c.Real.And(r.census.Real), c.Ideal.And(r.census.Ideal)
		c.Alone += r.census.Alone
		c.Attach = append(c.Attach, r.census.Attach...)
		pairs += r.pairs / float64(len(rs))
		calls, moves, asked = calls+float64(r.calls), moves+float64(r.Moves), asked+float64(r.Asked)
		below += float64(r.census.Below[treetest.Punchable])
		orphan = max(orphan, r.Orphan)
		nodes += len(r.Came)
	}
	n := float64(max(1, nodes))
	slots := "all"
	if k.Tight {
		slots = "few"
	}
	return fmt.Sprintf("%-9s %-6s %6d %5.2f %8s %8s %6d %6.2f %6.2f %5d %5d %6.0f %6.2f %6.2f %6.2f %6s", fmt.Sprintf("%.0f%%", 100*k.Closed),
		slots, nodes/len(rs), pairs, short(treetest.Quantile(c.Attach, .5)), short(treetest.Quantile(c.Attach, .99)), c.Alone,
		c.Real.Mean(), c.Ideal.Mean(), c.Real.Deepest(), c.Ideal.Deepest(), below/float64(len(rs)), calls/n, moves/n, asked/n, short(orphan))
}
