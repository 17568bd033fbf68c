package treedraw

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"relay/cli/term"
	"relay/playback/api"
)

const (
	// roomy is the least height, in lines, at which the summary is shown. On a lower screen the
	// nodes need the lines.
	roomy = 10
	// nameWidth is the width of the column for names, and nameLeast the width that remains on a
	// narrow screen, for an ID and a mark; on one of the usual width it is nameFair, in which a name has some room. All are
	// in characters.
	nameWidth = 16
	nameLeast = 9
	nameFair  = 22
	usual     = 80
	// nameMost is the width at which the column ends where nodes have names of their own.
	nameMost = 48
)

// Top is everything that relay top's picture depends on.
type Top struct {
	term.Style
	Height   int // lines; 0 for no bound and no line about keys
	Channels []api.TopChannel
	Chosen   int // index of the channel on the screen
	Order    Order
	Offset   int    // how many nodes precede the first one on the screen
	Trouble  string // why the figures are old; "" if they are not
	Clock    string // time of day; "" to leave it out
}

// Take replaces the figures with newer ones. The channel on the screen stays if it still
// exists.
func (s *Top) Take(channels []api.TopChannel) {
	s.Trouble = ""
	was := ""
	if len(s.Channels) > 0 {
		was = s.Channels[s.Chosen].ID
	}
	markLosses(s.Channels, channels)
	s.Channels = channels
	s.Chosen = max(0, slices.IndexFunc(channels, func(c api.TopChannel) bool { return c.ID == was }))
	s.Offset = min(s.Offset, s.most())
}

// topHeader has a word for each column, as it has in each language.
const topHeader = "NODE HOP DELAY LOST DOWN UP CAP SLOTS AGE LINK"

// column is one column of the table.
type column struct {
	order Order // the order that sorts by this column; 0 for none
	need  int   // the column with the greatest need is the first to go if there is no room
	cell  func(term.Style, api.TopNode) term.Cell
}

// columns are the columns beside the name of a node, as they stand in topHeader.
var columns = []column{
	{ByHop, 1, func(_ term.Style, r api.TopNode) term.Cell { return term.Cell{Text: strconv.Itoa(r.Hop), Right: true} }},
	{ByDelay, 2, func(_ term.Style, r api.TopNode) term.Cell {
		if r.DelayMs == nil {
			return term.Cell{Text: "-", Right: true}
		}
		return term.Cell{Text: term.DelayText(*r.DelayMs), Right: true}
	}},
	{ByLoss, 4, func(_ term.Style, r api.TopNode) term.Cell {
		c := term.Cell{Text: strconv.FormatInt(r.Lost, 10), Right: true}
		switch {
		case r.Losing:
			c.Colour = term.Red
		case r.Lost > 0:
			c.Colour = term.Yellow
		}
		return c
	}},
	{0, 9, func(_ term.Style, r api.TopNode) term.Cell { return term.Cell{Text: shortRate(r.DownBPS), Right: true} }},
	{ByUpload, 3, func(_ term.Style, r api.TopNode) term.Cell {
		c := term.Cell{Text: shortRate(r.UpBPS), Right: true}
		if r.CapBPS != nil && r.UpBPS != nil && *r.UpBPS > *r.CapBPS {
			c.Colour = term.Yellow
		}
		return c
	}},
	{0, 6, func(_ term.Style, r api.TopNode) term.Cell { return term.Cell{Text: shortRate(r.CapBPS), Right: true} }},
	{0, 5, func(_ term.Style, r api.TopNode) term.Cell {
		c := term.Cell{Text: fmt.Sprintf("%d/%d", r.Children, r.Slots), Right: true}
		if r.Slots > 0 && r.Children >= r.Slots {
			c.Colour = term.Yellow
		}
		return c
	}},
	{0, 7, func(_ term.Style, r api.TopNode) term.Cell {
		if r.AgeS == nil {
			return term.Cell{Text: "-", Right: true}
		}
		return term.Cell{Text: term.UptimeText(*r.AgeS), Right: true}
	}},
	{0, 8, func(st term.Style, r api.TopNode) term.Cell { return term.Cell{Text: linkText(st, r)} }},
}

// linkText is how a node is connected to its parent: all links are direct, over TLS.
func linkText(st term.Style, r api.TopNode) string {
	s := "TLS"
	switch {
	case r.Link == near:
		s = st.Lang.In("TLS near")
	case r.Link != "":
		s = st.Lang.In("TLS far")
	case r.Source:
		s = "-" // the node has no parent
	}
	if r.Addr != "" {
		s += " " + r.Addr
	}
	return s
}

