package ingest

import (
	"errors"
	"sync"
	"time"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// The header that is built here must fit a header of the channel.
var _ [stream.MaxHeaderPayload - flv.MaxHeader]struct{}

// Why an encoder is not taken.
var (
	// ErrBusy refuses a second encoder while one is sending; see [Mux.Open].
	ErrBusy = errors.New("another encoder is sending")
	// ErrDenied refuses an encoder whose address or key is wrong.
	ErrDenied = errors.New("no such stream key")
	// ErrEnded refuses a tag after the end of its session.
	ErrEnded = errors.New("the session has ended")
)

// takeoverAfter is how long an encoder must have sent nothing for another to take
// its place: one whose connection broke without a word comes back within seconds and
// has the right key again. Encoders send audio many times a second; 2 s is more than
// a network's hiccup and less than the patience of whoever looks at the encoder.
const takeoverAfter = 2 * time.Second

// Opener begins a session, or refuses with [ErrBusy] or [ErrDenied].
// [Mux.Open] is one.
type Opener func() (*Session, error)

// Mux joins the runs of one source's encoders to a single stream. It is safe for
// concurrent use.
type Mux struct {
	writer *stream.Writer
	onTag  func(flv.Tag)

	// Set before the first session.
	title    string // "" to leave the encoder's
	unlisted bool

	mu       sync.Mutex
	timeline flv.LiveTimeline
	session  *Session  // nil while nobody sends
	heard    time.Time // when it was opened, or its newest tag came
	status   Status
	lastKey  uint32 // timestamp of the session's newest key frame
	keyed    bool   // there was one
}

// Status is what a source can tell of its encoder.
type Status struct {
	Live        bool          // an encoder is sending
	Sessions    uint64        // runs so far
	Tags        uint64        // taken in all of them
	Bytes       uint64        // of whole tags
	LastTag     time.Time     // zero before the first
	KeyInterval time.Duration // between the newest two key frames, 0 if unknown
	Info        flv.Info      // of the newest run
}

// NewMux returns the mux that fills w. onTag, if not nil, sees each tag before any
// reader of the channel can, with its final timestamp, in order; it must neither change
// nor keep it, nor call the mux. Only a tag that was the last may be seen and not sent.
func NewMux(w *stream.Writer, onTag func(flv.Tag)) *Mux {
	return &Mux{writer: w, onTag: onTag}
}

// SetTitle gives the stream a title, cleaned by [flv.CleanTitle], in place of what
// its encoders say; "" leaves theirs. It goes into each onMetaData, and where an
// encoder sends none before its media, into one that is made. It comes before the
// first Open.
func (m *Mux) SetTitle(title string) { m.title = flv.CleanTitle(title) }

// SetUnlisted says in the stream that it is for those alone who were given its link, as
// [flv.SetUnlisted] does, in the places where a title would go. It comes before the
// first Open.
func (m *Mux) SetUnlisted() { m.unlisted = true }

// ownWords puts what is said of the stream here into a script body; nil makes one.
func (m *Mux) ownWords(body []byte) []byte {
	if m.title != "" {
		body = flv.SetTitle(body, m.title)
	}
	if m.unlisted {
		body = flv.SetUnlisted(body)
	}
	return body
}

// Open begins a session, or returns [ErrBusy] while there is one that has sent
// something in the last 2 s; one that is silent for longer ends. A session starts
// without configurations: those of the run before say nothing about this one.
func (m *Mux) Open() (*Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if m.session != nil && now.Sub(m.heard) < takeoverAfter {
		return nil, ErrBusy
	}
	m.session, m.heard = &Session{mux: m}, now
	m.timeline.Restart()
	m.status.Sessions++
	m.status.Live = true
	m.status.Info = flv.Info{}
	m.status.KeyInterval, m.keyed = 0, false
	return m.session, nil
}

// Status returns the present figures.
func (m *Mux) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status
}

// count is called with mu held.
func (m *Mux) count(t flv.Tag, k flv.Kind) {
	m.status.Tags++
	m.status.Bytes += uint64(len(t))
	m.heard = time.Now()
	m.status.LastTag = m.heard
	if !k.Key {
		return
	}
	ts := t.Timestamp()
	if m.keyed {
		m.status.KeyInterval = time.Duration(ts-m.lastKey) * time.Millisecond
	}
	m.lastKey, m.keyed = ts, true
}
