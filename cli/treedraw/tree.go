package treedraw

import (
	"fmt"
	"strconv"
	"strings"

	"relay/cli/term"
	"relay/playback/api"
	"relay/tree"
)

// nameMin is the least width, in characters, for the drawing itself when the columns beside it
// would take all of the screen.
const nameMin = 20

// Drawing says how to draw trees.
type Drawing struct {
	term.Style
	Most int // how many nodes to draw at most; 0 for all
}

// branches are the lines that connect a node to its parent and siblings.
type branches struct{ mid, last, down, none string }

func (d Drawing) branches() branches {
	if d.ASCII {
		return branches{"|- ", "`- ", "|  ", "   "}
	}
	return branches{"├─ ", "└─ ", "│  ", "   "}
}

// Draw returns the lines of one channel's tree.
func (d Drawing) Draw(t api.ChannelTree) []string {
	lines := folded(d.Style, summaryText(d.Style, t), term.Bold)
	say := func(text, colour string) { lines = append(lines, folded(d.Style, d.Lang.In(text), colour)...) }
	if t.Problem != "" {
		say(unasked(term.Clean(t.Problem), t.SeenBy), term.Yellow)
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
		say("Not drawn: "+term.Counted(int64(undrawn), "node")+"; --all draws all", term.Faint)
	}
	if t.Cut.Nodes > 0 {
		say("Too many to list: "+term.Counted(int64(t.Cut.Nodes), "node")+", the farthest from the source", term.Faint)
	}
	if p := t.PeerCast; p != nil && p.Connected > 0 {
		say(peerCastText(*p), term.Faint)
	}
	return lines
}

// folded are the lines of a sentence, in a colour.
func folded(st term.Style, sentence, colour string) []string {
	var lines []string
	for _, l := range st.Fold(sentence) {
		lines = append(lines, st.Line([]term.Cell{{Text: l, Colour: colour}}))
	}
	return lines
}

// unasked says why the figures are not the source's.
func unasked(why, seenBy string) string {
	return fmt.Sprintf("The source cannot be asked (%s); this is what %s knows.", why, shortID(seenBy))
}

// peerCastText says who has the channel from this relay over PeerCast.
func peerCastText(p api.PeerCast) string {
	return fmt.Sprintf("Over PeerCast from here: %s, and %d more behind them by what they say, with %s", term.Counted(int64(p.Connected), "node"), p.Behind, term.Counted(int64(p.Listeners), "listener"))
}

func summaryText(st term.Style, t api.ChannelTree) string {
	s := t.Summary
	name := term.Clean(t.Name)
	if t.Title != "" {
		name += fmt.Sprintf(" \"%s\"", term.Clean(t.Title))
	}
	text := []string{fmt.Sprintf("Channel %s: %s, %d deep (mean %.1f), %s free, %s behind at worst, %s lost",
		name, term.Counted(int64(s.Nodes), "node"), s.MaxDepth, s.MeanDepth, term.Counted(s.SlotsFree, "slot"), term.DelayText(s.WorstDelayMs), term.Counted(s.Lost, "chunk"))}
	if s.Orphans > 0 {
		text = append(text, term.Counted(int64(s.Orphans), "orphan"))
	}
	if t.Watching != nil {
		text = append(text, fmt.Sprintf("%d watching", *t.Watching))
	}
	return spelt(st, text)
}

// spelt joins what is said in some pieces, in the style's language.
func spelt(st term.Style, pieces []string) string {
	var said []string
	for _, p := range pieces {
		said = append(said, st.Lang.In(p))
	}
	return strings.Join(said, ", ")
}