// shortRate writes a bit rate for a narrow column, such as 6.0M.
func shortRate(bps *int64) string {
	switch {
	case bps == nil:
		return "-"
	case *bps >= 1e9:
		return fmt.Sprintf("%.1fG", float64(*bps)/1e9)
	case *bps >= 100e6:
		return fmt.Sprintf("%.0fM", float64(*bps)/1e6)
	case *bps >= 1e6:
		return fmt.Sprintf("%.1fM", float64(*bps)/1e6)
	case *bps >= 1e3:
		return fmt.Sprintf("%.0fk", float64(*bps)/1e3)
	}
	return strconv.FormatInt(*bps, 10)
}

// Lines draws the screen. The lines are no more than its height, and none is wider than the
// screen.
func (s Top) Lines() []string {
	if len(s.Channels) == 0 {
		out := s.top(s.Lang.In("no channel is open there"))
		if s.Height > 0 {
			out = append(out, s.keys(0, 0, 0))
		}
		return s.bounded(out)
	}
	c := s.Channels[s.Chosen]
	out := s.top(strings.TrimSpace(c.Name + " " + c.Title))
	if s.Height == 0 || s.Height >= roomy {
		out = append(out, s.summary(c)...)
	}
	rows := s.Order.sorted(c.Nodes)
	first, last := s.window(len(rows), len(out))
	out = append(out, s.table(rows, first, last)...)
	if s.Height > 0 {
		out = append(out, s.keys(first, last, len(rows)))
	}
	return s.bounded(out)
}

// top returns the first line, and a second one if the figures are old.
func (s Top) top(what string) []string {
	cells := []term.Cell{{Text: "relay top  ", Colour: term.Bold}, {Text: what}}
	if s.Clock != "" {
		cells = append([]term.Cell{{Text: s.Clock + "  ", Colour: term.Faint}}, cells...)
	}
	out := []string{s.Line(cells)}
	if s.Trouble != "" {
		out = append(out, s.Line([]term.Cell{{Text: s.Lang.In(s.Trouble), Colour: term.Red}}))
	}
	return out
}

func (s Top) summary(c api.TopChannel) []string {
	sum := c.Summary
	text := []string{fmt.Sprintf("%s, %d deep, %s free, %s behind at worst, %s lost",
		term.Counted(int64(sum.Nodes), "node"), sum.MaxDepth, term.Counted(sum.SlotsFree, "slot"), term.DelayText(sum.WorstDelayMs), term.Counted(sum.Lost, "chunk"))}
	if sum.Orphans > 0 {
		text = append(text, term.Counted(int64(sum.Orphans), "orphan"))
	}
	if c.Watching != nil {
		text = append(text, fmt.Sprintf("%d watching", *c.Watching))
	}
	if c.BitRate != nil {
		text = append(text, stateText(c), term.RateText(int(*c.BitRate)), term.Counted(int64(*c.Players), "player"))
	}
	out := folded(s.Style, spelt(s.Style, text), "")
	if c.Problem != "" {
		out = append(out, folded(s.Style, s.Lang.In(unasked(c.Problem, c.SeenBy)), term.Yellow)...)
	}
	if c.Port != "" {
		out = append(out, folded(s.Style, s.Lang.In(c.Port), "")...)
	}
	return append(out, "")
}

// situations are what a viewer of the relay that was asked sees, in a word.
var situations = map[api.SituationName]string{
	api.Looking: "here: looking", api.Full: "here: full", api.Unknown: "here: unknown", api.Recording: "here: recording", api.Refused: "here: refused",
	api.Waits: "here: waiting", api.Starting: "here: starting", api.OnAir: "here: live", api.Paused: "here: paused", api.Stuck: "here: stuck",
	api.Reconnects: "here: reconnecting", api.SourceAway: "here: orphaned", api.Over: "here: ended", api.Disconnected: "here: offline", api.ClosedHere: "here: closed",
}

func stateText(c api.TopChannel) string {
	name := api.SituationName(c.State) // of an older relay, which has four of these words
	if c.Situation != nil {
		name = c.Situation.Name
	}
	if says := situations[name]; says != "" {
		return says
	}
	return "here: " + string(name)
}

// window says which of n nodes fit on the screen when above lines come before them. Without a
// height all do. Otherwise they must fit between the headings and the line about keys. They
// begin at the offset, but no further down than the last screenful.
func (s Top) window(n, above int) (first, last int) {
	if s.Height == 0 {
		return 0, n
	}
	room := max(1, s.Height-above-2)
	first = max(0, min(s.Offset, n-room))
	return first, min(n, first+room)
}

