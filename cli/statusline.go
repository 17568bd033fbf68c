package cli

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"relay/ingest/flv"
	"relay/playback"
)

// style is what a terminal can show.
type style struct {
	width  int // columns; 0 for no bound
	ascii  bool
	colour bool
}

// piece is a part of a status line.
type piece struct {
	text   string
	colour string // "" for none
	keep   int    // the lowest goes first when the line is too wide; always stays
	comma  bool   // from the piece in front of it, instead of a blank
}

// always is the keep of a piece that is cut at worst.
const always = 1 << 10

// statusLine is groups of pieces.
type statusLine [][]piece

// draw puts the line into one row of the terminal. It gives up whole pieces before it
// cuts one, and the last column, which makes some terminals wrap.
func (l statusLine) draw(st style) string {
	room := math.MaxInt
	if st.width > 0 {
		room = max(1, st.width-1)
	}
	gone := math.MinInt
	for l.width(gone) > room {
		next := always
		for _, g := range l {
			for _, p := range g {
				if p.keep > gone {
					next = min(next, p.keep)
				}
			}
		}
		if next == always {
			break
		}
		gone = next
	}
	var b strings.Builder
	l.walk(gone, func(between string, p piece) {
		text := between + p.text
		if n := utf8.RuneCountInString(text); n > room {
			text = string([]rune(text)[:max(0, room-1)])
			if room > 0 {
				text += st.pick("…", "~")
			}
			room = 0
		} else {
			room -= n
		}
		if st.colour && p.colour != "" && text != "" {
			text = strings.Replace(text, p.text, p.colour+p.text+plain, 1)
		}
		b.WriteString(text)
	})
	return b.String()
}

// walk calls visit for each piece that stays, with what goes between it and the last.
func (l statusLine) walk(gone int, visit func(between string, p piece)) {
	first := true
	for _, g := range l {
		begins := true // the group
		for _, p := range g {
			if p.text == "" || p.keep <= gone {
				continue
			}
			between := " "
			switch {
			case first:
				between = ""
			case begins:
				between = " | "
			case p.comma:
				between = ", "
			}
			visit(between, p)
			first, begins = false, false
		}
	}
}

func (l statusLine) width(gone int) int {
	n := 0
	l.walk(gone, func(between string, p piece) { n += utf8.RuneCountInString(between + p.text) })
	return n
}

// pick returns the one of two texts that the terminal can show.
func (st style) pick(unicode, ascii string) string {
	if st.ascii {
		return ascii
	}
	return unicode
}

// lamp is the piece in front.
func (st style) lamp(lit bool, text, colour string) piece {
	sign := st.pick("○", "o")
	if lit {
		sign = st.pick("●", "*")
	}
	return piece{text: sign + " " + text, colour: colour, keep: always}
}

// media is what a status line tells of a stream.
type media struct {
	Info    flv.Info
	BitRate int           // bit/s; 0 if not known
	Key     time.Duration // between keyframes; 0 if not known
}

func (m media) pieces() []piece {
	p := []piece{
		{text: pictureText(m.Info), keep: 4},
		{text: codecsText(m.Info), keep: 3},
	}
	if m.BitRate > 0 {
		p = append(p, piece{text: rateText(m.BitRate), keep: 8})
	}
	if m.Key > 0 {
		k := piece{text: fmt.Sprintf("key %.1fs", m.Key.Seconds()), keep: 5}
		if m.Key > keyframeMost {
			k.colour = yellow
		}
		p = append(p, k)
	}
	return p
}

// onAir is what the status line of relay source tells.
type onAir struct {
	State             playback.State
	Media             media
	Direct, Watching  int           // children; all nodes below, and the players here
	Up, UpNear, Limit int           // bit/s to children: beyond this network, within it, and --upload; 0 for none
	Delay             time.Duration // of the node farthest behind; 0 if not known
}

func (a onAir) line(st style) statusLine {
	var l statusLine
	switch a.State {
	case playback.Live:
		l = statusLine{append([]piece{st.lamp(true, "LIVE", green)}, a.Media.pieces()...)}
	case playback.Waiting:
		l = statusLine{{st.lamp(false, "WAITING for the encoder", yellow)}}
	default:
		l = statusLine{{st.lamp(false, "NO ENCODER", red), {text: "viewers stay connected", comma: true, keep: 1}}}
	}
	l = append(l, []piece{{text: fmt.Sprintf("%d direct, %d watching", a.Direct, a.Watching), keep: 9}})
	up := piece{keep: 7}
	switch {
	case a.Limit > 0:
		up.text = "up " + shareText(a.Up, a.Limit)
		if a.Up > a.Limit {
			up.colour = yellow
		}
	case a.Up > 0:
		up.text = "up " + rateText(a.Up)
	}
	near := piece{keep: 2, comma: true}
	if a.UpNear > 0 {
		near.text = "LAN " + rateText(a.UpNear)
	}
	l = append(l, []piece{up, near})
	if a.Delay > 0 {
		l = append(l, []piece{{text: "delay " + shortDelay(a.Delay), keep: 6}})
	}
	return l
}

// seat is what the status line of relay watch tells.
type seat struct {
	State             playback.State
	Alone             time.Duration // how long there has been no parent; 0 if there is one
	Media             media
	Delay             time.Duration // behind the source; 0 if not known
	Depth             int
	Parent            string
	Lost              uint64 // chunks
	Children, Players int
}

func (s seat) line(st style) statusLine {
	var l statusLine
	switch {
	case s.Alone > 0:
		l = statusLine{{st.lamp(false, "NOT CONNECTED", red), {text: fmt.Sprintf("for %.0f s", s.Alone.Seconds()), keep: 8}, {text: "looking for a way in", comma: true, keep: 1}}}
	case s.State == playback.Live:
		l = statusLine{append([]piece{st.lamp(true, "LIVE", green)}, s.Media.pieces()...)}
		if s.Delay > 0 {
			l = append(l, []piece{{text: "delay " + shortDelay(s.Delay), keep: 9}})
		}
	default:
		l = statusLine{{st.lamp(false, "WAITING for the source to send", yellow)}}
	}
	if s.Alone == 0 {
		l = append(l, []piece{{text: fmt.Sprintf("depth %d", s.Depth), keep: 7}, {text: "child of " + s.Parent, keep: 2, comma: true}})
	}
	lost := piece{text: fmt.Sprintf("lost %d", s.Lost), keep: 6}
	if s.Lost > 0 {
		lost.colour = yellow
	}
	return append(l, []piece{lost}, []piece{
		{text: children(s.Children), keep: 5},
		{text: counted(int64(s.Players), "player"), keep: 4, comma: true},
	})
}

func children(n int) string {
	if n == 1 {
		return "1 child"
	}
	return fmt.Sprintf("%d children", n)
}

// shareText writes a rate and its bound in the bound's unit: "18 of 40 Mb/s".
func shareText(rate, bound int) string {
	unit, name := 1e3, "kb/s"
	switch {
	case bound >= 1e9:
		unit, name = 1e9, "Gb/s"
	case bound >= 1e6:
		unit, name = 1e6, "Mb/s"
	}
	figure := func(bps int) string {
		v := float64(bps) / unit
		if v < 9.95 {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
		}
		return fmt.Sprintf("%.0f", v)
	}
	return figure(rate) + " of " + figure(bound) + " " + name
}

// shortDelay writes a delay in one figure: tenths of a second, below one milliseconds.
func shortDelay(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%d ms", max(1, d.Milliseconds()))
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
