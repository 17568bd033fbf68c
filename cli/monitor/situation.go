package monitor

import (
	"time"

	"relay/playback/api"
)

// situationEvery is how often it is looked at what a viewer sees: the channel's goroutine is asked for that.
const situationEvery = time.Second

// Situation follows what a viewer sees of one channel. Its zero value has seen nothing.
type Situation struct {
	name api.SituationName
	next time.Time // to look
}

// Due reports whether it is time to look.
func (m *Situation) Due(now time.Time) bool {
	if now.Before(m.next) {
		return false
	}
	m.next = now.Add(situationEvery)
	return true
}

// Look returns the event that the situation is another one now, if it is.
func (m *Situation) Look(s api.Situation) []api.Event {
	if s.Name == m.name {
		return nil
	}
	m.name = s.Name
	return []api.Event{{Type: api.EventSituation, Situation: &s}}
}
