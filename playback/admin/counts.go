package admin

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"strconv"
	"time"
)

// counts is a counter for each channel and reason.
type counts struct {
	family
	of map[series]uint64
}

type series struct{ channel, reason string }

func (c *counts) add(channel, reason string) {
	if c.of == nil {
		c.of = make(map[series]uint64)
	}
	c.of[series{channel, reason}]++
}

func (c *counts) forget(channel string) {
	maps.DeleteFunc(c.of, func(s series, _ uint64) bool { return s.channel == channel })
}

func (c *counts) write(e *exposition) {
	in := slices.SortedStableFunc(maps.Keys(c.of), func(a, b series) int {
		return cmp.Or(cmp.Compare(a.channel, b.channel), cmp.Compare(a.reason, b.reason))
	})
	for _, s := range in {
		e.add(c.family, float64(c.of[s]), labelled("channel", s.channel, "reason", s.reason))
	}
}

// gapBuckets are in seconds: a backup takes over within 0.2, a search takes seconds.
var gapBuckets = [...]float64{.01, .025, .05, .1, .15, .2, .3, .5, 1, 2.5, 5, 10, 30}

// gaps is a histogram of the time without chunks for each channel.
type gaps struct {
	family
	of map[string]*spread
}

type spread struct {
	upTo  [len(gapBuckets)]uint64 // not more than this bucket's bound, and more than the one's before
	count uint64
	sum   time.Duration
}

func (g *gaps) add(channel string, gap time.Duration) {
	if g.of == nil {
		g.of = make(map[string]*spread)
	}
	s := g.of[channel]
	if s == nil {
		s = new(spread)
		g.of[channel] = s
	}
	if i := sort.SearchFloat64s(gapBuckets[:], gap.Seconds()); i < len(gapBuckets) {
		s.upTo[i]++
	}
	s.count++
	s.sum += gap
}

func (g *gaps) forget(channel string) { delete(g.of, channel) }

func (g *gaps) write(e *exposition) {
	for _, channel := range slices.Sorted(maps.Keys(g.of)) {
		s, below := g.of[channel], uint64(0)
		for i, bound := range gapBuckets {
			below += s.upTo[i]
			le := strconv.FormatFloat(bound, 'g', -1, 64)
			e.addTo(g.family, "_bucket", float64(below), labelled("channel", channel, "le", le))
		}
		e.addTo(g.family, "_bucket", float64(s.count), labelled("channel", channel, "le", "+Inf"))
		e.addTo(g.family, "_sum", s.sum.Seconds(), labelled("channel", channel))
		e.addTo(g.family, "_count", float64(s.count), labelled("channel", channel))
	}
}
