package words

import (
	"slices"
	"time"

	"relay/playback/api"
)

// Told says to people what a viewer sees where there is no status line to redraw, once for each change. Its zero
// value has said nothing. What is said of a search for a parent, and why it takes so long, is [Joining]'s.
type Told struct {
	Live bool // say too that it is live again
	name api.SituationName
}

// worthALine are the situations of which nobody else tells.
var worthALine = []api.SituationName{api.Waits, api.Paused, api.SourceAway, api.Over, api.Disconnected}

// Note returns the sentences to say now, "" for nothing.
func (t *Told) Note(s api.Situation, source, private bool, now time.Time) string {
	if s.Name == t.name {
		return ""
	}
	before := t.name
	t.name = s.Name
	if t.Live && s.Name == api.OnAir && slices.Contains(worthALine, before) {
		return Situation(s, source, private, now).Text
	}
	if !slices.Contains(worthALine, s.Name) {
		return ""
	}
	says := Situation(s, source, private, now)
	return says.Text + " " + says.Next
}
