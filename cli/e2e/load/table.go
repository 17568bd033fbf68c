//go:build e2e && linux

package main

import (
	"fmt"
	"strings"
	"time"
)

// table collects what was measured. The first of its servers is what the others are compared with.
type table struct {
	who    []contestant
	counts []int
	about  string // one sentence
	runs   map[cell][]result
}

// cell is a server with a number of viewers; its runs are in the order of the repeats.
type cell struct {
	who string
	n   int
}

func newTable(o *options, rate int) *table {
	where, what := "the server alone on one core", ""
	if o.shared {
		where = "the server on two cores and all viewers on the same"
	}
	if o.machine.sound {
		what = " of sound"
	}
	t := &table{
		who: o.who, counts: o.counts, runs: make(map[cell][]result),
		about: fmt.Sprintf("%.1f Mb/s%s, %v measured after %v, %d repeats, %s; medians.",
			float64(rate)/1e6, what, o.window, o.warm, o.repeats, where),
	}
	if o.stalled > 0 {
		t.about += fmt.Sprintf(" Besides, %d viewers that take nothing.", o.stalled)
	}
	if o.burst > 0 {
		t.about += fmt.Sprintf(" Besides, %d viewers that come in the first second; \"first\" is the p99 of what they wait for the first tag, in ms.", o.burst)
	}
	if o.joins > 0 {
		t.about += fmt.Sprintf(" Besides, %d viewers one after the other; \"joins\" is the p50/p99/most of what they wait for the first key frame, in ms.", o.joins)
	}
	return t
}

const rowHead = "repeat     N  server       CPU s/GB   ratio  core%    p50 ms  p99 ms    KB/viewer  measuring%  late ms  publisher  others%  load"

// add takes what a run has measured and returns the line for it.
func (t *table) add(repeat int, who string, r result) string {
	k := cell{who, r.n}
	t.runs[k] = append(t.runs[k], r)
	at := len(t.runs[k]) - 1
	if r.n == 0 {
		return fmt.Sprintf("  idle     0  %-11s         –       –  %5.1f         –       –   %5.1f MB                                     %6.0f  %5.2f",
			who, 100*r.core(), float64(r.rss)/1e6, 100*r.others, r.load)
	}
	line := fmt.Sprintf("%6d %5d  %-11s  %8.2f  %6s  %5.1f  %8.2f %7.2f  %11.0f  %10.0f  %7.2f  %9.2f  %7.0f  %4.2f",
		repeat+1, r.n, who, r.perGB(), t.ratioText(k, at), 100*r.core(), ms(r.p50), ms(r.p99), t.kilobytes(who, r),
		100*r.busy, ms(r.late), ms(r.publishLate), 100*r.others, r.load)
	line += r.besides()
	if why := r.doubt(); why != "" {
		line += "  ! " + why
	}
	if r.flaws != (flaws{}) {
		line += "  NOT EXACT: " + r.flaws.String()
	}
	return line
}

