package cli

import (
	"fmt"
	"strconv"
	"strings"

	"relay/cli/term"
)

const (
	// topRoomy is from how many lines the summary is shown: below, the nodes need them.
	topRoomy = 10
	// topName is the width of a node's column, and topNameMin what is left of it on a
	// narrow screen: its ID and a mark.
	topName    = 16
	topNameMin = 9
)

// topScreen is everything that a picture of relay top depends on.
type topScreen struct {
	term.Style
	height   int // lines; 0 for no bound, and then no line about keys
	channels []topChannel
	chosen   int // of channels
	order    topOrder
	offset   int    // nodes above the first one shown
	trouble  string // why the figures are old; "" if they are not
	clock    string // time of day; "" to leave it out
}

// topColumn is one column of the table.
type topColumn struct {
	head  string
	order topOrder // that sorts by it; 0 for none
	need  int      // the columns of the greatest need go first where there is no room
	cell  func(topRow) term.Cell
}

var topColumns = []topColumn{
	{"HOP", byHop, 1, func(r topRow) term.Cell { return term.Cell{Text: strconv.Itoa(r.Hop), Right: true} }},
	{"DELAY", byDelay, 2, func(r topRow) term.Cell {
		if r.DelayMs == nil {
			return term.Cell{Text: "-", Right: true}
		}
		return term.Cell{Text: term.DelayText(*r.DelayMs), Right: true}
	}},
	{"LOST", byLoss, 4, func(r topRow) term.Cell {
		c := term.Cell{Text: strconv.FormatInt(r.Lost, 10), Right: true}
		switch {
		case r.losing:
			c.Colour = term.Red
		case r.Lost > 0:
			c.Colour = term.Yellow
		}
		return c
	}},
	{"DOWN", 0, 9, func(r topRow) term.Cell { return term.Cell{Text: shortRate(r.DownBPS), Right: true} }},
	{"UP", byUpload, 3, func(r topRow) term.Cell {
		c := term.Cell{Text: shortRate(r.UpBPS), Right: true}
		if r.CapBPS != nil && r.UpBPS != nil && *r.UpBPS > *r.CapBPS {
			c.Colour = term.Yellow
		}
		return c
	}},
	{"CAP", 0, 6, func(r topRow) term.Cell { return term.Cell{Text: shortRate(r.CapBPS), Right: true} }},
	{"SLOTS", 0, 5, func(r topRow) term.Cell {
		c := term.Cell{Text: fmt.Sprintf("%d/%d", r.Children, r.Slots), Right: true}
		if r.Slots > 0 && r.Children >= r.Slots {
			c.Colour = term.Yellow
		}
		return c
	}},
	{"AGE", 0, 7, func(r topRow) term.Cell {
		if r.AgeS == nil {
			return term.Cell{Text: "-", Right: true}
		}
		return term.Cell{Text: term.UptimeText(*r.AgeS), Right: true}
	}},
	{"LINK", 0, 8, func(r topRow) term.Cell { return term.Cell{Text: linkText(r)} }},
}

