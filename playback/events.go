package playback

import (
	"errors"
	"sync"
	"time"

	"relay/playback/api"
)

const (
	// eventsKept is how many events are held for readers that are behind or come
	// back: minutes of a busy node, in about 100 KB.
	eventsKept = 512
	// maxReaders is how many may read events at once: more tabs than anyone keeps
	// open, and few enough to leave connections for others.
	maxReaders = 128
	// limitEvery is the least time between two events about the same limit: a crowd that
	// is turned away must not push everything else out.
	limitEvery = 10 * time.Second
	// maxLimits bounds how many limits are remembered: a list of channels that keeps
	// changing must not make their number grow for ever. Beyond it, all are forgotten and
	// may be told again.
	maxLimits = 1024
)

// errTooMany refuses a reader beyond maxReaders.
var errTooMany = errors.New("as many programs as may follow the events do so already")

// Events is a bounded memory of what happened at a node. Readers follow it, each at its own
// pace; whoever tells an event never waits for one. Its zero value is ready. It is safe for
// concurrent use; a nil one forgets everything.
type Events struct {
	mu      sync.Mutex
	kept    []api.Event // a ring: event seq is at (seq-1) % eventsKept
	head    uint64      // the newest one's Seq
	notify  chan struct{}
	readers int
	limits  map[limitKey]*limit
	also    *Events // gets each event too; nil for none
}

// limitKey says what makes two limits the same.
type limitKey struct{ channel, who, reason string }

type limit struct {
	told  time.Time
	quiet uint64 // how many there were since then
}

// Tell adds an event. It sets Seq, and Time unless that is given.
func (s *Events) Tell(e api.Event) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	if e.Type == api.EventLimit && !s.worthTelling(&e) {
		return
	}
	s.add(e)
	if s.also != nil {
		s.also.pass(e)
	}
}

// Forward gives to each event that s gets from now on, and first those that s holds. to
// numbers them anew. Call it once.
func (s *Events) Forward(to *Events) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.also = to
	for i := range s.kept {
		to.pass(s.kept[(s.head+uint64(i))%uint64(len(s.kept))])
	}
}

// pass adds an event that Tell has let through already.
func (s *Events) pass(e api.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(e)
}

// add is called with mu held.
func (s *Events) add(e api.Event) {
	s.head++
	e.Seq, e.Time = s.head, e.Time.UTC().Truncate(time.Millisecond)
	if len(s.kept) < eventsKept {
		s.kept = append(s.kept, e)
	} else {
		s.kept[(e.Seq-1)%eventsKept] = e
	}
	if s.notify != nil {
		close(s.notify)
		s.notify = nil
	}
}

// worthTelling reports whether limitEvery has passed since the same limit was told, and
// sets in the event how many it stands for.
func (s *Events) worthTelling(e *api.Event) bool {
	k := limitKey{e.Channel, e.Who, e.Reason}
	l := s.limits[k]
	if l == nil {
		if s.limits == nil || len(s.limits) >= maxLimits {
			s.limits = make(map[limitKey]*limit)
		}
		l = &limit{told: e.Time.Add(-limitEvery)}
		s.limits[k] = l
	}
	l.quiet++
	if e.Time.Sub(l.told) < limitEvery {
		return false
	}
	e.Count = l.quiet
	l.told, l.quiet = e.Time, 0
	return true
}

// Head returns the newest event's Seq, 0 if there was none.
func (s *Events) Head() uint64 {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head
}

// Follow returns a reader of the events behind number after, as far as they are held. It
// fails if there are too many readers. The reader must be closed.
func (s *Events) Follow(after uint64) (*EventReader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readers >= maxReaders {
		return nil, errTooMany
	}
	s.readers++
	// A number from another run of the program means nothing in this one.
	return &EventReader{events: s, at: min(after, s.head)}, nil
}

// EventReader is one reader's place among the events. It belongs to one goroutine.
type EventReader struct {
	events *Events
	at     uint64 // the newest one read
	closed bool
}

// Next returns the next event, or a channel that is closed when there is one. A reader
// that has fallen behind what is held gets an [api.EventMissed].
func (r *EventReader) Next() (api.Event, <-chan struct{}) {
	s := r.events
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.at == s.head {
		if s.notify == nil {
			s.notify = make(chan struct{})
		}
		return api.Event{}, s.notify
	}
	if oldest := s.head - uint64(len(s.kept)) + 1; r.at+1 < oldest {
		missed := oldest - r.at - 1
		r.at = oldest - 1
		return api.Event{Type: api.EventMissed, Time: time.Now(), Count: missed}, nil
	}
	r.at++
	return s.kept[(r.at-1)%eventsKept], nil
}

// Close gives the reader's place to another. It can be called more than once.
func (r *EventReader) Close() {
	if r.closed {
		return
	}
	r.closed = true
	r.events.mu.Lock()
	defer r.events.mu.Unlock()
	r.events.readers--
}
