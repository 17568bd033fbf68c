package term

import (
	"math"
	"strings"
	"unicode/utf8"
)

// Piece is a part of a status line.
type Piece struct {
	Text   string
	Colour string // "" for none
	Keep   int    // the lowest goes first when the line is too wide; Always stays
	Comma  bool   // from the piece in front of it, instead of a blank
}

// Always is the Keep of a piece that is cut at worst.
const Always = 1 << 10

// StatusLine is groups of pieces.
type StatusLine [][]Piece

// Draw puts the line into one row of the terminal. It gives up whole pieces before it
// cuts one, and the last column, which makes some terminals wrap.
func (l StatusLine) Draw(st Style) string {
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
		if n := utf8.RuneCountInString(text); n > room {
			text = string([]rune(text)[:max(0, room-1)])
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

// walk calls visit for each piece that stays, with what goes between it and the last.
func (l StatusLine) walk(gone int, visit func(between string, p Piece)) {
	first := true
	for _, g := range l {
		begins := true // the group
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
	l.walk(gone, func(between string, p Piece) { n += utf8.RuneCountInString(between + p.Text) })
	return n
}
