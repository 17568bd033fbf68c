package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"relay/tree/treetest"
)

// vicesNamed returns the vices in the list. It reports unknown names and leaves them out.
func vicesNamed(list string) []treetest.Vice {
	switch list {
	case "all":
		return treetest.Vices
	case "none":
		return nil
	}
	var vs []treetest.Vice
	for name := range strings.SplitSeq(list, ",") {
		if !slices.Contains(treetest.Vices, treetest.Vice(name)) {
			fmt.Fprintf(os.Stderr, "sim: no vice %q\n", name)
			continue
		}
		vs = append(vs, treetest.Vice(name))
	}
	return vs
}

// A siege has a small crowd in which every tenth host is a liar, and known to all.
const (
	siegeN      = 60
	siegeLiars  = 6
	siegeTime   = 2 * time.Minute
	siegeSpread = 5 * time.Second
)

func sieges(o options) error {
	if len(o.hostile) == 0 {
		return siegesOf(o, siegeN, siegeLiars)
	}
	var failed error
	for _, share := range o.hostile {
		relays := 0
		r := rand.New(rand.NewPCG(1, 1))
		for range o.n {
			if treetest.Mixes[o.mixes[0]](r) > 0 {
				relays++
			}
		}
		liars := int(share / (1 - share) * float64(relays))
		fmt.Printf("\n%.0f%% of those who say that they serve are liars: %d beside %d honest nodes", 100*share, liars, o.n)
		failed = cmp.Or(failed, siegesOf(o, o.n, liars))
	}
	return failed
}

func siegesOf(o options, n, liars int) error {
	fmt.Printf("\n%-9s %-9s %6s %5s %7s %7s %7s %7s %6s %6s %7s %7s %7s %7s\n", "liars", "mix", "falls", "most", "dials/m", "good%", "1st99", "out99", "missed", "starve", "whole%", "left50", "left99", "forged")
	var failed error
	name := o.mixes[0]
	for _, v := range o.vices {
		var all treetest.Toll
		var dials float64
		for _, r := range parallel(o.seeds, func(i uint64) outcome { return siege(o, v, treetest.Mixes[name], n, liars, o.first+i) }) {
			if r.err != nil && failed == nil {
				failed = r.err
			}
			all.Fell += r.Fell
			all.Most = max(all.Most, r.Most)
			all.Stuck += r.Stuck
			all.Clean, all.Forged = all.Clean+r.Clean, all.Forged+r.Forged
			all.Below = append(all.Below, r.Below...)
			all.Good, all.Sessions = all.Good+r.Good, all.Sessions+r.Sessions
			all.First, all.Outages = append(all.First, r.First...), append(all.Outages, r.Outages...)
			all.Skipped += r.Skipped
			dials += r.Asked / float64(o.seeds)
		}
		fmt.Printf("%-9s %-9s %6d %5d %7.1f %7.2f %7s %7s %6d %6d %7.2f %7s %7s %7d\n", v, name, all.Fell, all.Most, dials, 100*all.GoodShare(),
			short(treetest.Quantile(all.First, .99)), short(treetest.Quantile(all.Outages, .99)), all.Skipped, all.Stuck,
			100*float64(all.Clean)/max(1, float64(all.Sessions)), short(treetest.Quantile(all.Below, .5)), short(treetest.Quantile(all.Below, .99)), all.Forged)
	}
	return failed
}

type outcome struct {
	treetest.Toll
	err error
}

func siege(o options, v treetest.Vice, mix treetest.Mix, n, liars int, seed uint64) outcome {
	s := treetest.New(treetest.Config{
		Seed: seed, MinDelay: 2 * time.Millisecond, MaxDelay: 40 * time.Millisecond, Loss: o.loss,
		Stream: treetest.Stream{Interval: flashChunk}, Large: true, Vouched: true, Proofs: true,
	})
	t, err := treetest.RunSiege(s, treetest.Crowd{
		N: n, Mix: mix, Sessions: treetest.Exponential(3 * time.Minute), Graceful: 0.3, Spread: siegeSpread, Seeds: 1,
		Gossip: treetest.DefaultGossip,
	}, v, liars, siegeTime)
	return outcome{t, err}
}
