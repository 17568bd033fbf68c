package term

import (
	"math"
	"strings"
)

// Piece is one part of a status line.
type Piece struct {
	Text   string
	Colour string // "" for none
	Keep   int    // the piece with the lowest goes first when the line is too wide; Always stays
	Comma  bool   // a comma, not a blank, parts it from the piece in front
}

// Always is the Keep of a piece that may be cut but never left out.
const Always = 1 << 10

// StatusLine is a status line as groups of pieces.
type StatusLine [][]Piece

// Draw fits the line into one row of the terminal. It drops whole pieces before it cuts one. It
// leaves the last column empty, because text there makes some terminals wrap.
func (l StatusLine) Draw(st Style) string {
	l = l.in(st)
	room := math.MaxInt
	if st.Width > 0 {
		room = max(1, st.Width-1)
	}
	gone := math.MinInt
	for l.width(gone) > room {
		next := Always
		for _, g := range l {
			for _, p := range g {
				if p.Keep > gone {
					next = min(next, p.Keep)
				}
			}
		}
		if next == Always {
			break
		}
		gone = next
	}
	var b strings.Builder
	l.walk(gone, func(between string, p Piece) {
		text := between + p.Text
		if n := columns(text); n > room {
			text = cut(text, max(0, room-1))
			if room > 0 {
				text += st.Pick("…", "~")
			}
			room = 0
		} else {
			room -= n
		}
		if st.Colour && p.Colour != "" && text != "" {
			text = strings.Replace(text, p.Text, p.Colour+p.Text+Plain, 1)
		}
		b.WriteString(text)
	})
	return b.String()
}

// in is the line in the style's language.
func (l StatusLine) in(st Style) StatusLine {
	if st.Lang == nil {
		return l
	}
	var out StatusLine
	for _, g := range l {
		var said []Piece
		for _, p := range g {
			p.Text = st.Lang.In(p.Text)
			said = append(said, p)
		}
		out = append(out, said)
	}
	return out
}

// walk calls visit for each piece that stays, with the text between it and the previous one.
func (l StatusLine) walk(gone int, visit func(between string, p Piece)) {
	first := true
	for _, g := range l {
		begins := true // the piece begins the group
		for _, p := range g {
			if p.Text == "" || p.Keep <= gone {
				continue
			}
			between := " "
			switch {
			case first:
				between = ""
			case begins:
				between = " | "
			case p.Comma:
				between = ", "
			}
			visit(between, p)
			first, begins = false, false
		}
	}
}

func (l StatusLine) width(gone int) int {
	n := 0
	l.walk(gone, func(between string, p Piece) { n += columns(between + p.Text) })
	return n
}