// besides is what is told of those who are not there all the time, and of those who ask often.
func (r result) besides() (text string) {
	if r.first99 > 0 {
		text += fmt.Sprintf(" · first %.1f", ms(r.first99))
	}
	if j := r.joins; j.most > 0 {
		text += fmt.Sprintf(" · joins %.1f/%.1f/%.1f", ms(j.p50), ms(j.p99), ms(j.most))
	}
	if r.polls > 0 {
		text += fmt.Sprintf(" · %.0f playlists/s, %.0f segments/s", r.polls, r.fetches)
	}
	return text
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// ratio is the CPU time per GB of a run, compared with the first server's in the same repeat.
func (t *table) ratio(k cell, at int) (float64, bool) {
	base := t.runs[cell{t.who[0].name, k.n}]
	if k.who == t.who[0].name || at >= len(base) {
		return 0, false
	}
	return t.runs[k][at].perGB() / base[at].perGB(), true
}

func (t *table) ratioText(k cell, at int) string {
	if x, ok := t.ratio(k, at); ok {
		return fmt.Sprintf("%.2f", x)
	}
	return "–"
}

// kilobytes is the memory that a viewer costs the server: what it has more than without viewers.
func (t *table) kilobytes(who string, r result) float64 {
	idle := t.runs[cell{who, 0}]
	if len(idle) == 0 || r.n == 0 {
		return 0
	}
	return float64(r.rss-idle[0].rss) / 1024 / float64(r.n)
}

// over returns the median of a figure over all repeats.
func (t *table) over(k cell, figure func(result) float64) float64 {
	var all []float64
	for _, r := range t.runs[k] {
		all = append(all, figure(r))
	}
	return median(all)
}

// summary is what is told of a cell.
type summary struct{ perGB, ratio, p50, p99, kilobytes float64 }

func (t *table) sum(k cell) summary {
	var ratios []float64
	for i := range t.runs[k] {
		if x, ok := t.ratio(k, i); ok {
			ratios = append(ratios, x)
		}
	}
	return summary{
		perGB: t.over(k, result.perGB), ratio: median(ratios),
		p50:       t.over(k, func(r result) float64 { return ms(r.p50) }),
		p99:       t.over(k, func(r result) float64 { return ms(r.p99) }),
		kilobytes: t.over(k, func(r result) float64 { return t.kilobytes(k.who, r) }),
	}
}

// markdown returns the tables.
func (t *table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nCPU seconds per GB (ratio to the %s in the same repeat) · added delay p50/p99 ms · resident KB a viewer:\n\n", t.about, t.who[0].title)
	head, rule := "| N |", "|---|"
	for _, w := range t.who {
		head, rule = head+" "+w.title+" |", rule+"---|"
	}
	fmt.Fprintf(&b, "%s\n%s\n", head, rule)
	for _, n := range t.counts {
		fmt.Fprintf(&b, "| %d |", n)
		for _, w := range t.who {
			fmt.Fprintf(&b, " %s |", t.cellText(cell{w.name, n}))
		}
		b.WriteString("\n")
	}
	b.WriteString("\nThe machine meanwhile. `!` is where in half of the repeats the measuring side was the bottleneck, or others took more than a tenth of the server's core.\n\n" +
		"| N | server | share of its core | most MB | others' share | measuring side | late p99 ms | published late p99 ms | load | exact |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, n := range append([]int{0}, t.counts...) {
		for _, w := range t.who {
			if k := (cell{w.name, n}); len(t.runs[k]) > 0 {
				b.WriteString(t.conditions(k, w.title))
			}
		}
	}
	return b.String()
}

func (t *table) cellText(k cell) string {
	if len(t.runs[k]) == 0 {
		return "–"
	}
	s := t.sum(k)
	text := fmt.Sprintf("%.2f", s.perGB)
	if s.ratio > 0 {
		text += fmt.Sprintf(" (%.2f)", s.ratio)
	}
	text += fmt.Sprintf(" · %.1f/%.1f · %.0f", s.p50, s.p99, s.kilobytes)
	text += t.middle(k).besides()
	if t.doubtful(k) {
		text += " !"
	}
	return text
}

// middle is a result of the medians of what [result.besides] tells.
func (t *table) middle(k cell) result {
	of := func(figure func(result) time.Duration) time.Duration {
		return time.Duration(t.over(k, func(r result) float64 { return float64(figure(r)) }))
	}
	return result{
		first99: of(func(r result) time.Duration { return r.first99 }),
		joins: spread{
			of(func(r result) time.Duration { return r.joins.p50 }),
			of(func(r result) time.Duration { return r.joins.p99 }),
			of(func(r result) time.Duration { return r.joins.most }),
		},
		polls:   t.over(k, func(r result) float64 { return r.polls }),
		fetches: t.over(k, func(r result) float64 { return r.fetches }),
	}
}

// doubtful reports whether half of the repeats tell little of the server.
func (t *table) doubtful(k cell) bool {
	return t.over(k, func(r result) float64 {
		if r.doubt() != "" {
			return 1
		}
		return 0
	}) >= .5
}

// conditions returns a row about a cell.
func (t *table) conditions(k cell, title string) string {
	var wrong flaws
	for _, r := range t.runs[k] {
		wrong.add(r.flaws)
	}
	mark := ""
	if t.doubtful(k) {
		mark = " !"
	}
	return fmt.Sprintf("| %d | %s | %.1f%% | %.1f | %.0f%% | %.0f%%%s | %.2f | %.2f | %.1f | %v |\n", k.n, title,
		100*t.over(k, result.core), t.over(k, func(r result) float64 { return float64(r.peak) / 1e6 }),
		100*t.over(k, func(r result) float64 { return r.others }),
		100*t.over(k, func(r result) float64 { return r.busy }), mark,
		t.over(k, func(r result) float64 { return ms(r.late) }),
		t.over(k, func(r result) float64 { return ms(r.publishLate) }),
		t.over(k, func(r result) float64 { return r.load }), wrong)
}
