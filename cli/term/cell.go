package term

import "strings"

// Cell is one part of a line.
type Cell struct {
	Text   string // safe to print
	Colour string // one of the codes in style.go; "" for none
	Right  bool   // the table aligns it to the right of its column
}

// Fit makes cells exactly w columns wide.
func (st Style) Fit(cells []Cell, w int) []Cell {
	cells = st.cut(cells, w)
	return append(cells, Cell{Text: strings.Repeat(" ", w-Width(cells...))})
}

// cut makes cells at most w columns wide.
func (st Style) cut(cells []Cell, w int) []Cell {
	if Width(cells...) <= w {
		return cells
	}
	var out []Cell
	room := w - 1
	for _, c := range cells {
		if n := Width(c); n > room {
			c.Text = cut(c.Text, max(room, 0))
			return append(out, c, Cell{Text: st.Pick("…", "~")})
		}
		room -= Width(c)
		out = append(out, c)
	}
	return out
}

// Line joins cells into a line that is at most as wide as the terminal.
func (st Style) Line(cells []Cell) string {
	if st.Width > 0 {
		cells = st.cut(cells, st.Width)
	}
	var b strings.Builder
	for _, c := range cells {
		if st.Colour && c.Colour != "" && c.Text != "" {
			b.WriteString(c.Colour + c.Text + Plain)
		} else {
			b.WriteString(c.Text)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// Width returns how many columns cells take.
func Width(cells ...Cell) int {
	n := 0
	for _, c := range cells {
		n += columns(c.Text)
	}
	return n
}
