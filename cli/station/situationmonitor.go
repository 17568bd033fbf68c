package station

import (
	"time"

	"relay/playback/api"
)

// situationEvery is how often it is looked at what a viewer sees: the channel's goroutine is asked for that.
const situationEvery = time.Second

// situationMonitor follows what a viewer sees of one channel. Its zero value has seen nothing.
type situationMonitor struct {
	name api.SituationName
	next time.Time // to look
}

// due reports whether it is time to look.
func (m *situationMonitor) due(now time.Time) bool {
	if now.Before(m.next) {
		return false
	}
	m.next = now.Add(situationEvery)
	return true
}

// look returns the event that the situation is another one now, if it is.
func (m *situationMonitor) look(s api.Situation) []api.Event {
	if s.Name == m.name {
		return nil
	}
	m.name = s.Name
	return []api.Event{{Type: api.EventSituation, Situation: &s}}
}