// linkText is how a node is connected to its parent: all links are direct, over TLS.
func linkText(r topRow) string {
	s := "TLS"
	if r.Source {
		s = "-" // it has no parent
	}
	if r.Link != "" {
		s = "TLS " + r.Link
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

// lines draws the screen: at most its height, none wider than it.
func (s topScreen) lines() []string {
	if len(s.channels) == 0 {
		out := s.top("no channel is open there")
		if s.height > 0 {
			out = append(out, s.keys(0, 0, 0))
		}
		return s.bounded(out)
	}
	c := s.channels[s.chosen]
	out := s.top(strings.TrimSpace(c.Name + " " + c.Title))
	if s.height == 0 || s.height >= topRoomy {
		out = append(out, s.summary(c)...)
	}
	rows := s.order.sorted(c.Nodes)
	first, last := s.window(len(rows), len(out))
	out = append(out, s.table(rows, first, last)...)
	if s.height > 0 {
		out = append(out, s.keys(first, last, len(rows)))
	}
	return s.bounded(out)
}

// top is the first line, and a second one if the figures are old.
func (s topScreen) top(what string) []string {
	cells := []term.Cell{{Text: "relay top  ", Colour: term.Bold}, {Text: what}}
	if s.clock != "" {
		cells = append([]term.Cell{{Text: s.clock + "  ", Colour: term.Faint}}, cells...)
	}
	out := []string{s.Line(cells)}
	if s.trouble != "" {
		out = append(out, s.Line([]term.Cell{{Text: s.trouble, Colour: term.Red}}))
	}
	return out
}

func (s topScreen) summary(c topChannel) []string {
	sum := c.Summary
	text := fmt.Sprintf("%s, %d deep, %s free, %s behind at worst, %s lost",
		term.Counted(int64(sum.Nodes), "node"), sum.MaxDepth, term.Counted(sum.SlotsFree, "slot"), term.DelayText(sum.WorstDelayMs), term.Counted(sum.Lost, "chunk"))
	if sum.Orphans > 0 {
		text += ", " + term.Counted(int64(sum.Orphans), "orphan")
	}
	if c.BitRate != nil {
		text += fmt.Sprintf(", here: %s, %s, %s", c.State, term.RateText(int(*c.BitRate)), term.Counted(int64(*c.Players), "player"))
	}
	var out []string
	for _, l := range s.WrapList(text) {
		out = append(out, s.Line([]term.Cell{{Text: l}}))
	}
	if c.Problem != "" {
		out = append(out, s.Line([]term.Cell{{Text: fmt.Sprintf("The source cannot be asked (%s); this is what %s knows.", c.Problem, shortID(c.SeenBy)), Colour: term.Yellow}}))
	}
	return append(out, "")
}

// window says which of n nodes are shown below so many lines: all without a height,
// else what fits between the headings and the line about keys, from the offset or as
// far down as the last screenful.
func (s topScreen) window(n, above int) (first, last int) {
	if s.height == 0 {
		return 0, n
	}
	room := max(1, s.height-above-2)
	first = max(0, min(s.offset, n-room))
	return first, min(n, first+room)
}

// table draws the headings and some of the nodes, with the columns for which there is
// room. The columns are as wide as all nodes need: they stay in their places while one
// scrolls.
func (s topScreen) table(rows []topRow, first, last int) []string {
	names := [][]term.Cell{{{Text: "NODE", Colour: term.Bold}}}
	for _, r := range rows {
		names = append(names, topNameCells(r))
	}
	cells := make([][]term.Cell, len(topColumns)) // of each column, the heading first
	widths := make([]int, len(topColumns))
	for i, col := range topColumns {
		head := term.Cell{Text: col.head, Colour: term.Bold, Right: col.cell(topRow{}).Right}
		if col.order != 0 && col.order == s.order {
			head.Text += s.sortMark()
		}
		cells[i] = append(cells[i], head)
		for _, r := range rows {
			cells[i] = append(cells[i], col.cell(r))
		}
		for _, c := range cells[i] {
			widths[i] = max(widths[i], term.Width(c))
		}
	}
	name, shown := s.fitColumns(widths)
	var out []string
	for line := range names {
		if line > 0 && (line-1 < first || line-1 >= last) {
			continue
		}
		all := s.Fit(names[line], name)
		for i := range topColumns {
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

// fitColumns says how wide the nodes' names are and which columns are shown beside
// them: on a narrow screen the names shrink first, then columns go.
func (s topScreen) fitColumns(widths []int) (name int, shown []bool) {
	shown = make([]bool, len(widths))
	total := topName
	for i, w := range widths {
		shown[i] = true
		total += 2 + w
	}
	name = topName
	if s.Width == 0 {
		return name, shown
	}
	for total > s.Width {
		if name > topNameMin {
			total--
			name--
			continue
		}
		worst := -1
		for i, col := range topColumns {
			if shown[i] && (worst < 0 || col.need > topColumns[worst].need) {
				worst = i
			}
		}
		if worst < 0 {
			break
		}
		shown[worst] = false
		total -= 2 + widths[worst]
	}
	name = min(topName, name+max(0, s.Width-total))
	return name, shown
}

func topNameCells(r topRow) []term.Cell {
	cells := []term.Cell{{Text: shortID(r.ID)}}
	switch {
	case r.CutOff:
		cells = append(cells, term.Cell{Text: " cut off", Colour: term.Red})
	case r.Here:
		cells = append(cells, term.Cell{Text: " here", Colour: term.Green})
	case r.Source:
		cells = append(cells, term.Cell{Text: " source", Colour: term.Bold})
	}
	return cells
}

func (s topScreen) sortMark() string {
	if s.ASCII {
		return "*"
	}
	return "▾"
}

// keys is the last line: what can be pressed, and where one is.
func (s topScreen) keys(first, last, n int) string {
	var where string
	if last-first < n {
		where = fmt.Sprintf("%d-%d of %d  ", first+1, last, n)
	}
	if len(s.channels) > 1 {
		where += fmt.Sprintf("channel %d of %d (tab)  ", s.chosen+1, len(s.channels))
	}
	return s.Line([]term.Cell{{Text: where, Colour: term.Bold}, {Text: "q quit  sort: h hop, d delay, l loss, u upload  j k scroll", Colour: term.Faint}})
}

// bounded leaves out what does not fit the screen, but for the last line.
func (s topScreen) bounded(lines []string) []string {
	if s.height == 0 || len(lines) <= s.height {
		return lines
	}
	return append(lines[:max(0, s.height-1):max(0, s.height-1)], lines[len(lines)-1])
}

// topTables draws all channels, one below the other, for what is no terminal.
func topTables(st term.Style, channels []topChannel) []string {
	var out []string
	for i := range channels {
		if i > 0 {
			out = append(out, "")
		}
		out = append(out, topScreen{Style: st, channels: channels, chosen: i, order: byHop}.lines()...)
	}
	if len(channels) == 0 {
		out = topScreen{Style: st}.lines()
	}
	return out
}