// choose says which nodes to draw, namely those nearest to the source. For each it also counts
// the nodes below that are not drawn, because they are not kept or not even listed.
func (d Drawing) choose(nodes []api.TreeNode) (kept []bool, hidden []int) {
	kept, hidden = make([]bool, len(nodes)), make([]int, len(nodes))
	var at []int // nodes at each depth
	for _, n := range nodes {
		for n.Depth >= len(at) {
			at = append(at, 0)
		}
		at[max(n.Depth, 0)]++
	}
	room := d.Most
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

// header has a word for each column, as it has in each language.
const header = "NODE DEPTH SLOTS BEHIND LOST UPLOAD UP VERSION"

// table draws the nodes, one per line, below a line of headings.
func (d Drawing) table(t api.ChannelTree, kept []bool, hidden []int) []string {
	var rows [][]term.Cell
	var head []term.Cell
	heads := strings.Fields(d.Lang.In(header))
	for i, h := range heads {
		head = append(head, term.Cell{Text: h, Colour: term.Bold, Right: i > 0 && i < len(heads)-1})
	}
	rows = append(rows, head)
	below := make([][]int, len(t.Nodes))
	for i, n := range t.Nodes {
		if kept[i] && n.Parent >= 0 {
			below[n.Parent] = append(below[n.Parent], i)
		}
	}
	b := d.branches()
	var names [][]term.Cell // the first column, in pieces
	names = append(names, []term.Cell{head[0]})
	var walk func(i int, first, rest string)
	walk = func(i int, first, rest string) {
		names = append(names, nameCells(d.Style, t, i, first, hidden[i]))
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

	return d.columns(names, rows)
}

// columns aligns the cells in columns, each as wide as its widest cell. On a screen that is too
// narrow, the last column is left out, and the first one, of names, gets narrower.
func (d Drawing) columns(names, rows [][]term.Cell) []string {
	widths := make([]int, len(rows[0]))
	for r, row := range rows {
		widths[0] = max(widths[0], term.Width(names[r]...))
		for c := 1; c < len(row); c++ {
			widths[c] = max(widths[c], term.Width(row[c]))
		}
	}
	if d.Width > 0 {
		others := 0
		for _, w := range widths[1:] {
			others += 2 + w
		}
		if last := len(widths) - 1; widths[0] > d.Width-others {
			others -= 2 + widths[last]
			widths = widths[:last]
		}
		widths[0] = min(widths[0], max(nameMin, d.Width-others))
	}
	var lines []string
	for r, row := range rows {
		cells := d.Fit(names[r], widths[0])
		for c := 1; c < len(widths); c++ {
			pad := strings.Repeat(" ", widths[c]-term.Width(row[c]))
			if row[c].Right {
				cells = append(cells, term.Cell{Text: "  " + pad}, row[c])
			} else {
				cells = append(cells, term.Cell{Text: "  "}, row[c])
			}
		}
		lines = append(lines, d.Line(cells))
	}
	return lines
}

// nameCells returns the cells that draw a node in the tree.
func nameCells(st term.Style, t api.ChannelTree, i int, branch string, hidden int) []term.Cell {
	n := t.Nodes[i]
	cells := []term.Cell{{Text: branch, Colour: term.Faint}, {Text: shortID(n.ID)}}
	if n.Source() {
		cells = append(cells, term.Cell{Text: st.Lang.In(" source"), Colour: term.Bold})
	}
	if n.ID == t.Self {
		cells = append(cells, term.Cell{Text: st.Lang.In(" here"), Colour: term.Green})
	}
	if n.Orphan {
		cells = append(cells, term.Cell{Text: st.Lang.In(" cut off"), Colour: term.Red})
	}
	if hidden > 0 {
		cells = append(cells, term.Cell{Text: st.Lang.In(fmt.Sprintf(" +%d below", hidden)), Colour: term.Faint})
	}
	return append(cells, calledCell(n.Name))
}

// nodeCells returns a node's columns. The first is left to nameCells.
func nodeCells(n api.TreeNode) []term.Cell {
	behind, upload, up, version := "-", "-", "-", "-"
	if !n.Unheard {
		upload, up = term.RateText(int(n.UploadBPS)), term.UptimeText(n.UptimeS)
		if n.Source() || n.DelayMs > 0 {
			behind = term.DelayText(n.DelayMs)
		}
		if n.Version != "" {
			version = term.Clean(n.Version)
		}
	}
	lost := term.Cell{Text: strconv.FormatInt(n.Lost, 10), Right: true}
	if n.Lost > 0 {
		lost.Colour = term.Yellow
	}
	return []term.Cell{
		{},
		{Text: strconv.Itoa(n.Depth), Right: true},
		{Text: fmt.Sprintf("%d/%d", n.Children, n.Slots), Right: true},
		{Text: behind, Right: true},
		lost,
		{Text: upload, Right: true},
		{Text: up, Right: true},
		{Text: version},
	}
}

func shortID(id string) string {
	id = term.Clean(id)
	return id[:min(len(id), tree.ShortLen)]
}
