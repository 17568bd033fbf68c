package cli

import (
	"fmt"
	"strings"
	"time"

	"relay/cli/term"
	"relay/ingest/flv"
	"relay/playback/api"
)

// media is what a status line tells of a stream.
type media struct {
	Info    flv.Info
	BitRate int           // bit/s; 0 if not known
	Key     time.Duration // between keyframes; 0 if not known
}

func (m media) pieces() []term.Piece {
	p := []term.Piece{
		{Text: pictureText(m.Info), Keep: 4},
		{Text: codecsText(m.Info), Keep: 3},
	}
	if m.BitRate > 0 {
		p = append(p, term.Piece{Text: term.RateText(m.BitRate), Keep: 8})
	}
	if m.Key > 0 {
		k := term.Piece{Text: fmt.Sprintf("key %.1fs", m.Key.Seconds()), Keep: 5}
		if m.Key > keyframeMost {
			k.Colour = term.Yellow
		}
		p = append(p, k)
	}
	return p
}

// indicator is the piece in front.
func indicator(st term.Style, lit bool, text, colour string) term.Piece {
	sign := st.Pick("○", "o")
	if lit {
		sign = st.Pick("●", "*")
	}
	return term.Piece{Text: sign + " " + text, Colour: colour, Keep: term.Always}
}

// sourceStatus is what the status line of relay source tells.
type sourceStatus struct {
	State             api.State
	Media             media
	Direct, Watching  int           // children; all nodes below, and the players here
	Up, UpNear, Limit int           // bit/s to children: beyond this network, within it, and --upload; 0 for none
	Delay             time.Duration // of the node farthest behind; 0 if not known
}

func (a sourceStatus) line(st term.Style) term.StatusLine {
	var l term.StatusLine
	switch a.State {
	case api.Live:
		l = term.StatusLine{append([]term.Piece{indicator(st, true, "LIVE", term.Green)}, a.Media.pieces()...)}
	case api.Waiting:
		l = term.StatusLine{{indicator(st, false, "WAITING for the encoder", term.Yellow)}}
	default:
		l = term.StatusLine{{indicator(st, false, "NO ENCODER", term.Red), {Text: "viewers stay connected", Comma: true, Keep: 1}}}
	}
	l = append(l, []term.Piece{{Text: fmt.Sprintf("%d direct, %d watching", a.Direct, a.Watching), Keep: 9}})
	up := term.Piece{Keep: 7}
	switch {
	case a.Limit > 0:
		up.Text = "up " + shareText(a.Up, a.Limit)
		if a.Up > a.Limit {
			up.Colour = term.Yellow
		}
	case a.Up > 0:
		up.Text = "up " + term.RateText(a.Up)
	}
	near := term.Piece{Keep: 2, Comma: true}
	if a.UpNear > 0 {
		near.Text = "LAN " + term.RateText(a.UpNear)
	}
	l = append(l, []term.Piece{up, near})
	if a.Delay > 0 {
		l = append(l, []term.Piece{{Text: "delay " + shortDelay(a.Delay), Keep: 6}})
	}
	return l
}

// watchStatus is what the status line of relay watch tells.
type watchStatus struct {
	State             api.State
	Alone             time.Duration // how long there has been no parent; 0 if there is one
	Media             media
	Delay             time.Duration // behind the source; 0 if not known
	Depth             int
	Parent            string
	Lost              uint64 // chunks
	Children, Players int
}

func (s watchStatus) line(st term.Style) term.StatusLine {
	var l term.StatusLine
	switch {
	case s.Alone > 0:
		l = term.StatusLine{{indicator(st, false, "NOT CONNECTED", term.Red), {Text: fmt.Sprintf("for %.0f s", s.Alone.Seconds()), Keep: 8}, {Text: "looking for a way in", Comma: true, Keep: 1}}}
	case s.State == api.Live:
		l = term.StatusLine{append([]term.Piece{indicator(st, true, "LIVE", term.Green)}, s.Media.pieces()...)}
		if s.Delay > 0 {
			l = append(l, []term.Piece{{Text: "delay " + shortDelay(s.Delay), Keep: 9}})
		}
	default:
		l = term.StatusLine{{indicator(st, false, "WAITING for the source to send", term.Yellow)}}
	}
	if s.Alone == 0 {
		l = append(l, []term.Piece{{Text: fmt.Sprintf("depth %d", s.Depth), Keep: 7}, {Text: "child of " + s.Parent, Keep: 2, Comma: true}})
	}
	lost := term.Piece{Text: fmt.Sprintf("lost %d", s.Lost), Keep: 6}
	if s.Lost > 0 {
		lost.Colour = term.Yellow
	}
	return append(l, []term.Piece{lost}, []term.Piece{
		{Text: term.Plural(s.Children, "child", "children"), Keep: 5},
		{Text: term.Counted(int64(s.Players), "player"), Keep: 4, Comma: true},
	})
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
