package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"relay/tree/treetest"
)

// picture collects what is to be drawn: how deep nodes are in each mix, and for how long each
// fault left them without data.
type picture struct {
	depths []depths
	gaps   []gaps
}

type depths struct {
	name        string
	real, ideal treetest.Levels
}

type gaps struct {
	name   string
	sorted []time.Duration
}

const (
	panelW, panelH = 420, 220
	margin         = 46
	longestGap     = 1500 * time.Millisecond // right end of the axis
)

var colours = []string{
	"#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
	"#393b79", "#637939", "#8c6d31",
}

// write draws one panel per mix, and below them one for all faults.
func (p *picture) write(path string) error {
	var b strings.Builder
	cols := max(1, len(p.depths))
	w, h := cols*(panelW+margin)+margin, 2*(panelH+2*margin)
	if len(p.gaps) > 0 {
		h += panelH
		w = max(w, 2*panelW+4*margin)
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n", w, h)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", w, h)
	for i, d := range p.depths {
		d.draw(&b, margin+i*(panelW+margin), margin)
	}
	if len(p.gaps) > 0 {
		p.drawGaps(&b, margin, panelH+3*margin, w-2*margin-110, 2*panelH-margin)
	}
	b.WriteString("</svg>\n")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}

// draw shows the share of nodes at each depth beside that of the ideal tree.
func (d depths) draw(b *strings.Builder, x, y int) {
	total := func(l treetest.Levels) (n int) {
		for _, k := range l {
			n += k
		}
		return max(1, n)
	}
	deepest := max(len(d.real), len(d.ideal)) - 1
	top := 0.0
	share := func(l treetest.Levels, i int) float64 {
		if i >= len(l) {
			return 0
		}
		return float64(l[i]) / float64(total(l))
	}
	for i := range deepest + 1 {
		top = max(top, share(d.real, i), share(d.ideal, i))
	}
	text(b, x, y-10, "%s: share of nodes by depth; mean %.2f, ideal %.2f (grey)", d.name, d.real.Mean(), d.ideal.Mean())
	step := float64(panelW) / float64(max(1, deepest))
	for i := 1; i <= deepest; i++ {
		left := float64(x) + float64(i-1)*step
		bar := func(at, v float64, colour string) {
			tall := v / max(top, 1e-9) * panelH
			fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", at, float64(y)+panelH-tall, step*0.4, tall, colour)
		}
		bar(left+step*0.1, share(d.ideal, i), "#bbb")
		bar(left+step*0.5, share(d.real, i), colours[0])
		text(b, int(left+step*0.35), y+panelH+14, "%d", i)
	}
	axis(b, x, y, panelW, panelH)
}

// drawGaps shows for each fault, over a time, the share of the hosts below it that were
// without data for no longer than that.
func (p *picture) drawGaps(b *strings.Builder, x, y, w, h int) {
	text(b, x, y-10, "share of those below a fault without data for no longer than (ms)")
	for ms := 0; ms <= int(longestGap.Milliseconds()); ms += 250 {
		text(b, x+w*ms/int(longestGap.Milliseconds())-8, y+h+14, "%d", ms)
	}
	for i, g := range p.gaps {
		var pts strings.Builder
		n := len(g.sorted)
		for k, d := range g.sorted {
			if k%max(1, n/200) == 0 || k == n-1 {
				at := min(1, float64(d)/float64(longestGap))
				fmt.Fprintf(&pts, "%.1f,%.1f ", float64(x)+at*float64(w), float64(y)+float64(h)*(1-float64(k+1)/float64(n)))
			}
		}
		colour := colours[i%len(colours)]
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", pts.String(), colour)
		fmt.Fprintf(b, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", x+w+10, y+14*(i+1), colour, g.name)
	}
	axis(b, x, y, w, h)
}

func axis(b *strings.Builder, x, y, w, h int) {
	fmt.Fprintf(b, `<path d="M%d %d V%d H%d" fill="none" stroke="black"/>`+"\n", x, y, y+h, x+w)
}

func text(b *strings.Builder, x, y int, format string, args ...any) {
	fmt.Fprintf(b, `<text x="%d" y="%d">%s</text>`+"\n", x, y, fmt.Sprintf(format, args...))
}
