package words

import (
	"fmt"
	"strings"
	"time"

	"relay/cli/term"
	"relay/ingest/flv"
	"relay/playback/api"
	"relay/relay/stream"
	"relay/tree"
)

// mediaPieces describes a stream; key is the time between keyframes, 0 if not known.
func mediaPieces(i flv.Info, bitRate int, key time.Duration) []term.Piece {
	p := []term.Piece{
		{Text: pictureText(i), Keep: 4},
		{Text: codecsText(i), Keep: 3},
	}
	if bitRate > 0 {
		p = append(p, term.Piece{Text: term.RateText(bitRate), Keep: 8})
	}
	if key > 0 {
		k := term.Piece{Text: fmt.Sprintf("key %.1fs", key.Seconds()), Keep: 5}
		if key > keyframeMost {
			k.Colour = term.Yellow
		}
		p = append(p, k)
	}
	return p
}

// indicator returns the piece at the start of the line.
func indicator(st term.Style, lit bool, text, colour string) term.Piece {
	sign := st.Pick("○", "o")
	if lit {
		sign = st.Pick("●", "*")
	}
	return term.Piece{Text: sign + " " + st.Lang.In(text), Colour: colour, Keep: term.Always}
}

// SourceStatus is how a source is doing. Its SourceReport must not be nil.
type SourceStatus struct {
	State     api.State
	Situation api.Situation
	Now       time.Time
	Info      flv.Info
	api.Report
}

// Event is the status for programs.
func (a SourceStatus) Event(id stream.ChannelID) api.Event {
	return api.Event{Type: api.EventStatus, Channel: id.String(), Name: id.Short(), State: string(a.State), Situation: &a.Situation, Report: &a.Report}
}

// Crowd is how many take the stream from the source, and how many watch everywhere.
func (a SourceStatus) Crowd() string {
	watching := 0
	if a.Watching != nil {
		watching = *a.Watching
	}
	return fmt.Sprintf("%d direct, %d watching", a.Direct, watching)
}

// Line is the status for people.
func (a SourceStatus) Line(st term.Style) term.StatusLine {
	l := term.StatusLine{sourcePieces(st, a.Situation, a.Now)}
	if a.Situation.Name == api.OnAir {
		l[0] = append(l[0], mediaPieces(a.Info, a.BitRate, milliseconds(a.KeyIntervalMs))...)
	}
	l = append(l, []term.Piece{{Text: a.Crowd(), Keep: 9}})
	if d := droppedText(a.DroppedTags); d != "" {
		l = append(l, []term.Piece{{Text: d, Colour: term.Yellow, Keep: 5}})
	}
	up := term.Piece{Keep: 7}
	switch {
	case a.UploadLimitBPS > 0:
		up.Text = "up " + shareText(a.UploadBPS, a.UploadLimitBPS)
		if a.UploadBPS > a.UploadLimitBPS {
			up.Colour = term.Yellow
		}
	case a.UploadBPS > 0:
		up.Text = "up " + term.RateText(a.UploadBPS)
	}
	near := term.Piece{Keep: 2, Comma: true}
	if a.UploadLANBPS > 0 {
		near.Text = "LAN " + term.RateText(a.UploadLANBPS)
	}
	l = append(l, []term.Piece{up, near})
	if a.DelayMs > 0 {
		l = append(l, []term.Piece{{Text: "delay " + shortDelay(milliseconds(a.DelayMs)), Keep: 6}})
	}
	return l
}

// WatchStatus is how a watcher is doing. Its WatchReport must not be nil.
type WatchStatus struct {
	State     api.State
	Situation api.Situation
	Private   bool
	Now       time.Time
	Info      flv.Info
	Attached  bool   // there is a parent, which has a way to the source
	Why       string // there is none; "" if that is not known
	Depth     int
	Parent    tree.Place // zero if there is none
	// ParentName is what the parent calls itself; may be empty.
	ParentName string
	Reach      tree.Reach // of this node
	api.Report
}

// Event is the status for programs.
func (s WatchStatus) Event(id stream.ChannelID) api.Event {
	parent := ""
	if !s.Parent.ID.IsZero() {
		parent = s.Parent.ID.Tag()
	}
	return api.Event{
		Type: api.EventStatus, Channel: id.String(), Name: id.Short(), State: string(s.State), Situation: &s.Situation, Depth: &s.Depth, Parent: &parent, Report: &s.Report,
	}
}

// Line is the status for people.
func (s WatchStatus) Line(st term.Style) term.StatusLine {
	l := term.StatusLine{situationPieces(st, s.Situation, s.Private, s.Why, s.Now)}
	if s.Situation.Name == api.OnAir {
		l[0] = append(l[0], mediaPieces(s.Info, s.BitRate, 0)...)
		if s.DelayMs > 0 {
			l = append(l, []term.Piece{{Text: "delay " + shortDelay(milliseconds(s.DelayMs)), Keep: 9}})
		}
	}
	if s.Attached {
		l = append(l, []term.Piece{{Text: fmt.Sprintf("depth %d", s.Depth), Keep: 7}, {Text: "child of " + named(s.ParentName, Place(s.Parent)), Keep: 2, Comma: true}})
	}
	lost := term.Piece{Text: fmt.Sprintf("lost %d", s.Lost), Keep: 6}
	if s.Lost > 0 {
		lost.Colour = term.Yellow
	}
	l = append(l, []term.Piece{lost})
	if left := leftText(s.Left); left != "" {
		l = append(l, []term.Piece{{Text: left, Colour: term.Yellow, Keep: 3}})
	}
	switch s.Reach {
	case tree.Punchable:
		l = append(l, []term.Piece{{Text: "reached half-way", Keep: 3}})
	case tree.Closed:
		l = append(l, []term.Piece{{Text: "not reached", Keep: 3}})
	}
	crowd := []term.Piece{{Text: term.Plural(s.Children, "child", "children"), Keep: 4}}
	switch {
	case s.Watching == nil:
		crowd = append(crowd, term.Piece{Text: term.Counted(int64(s.Players), "player"), Keep: 4, Comma: true})
	case s.Players == 0 || s.Players == *s.Watching:
		crowd = append(crowd, term.Piece{Text: fmt.Sprintf("%d watching", *s.Watching), Keep: 5, Comma: true})
	default:
		crowd = append(crowd,
			term.Piece{Text: fmt.Sprintf("%d watching", *s.Watching), Keep: 5, Comma: true},
			term.Piece{Text: fmt.Sprintf("%d here", s.Players), Keep: 3, Comma: true})
	}
	return append(l, crowd)
}

// named is a node's name, or what else it is known by if it has none.
func named(name, other string) string {
	if name == "" {
		return other
	}
	return `"` + term.Clean(name) + `"`
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

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// shortDelay writes a delay in one unit: tenths of a second, or milliseconds below one second.
func shortDelay(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
