//go:build e2e && linux

package main

import (
	"fmt"
	"math"
	"strings"
)

const (
	pictureW, pictureH = 640, 400
	margin             = 56
	legendW            = 120
)

var colours = []string{"#7f7f7f", "#2ca02c", "#1f77b4", "#ff7f0e", "#9467bd", "#8c564b", "#e377c2"}

// picture draws CPU time per GB against p99 delay, a curve for each server over the numbers of
// viewers. Down and to the left is better.
func (t *table) picture() string {
	mostX, least, most := 0.0, math.Inf(1), 0.0
	for _, w := range t.who {
		for _, n := range t.counts {
			if k := (cell{w.name, n}); len(t.runs[k]) > 0 {
				s := t.sum(k)
				mostX, least, most = max(mostX, s.perGB), min(least, s.p99), max(most, s.p99)
			}
		}
	}
	if mostX == 0 {
		return ""
	}
	mostX *= 1.1
	// The delay's axis is logarithmic, with whole decades.
	low, high := math.Floor(math.Log10(max(least, .01))), math.Ceil(math.Log10(max(most, .1)))
	x := func(v float64) float64 { return margin + v/mostX*pictureW }
	y := func(v float64) float64 {
		return margin + pictureH*(1-(math.Log10(max(v, .01))-low)/max(1, high-low))
	}
	var b strings.Builder
	w, h := pictureW+2*margin+legendW, pictureH+2*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", w, h)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", w, h)
	fmt.Fprintf(&b, `<text x="%d" y="20">%s</text>`+"\n", margin, t.about)
	fmt.Fprintf(&b, `<text x="%d" y="40">added delay, p99 in ms; at each point the number of viewers</text>`+"\n", margin)
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">CPU seconds per GB</text>`+"\n", margin+pictureW, h-10)
	for e := low; e <= high; e++ {
		v := math.Pow(10, e)
		fmt.Fprintf(&b, `<path d="M%d %.1f H%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n",
			margin, y(v), margin+pictureW, margin-6, y(v)+4, v)
	}
	step := math.Pow(10, math.Floor(math.Log10(mostX)))
	if mostX/step < 3 {
		step /= 4
	}
	for v := 0.0; v <= mostX; v += step {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%g</text>`+"\n", x(v), margin+pictureH+16, v)
	}
	for i, who := range t.who {
		colour := colours[i%len(colours)]
		var points []string
		for _, n := range t.counts {
			k := cell{who.name, n}
			if len(t.runs[k]) == 0 {
				continue
			}
			s := t.sum(k)
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(s.perGB), y(s.p99)))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/><text x="%.1f" y="%.1f" fill="%s">%d</text>`+"\n",
				x(s.perGB), y(s.p99), colour, x(s.perGB)+6, y(s.p99)-5, colour, n)
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", strings.Join(points, " "), colour)
		fmt.Fprintf(&b, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", margin+pictureW+12, margin+18*(i+1), colour, who.title)
	}
	fmt.Fprintf(&b, `<path d="M%d %d V%d H%d" fill="none" stroke="black"/>`+"\n</svg>\n", margin, margin, margin+pictureH, margin+pictureW)
	return b.String()
}
