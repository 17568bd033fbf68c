package cli

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"relay/playback"
)

// shortTag is how many characters of a node's ID are drawn, as everywhere else.
const shortTag = 8

// nameMin is the least width left to the drawing itself when the columns beside it
// would take it all.
const nameMin = 20

// Colours, as a terminal's codes.
const (
	bold   = "\x1b[1m"
	faint  = "\x1b[2m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	green  = "\x1b[32m"
	plain  = "\x1b[0m"
)

// drawing is how trees are drawn.
type drawing struct {
	width  int // columns of the screen; 0 for no bound
	lines  int // nodes drawn at most; 0 for all
	ascii  bool
	colour bool
}

// branches are what connects a node to its parent and siblings.
type branches struct{ mid, last, down, none, cut string }

func (d drawing) branches() branches {
	if d.ascii {
		return branches{"|- ", "`- ", "|  ", "   ", "~"}
	}
	return branches{"├─ ", "└─ ", "│  ", "   ", "…"}
}

// cell is a piece of a line.
type cell struct {
	text   string
	colour string
	right  bool // aligned
}

// draw returns the lines of one channel's tree.
func (d drawing) draw(t playback.ChannelTree) []string {
	var lines []string
	for _, l := range d.wrap(summaryText(t)) {
		lines = append(lines, d.line([]cell{{l, bold, false}}))
	}
	if t.Problem != "" {
		s := fmt.Sprintf("The source cannot be asked (%s); this is what %s knows.", clean(t.Problem), shortID(t.SeenBy))
		lines = append(lines, d.line([]cell{{s, yellow, false}}))
	}
	lines = append(lines, "")
	kept, hidden := d.choose(t.Nodes)
	lines = append(lines, d.table(t, kept, hidden)...)
	undrawn := 0
	for i := range kept {
		if !kept[i] {
			undrawn++
		}
	}
	if undrawn > 0 {
		lines = append(lines, d.line([]cell{{"Not drawn: " + counted(int64(undrawn), "node") + "; --all draws all", faint, false}}))
	}
	if t.Cut.Nodes > 0 {
		lines = append(lines, d.line([]cell{{"Too many to list: " + counted(int64(t.Cut.Nodes), "node") + ", the farthest from the source", faint, false}}))
	}
	return lines
}

func summaryText(t playback.ChannelTree) string {
	s := t.Summary
	name := clean(t.Name)
	if t.Title != "" {
		name += fmt.Sprintf(" \"%s\"", clean(t.Title))
	}
	text := fmt.Sprintf("Channel %s: %s, %d deep (mean %.1f), %s free, %s behind at worst, %s lost",
		name, counted(int64(s.Nodes), "node"), s.MaxDepth, s.MeanDepth, counted(s.SlotsFree, "slot"), delayText(s.WorstDelayMs), counted(s.Lost, "chunk"))
	if s.Orphans > 0 {
		text += ", " + counted(int64(s.Orphans), "orphan")
	}
	return text
}

// wrap breaks a text that is too wide into lines, after commas.
func (d drawing) wrap(text string) []string {
	var lines []string
	for i, part := range strings.SplitAfter(text, ",") {
		if i == 0 {
			lines = append(lines, part)
		} else if last := &lines[len(lines)-1]; d.width == 0 || width(cell{text: *last + part}) <= d.width {
			*last += part
		} else {
			lines = append(lines, " "+part)
		}
	}
	return lines
}

func counted(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// choose says which nodes are drawn, those nearest to the source, and how many
// nodes below each are not, because they are not kept or not even listed.
func (d drawing) choose(nodes []playback.TreeNode) (kept []bool, hidden []int) {
	kept, hidden = make([]bool, len(nodes)), make([]int, len(nodes))
	var at []int // nodes at each depth
	for _, n := range nodes {
		for n.Depth >= len(at) {
			at = append(at, 0)
		}
		at[max(n.Depth, 0)]++
	}
	room := d.lines
	if room <= 0 {
		room = len(nodes)
	}
	last := 0
	for last < len(at) && room >= at[last] {
		room -= at[last]
		last++
	}
	drawnBy := make([]int, len(nodes)) // the node itself, or the nearest above it that is kept
	for i, n := range nodes {
		if n.Depth < last || n.Depth == last && room > 0 {
			if n.Depth == last {
				room--
			}
			kept[i], drawnBy[i] = true, i
			hidden[i] += n.Children
		} else {
			drawnBy[i] = drawnBy[max(n.Parent, 0)]
			hidden[drawnBy[i]] += n.Children
		}
		if n.Parent >= 0 && kept[i] {
			hidden[drawnBy[n.Parent]]--
		}
	}
	return kept, hidden
}

var header = []string{"NODE", "DEPTH", "SLOTS", "BEHIND", "LOST", "UPLOAD", "UP", "VERSION"}

// table draws the nodes, one a line, below a line of headings.
func (d drawing) table(t playback.ChannelTree, kept []bool, hidden []int) []string {
	var rows [][]cell
	var head []cell
	for i, h := range header {
		head = append(head, cell{h, bold, i > 0 && i < len(header)-1})
	}
	rows = append(rows, head)
	below := make([][]int, len(t.Nodes))
	for i, n := range t.Nodes {
		if kept[i] && n.Parent >= 0 {
			below[n.Parent] = append(below[n.Parent], i)
		}
	}
	b := d.branches()
	var names [][]cell // the first column, in pieces
	names = append(names, []cell{head[0]})
	var walk func(i int, first, rest string)
	walk = func(i int, first, rest string) {
		names = append(names, nameCells(t, i, first, hidden[i]))
		rows = append(rows, nodeCells(t.Nodes[i]))
		for k, j := range below[i] {
			if k == len(below[i])-1 {
				walk(j, rest+b.last, rest+b.none)
			} else {
				walk(j, rest+b.mid, rest+b.down)
			}
		}
	}
	if len(t.Nodes) > 0 {
		walk(0, "", "")
	}

	widths := make([]int, len(header))
	for r, row := range rows {
		widths[0] = max(widths[0], width(names[r]...))
		for c := 1; c < len(row); c++ {
			widths[c] = max(widths[c], width(row[c]))
		}
	}
	if d.width > 0 {
		others := 0
		for _, w := range widths[1:] {
			others += 2 + w
		}
		widths[0] = min(widths[0], max(nameMin, d.width-others))
	}
	var lines []string
	for r, row := range rows {
		cells := d.fit(names[r], widths[0])
		for c := 1; c < len(row); c++ {
			pad := strings.Repeat(" ", widths[c]-width(row[c]))
			if row[c].right {
				cells = append(cells, cell{text: "  " + pad}, row[c])
			} else {
				cells = append(cells, cell{text: "  "}, row[c])
			}
		}
		lines = append(lines, d.line(cells))
	}
	return lines
}

// nameCells is a node in the tree.
func nameCells(t playback.ChannelTree, i int, branch string, hidden int) []cell {
	n := t.Nodes[i]
	cells := []cell{{branch, faint, false}, {shortID(n.ID), "", false}}
	if n.Depth == 0 {
		cells = append(cells, cell{" source", bold, false})
	}
	if n.ID == t.Self {
		cells = append(cells, cell{" here", green, false})
	}
	if n.Orphan {
		cells = append(cells, cell{" cut off", red, false})
	}
	if hidden > 0 {
		cells = append(cells, cell{fmt.Sprintf(" +%d below", hidden), faint, false})
	}
	return cells
}

// nodeCells is a node's columns; the first is drawn apart.
func nodeCells(n playback.TreeNode) []cell {
	behind, upload, up, version := "-", "-", "-", "-"
	if !n.Unheard {
		upload, up = rateText(int(n.UploadBPS)), uptimeText(n.UptimeS)
		if n.Depth == 0 || n.DelayMs > 0 {
			behind = delayText(n.DelayMs)
		}
		if n.Version != "" {
			version = clean(n.Version)
		}
	}
	lost := cell{strconv.FormatInt(n.Lost, 10), "", true}
	if n.Lost > 0 {
		lost.colour = yellow
	}
	return []cell{
		{},
		{strconv.Itoa(n.Depth), "", true},
		{fmt.Sprintf("%d/%d", n.Children, n.Slots), "", true},
		{behind, "", true},
		lost,
		{upload, "", true},
		{up, "", true},
		{version, "", false},
	}
}

// fit makes cells exactly w wide.
func (d drawing) fit(cells []cell, w int) []cell {
	cells = d.cut(cells, w)
	return append(cells, cell{text: strings.Repeat(" ", w-width(cells...))})
}

// cut makes cells at most w wide.
func (d drawing) cut(cells []cell, w int) []cell {
	if width(cells...) <= w {
		return cells
	}
	var out []cell
	room := w - 1
	for _, c := range cells {
		if n := width(c); n > room {
			c.text = string([]rune(c.text)[:max(room, 0)])
			return append(out, c, cell{text: d.branches().cut})
		}
		room -= width(c)
		out = append(out, c)
	}
	return out
}

// line puts cells together.
func (d drawing) line(cells []cell) string {
	if d.width > 0 {
		cells = d.cut(cells, d.width)
	}
	var b strings.Builder
	for _, c := range cells {
		if d.colour && c.colour != "" && c.text != "" {
			b.WriteString(c.colour + c.text + plain)
		} else {
			b.WriteString(c.text)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

func width(cells ...cell) int {
	n := 0
	for _, c := range cells {
		n += utf8.RuneCountInString(c.text)
	}
	return n
}

func shortID(id string) string {
	id = clean(id)
	return id[:min(len(id), shortTag)]
}

// delayText writes a delay for people.
func delayText(ms int64) string {
	if ms < 1000 {
		return fmt.Sprintf("%d ms", ms)
	}
	return fmt.Sprintf("%.1f s", float64(ms)/1000)
}

// uptimeText writes a time of running for people, in its two largest units.
func uptimeText(s int64) string {
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
	return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
}
