package words

import (
	"slices"
	"time"

	"relay/cli/term"
	"relay/playback/api"
)

// Told says to people what a viewer sees where there is no status line to redraw, once for each change. Its zero
// value has said nothing. What is said of a search for a parent, and why it takes so long, is [Joining]'s.
type Told struct {
	Live   bool // say too that it is live again
	Silent bool // say nothing
	name   api.SituationName
}

// worthALine are the situations of which nobody else tells.
var worthALine = []api.SituationName{api.Waits, api.Paused, api.SourceAway, api.Over, api.Disconnected}

// worthALineAtSource are those that whoever broadcasts has to know of, and that the greeting has not told.
var worthALineAtSource = []api.SituationName{api.Paused, api.Stuck}

// Tell says what Note returns.
func (t *Told) Tell(out *term.Terminal, s api.Situation, source, private bool, now time.Time) {
	if says := t.Note(s, source, private, now); says != "" {
		out.Say("%s", says)
	}
}

// Note returns the sentences to say now, "" for nothing.
func (t *Told) Note(s api.Situation, source, private bool, now time.Time) string {
	if s.Name == t.name || t.Silent {
		return ""
	}
	before := t.name
	t.name = s.Name
	if t.Live && s.Name == api.OnAir && slices.Contains(worthALine, before) {
		return Situation(s, source, private, now).Text
	}
	worth := worthALine
	if source {
		worth = worthALineAtSource
	}
	if !slices.Contains(worth, s.Name) {
		return ""
	}
	says := Situation(s, source, private, now)
	return says.Text + " " + says.Next
}
