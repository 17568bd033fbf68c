package main

import (
	"fmt"
	"slices"
	"time"

	"relay/tree/treetest"
)

var header = fmt.Sprintf("%-9s %6s %6s %6s %5s %5s %6s %7s %8s %6s %6s %6s %6s %6s %6s %6s %6s %5s %6s %9s  run", "mix", "nodes", "depth", "ratio",
	"worst", "over", "noway", "orphan", "loss/nh", "exp/nh", "good%", "1st50", "1st99", "refus", "out50", "out99", "mv/30s", "flaps", "asked", "ctl kb/s")

// row sums up the runs of one mix.
func row(name string, rs []result) string {
	var all treetest.Measures
	var worst, mean float64
	var ctl, packets float64
	var real time.Duration
	steps := 0
	for _, r := range rs {
		all.Nodes += r.Nodes
		all.Depth = append(all.Depth, r.Depth...)
		all.Over = append(all.Over, r.Over...)
		all.Lost = max(all.Lost, r.Lost)
		all.Orphan = max(all.Orphan, r.Orphan)
		all.Losses += r.Losses
		all.Hours += r.Hours
		all.Expected += r.Expected
		all.First = append(all.First, r.First...)
		all.Refused += r.Refused
		all.Sessions += r.Sessions
		all.Good += r.Good
		all.Outages = append(all.Outages, r.Outages...)
		all.Moves += r.Moves
		all.Flaps += r.Flaps
		all.Asked += r.Asked
		all.Took += r.Took
		worst = max(worst, r.Ratio())
		mean += r.Real.Mean()
		f, p := r.ControlRate()
		ctl, packets = ctl+f, packets+p
		real += r.real
		steps += r.work
	}
	n := float64(len(rs))
	over := 0
	if len(all.Over) > 0 {
		over = slices.Max(all.Over)
	}
	halves := max(all.Hours*120, 1e-9) // half minutes of a node
	return fmt.Sprintf("%-9s %6d %6.2f %6.3f %5.2f %5d %6d %7s %8.2f %6.2f %6.2f %6s %6s %6d %6s %6s %6.3f %5d %6.3f %4.1f/%.1f  %v, %.1fM events",
		name, all.Nodes/len(rs), mean/n, all.Ratio(), worst, over, all.Lost, short(all.Orphan), all.LossRate(), all.Expected/max(all.Hours, 1e-9), 100*all.GoodShare(),
		short(treetest.Quantile(all.First, .5)), short(treetest.Quantile(all.First, .99)), all.Refused,
		short(treetest.Quantile(all.Outages, .5)), short(treetest.Quantile(all.Outages, .99)),
		float64(all.Moves)/halves, all.Flaps, float64(all.Asked)/halves, ctl/n/1000, packets/n/1000, real.Round(time.Second/10), float64(steps)/1e6)
}

func short(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}