// table draws the headings and some of the nodes, with as many columns as there is room for.
// Each column is as wide as the widest node needs, so that columns do not move while a person
// scrolls.
func (s Top) table(rows []api.TopNode, first, last int) []string {
	heads := strings.Fields(s.Lang.In(topHeader))
	names := [][]term.Cell{{{Text: heads[0], Colour: term.Bold}}}
	for _, r := range rows {
		names = append(names, rowName(s.Style, r))
	}
	cells := make([][]term.Cell, len(columns)) // of each column, with the heading first
	widths := make([]int, len(columns))
	for i, col := range columns {
		head := term.Cell{Text: heads[i+1], Colour: term.Bold, Right: col.cell(s.Style, api.TopNode{}).Right}
		if col.order != 0 && col.order == s.Order {
			head.Text += s.sortMark()
		}
		cells[i] = append(cells[i], head)
		for _, r := range rows {
			cells[i] = append(cells[i], col.cell(s.Style, r))
		}
		for _, c := range cells[i] {
			widths[i] = max(widths[i], term.Width(c))
		}
	}
	widest := nameWidth
	for _, n := range names {
		widest = max(widest, min(term.Width(n...), nameMost))
	}
	name, shown := s.fitColumns(widest, widths)
	var out []string
	for line := range names {
		if line > 0 && (line-1 < first || line-1 >= last) {
			continue
		}
		all := s.Fit(names[line], name)
		for i := range columns {
			if !shown[i] {
				continue
			}
			c := cells[i][line]
			pad := term.Cell{Text: strings.Repeat(" ", widths[i]-term.Width(c))}
			if c.Right {
				all = append(all, term.Cell{Text: "  "}, pad, c)
			} else {
				all = append(all, term.Cell{Text: "  "}, c, pad)
			}
		}
		out = append(out, s.Line(all))
	}
	return out
}

// fitColumns returns how wide the nodes' names are, and which columns appear beside them. On a
// narrow screen it first shortens the names, and then leaves out columns.
func (s Top) fitColumns(widest int, widths []int) (name int, shown []bool) {
	shown = make([]bool, len(widths))
	total := widest
	for i, w := range widths {
		shown[i] = true
		total += 2 + w
	}
	name = widest
	least := nameLeast
	if s.Width >= usual {
		least = min(nameFair, widest)
	}
	if s.Width == 0 {
		return name, shown
	}
	for total > s.Width {
		if name > least {
			total--
			name--
			continue
		}
		worst := -1
		for i, col := range columns {
			if shown[i] && (worst < 0 || col.need > columns[worst].need) {
				worst = i
			}
		}
		if worst < 0 {
			break
		}
		shown[worst] = false
		total -= 2 + widths[worst]
	}
	name = min(widest, name+max(0, s.Width-total))
	return name, shown
}

func rowName(st term.Style, r api.TopNode) []term.Cell {
	cells := []term.Cell{{Text: shortID(r.ID)}}
	switch {
	case r.CutOff:
		cells = append(cells, term.Cell{Text: st.Lang.In(" cut off"), Colour: term.Red})
	case r.Here:
		cells = append(cells, term.Cell{Text: st.Lang.In(" here"), Colour: term.Green})
	case r.Source:
		cells = append(cells, term.Cell{Text: st.Lang.In(" source"), Colour: term.Bold})
	}
	return append(cells, calledCell(r.Name))
}

// calledCell is what a node calls itself. It comes behind the ID and what the node is, in quotation marks that
// no name has, so that none is taken for another node or for the source.
func calledCell(name string) term.Cell {
	if name == "" {
		return term.Cell{}
	}
	return term.Cell{Text: ` "` + strings.ReplaceAll(term.Clean(name), `"`, "'") + `"`}
}

func (s Top) sortMark() string {
	if s.ASCII {
		return "*"
	}
	return "▾"
}

// keys returns the last line: the keys, and which nodes are on the screen.
func (s Top) keys(first, last, n int) string {
	var where string
	if last-first < n {
		where = s.Lang.In(fmt.Sprintf("%d-%d of %d  ", first+1, last, n))
	}
	if len(s.Channels) > 1 {
		where += s.Lang.In(fmt.Sprintf("channel %d of %d (tab)  ", s.Chosen+1, len(s.Channels)))
	}
	return s.Line([]term.Cell{{Text: where, Colour: term.Bold}, {Text: s.Lang.In("q quit  sort: h hop, d delay, l loss, u upload  j k scroll"), Colour: term.Faint}})
}

// bounded leaves out lines that do not fit on the screen, but keeps the last one.
func (s Top) bounded(lines []string) []string {
	if s.Height == 0 || len(lines) <= s.Height {
		return lines
	}
	return append(lines[:max(0, s.Height-1):max(0, s.Height-1)], lines[len(lines)-1])
}

// Tables draws all channels, one below the other, for output that is not a terminal.
func Tables(st term.Style, channels []api.TopChannel) []string {
	var out []string
	for i := range channels {
		if i > 0 {
			out = append(out, "")
		}
		out = append(out, Top{Style: st, Channels: channels, Chosen: i, Order: ByHop}.Lines()...)
	}
	if len(channels) == 0 {
		out = Top{Style: st}.Lines()
	}
	return out
}
