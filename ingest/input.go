package ingest

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// The header that is built here must fit a header of the channel.
var _ [stream.MaxHeaderPayload - flv.MaxHeader]struct{}

// Why an encoder is not taken.
var (
	// ErrBusy refuses a second encoder while one is sending; see [Input.Open].
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

// askAgain is how often an encoder that waits is looked after.
const askAgain = 50 * time.Millisecond

// Opener begins a session, or refuses with [ErrBusy] or [ErrDenied].
// [Input.Open] is one.
type Opener func() (*Session, error)

// Input is what a source sends: one stream, joined from the runs of its encoders, which
// come one after the other and never two at a time. It holds what outlives a run; what
// belongs to one run is its [Session]'s. It is safe for concurrent use.
type Input struct {
	writer *stream.Writer
	onTag  func(flv.Tag)

	// Set before the first session.
	title    string // "" to leave the encoder's
	unlisted bool
	texts    flv.Texts
	of       string // the channel whose recording it is, "" for none
	aac      *AAC   // nil if sound goes out as it comes

	// mu guards what follows and the state of every session: a tag is placed, noted and
	// written as one step, so that a session which is replaced cannot write in between.
	mu       sync.Mutex
	timeline flv.LiveTimeline // joins the timestamps of all runs
	newest   *Session         // the run that is sending, or was the last to; nil before the first
	sending  bool             // newest has not ended

	// Counted over all runs.
	sessions, tags, bytes uint64
	dropped               flv.Flaws // tags that were left out
	lastTag               time.Time // zero before the first
}

// Status is what a source can tell of its encoder.
type Status struct {
	Live        bool          // an encoder is sending
	Sessions    uint64        // runs so far
	Tags        uint64        // taken in all of them
	Bytes       uint64        // of whole tags
	Dropped     flv.Flaws     // tags that were left out, in all runs
	LastTag     time.Time     // zero before the first
	KeyInterval time.Duration // between the newest two key frames of the newest run, 0 if unknown
	Keyless     bool          // the newest run has had no key frame for 20 s, and viewers start without
	Info        flv.Info      // of the newest run
	MadeAAC     string        // the codec of the sound that comes in, if AAC is made of it
}

// NewInput returns the input that fills w. onTag, if not nil, sees each tag before any
// reader of the channel can, with its final timestamp, in order; it must neither change
// nor keep it, nor call the input. Only a tag that was the last may be seen and not sent.
func NewInput(w *stream.Writer, onTag func(flv.Tag)) *Input {
	return &Input{writer: w, onTag: onTag}
}

// SetTitle gives the stream a title, cleaned by [flv.CleanTitle], in place of what
// its encoders say; "" leaves theirs. It goes into each onMetaData, and where an
// encoder sends none before its media, into one that is made. It comes before the
// first Open.
func (in *Input) SetTitle(title string) { in.title = flv.CleanTitle(title) }

// SetUnlisted says in the stream, as [flv.SetUnlisted] does, that it is only for those
// who were given its invite. It stands where a title would. It comes before the first
// Open.
func (in *Input) SetUnlisted() { in.unlisted = true }

// SetTexts says in the stream what lists show of it besides its title, in place of what its encoders say; "" leaves theirs. So every
// node knows that, whichever a list or a PeerCast asks. It stands where a title would. It comes before the first Open.
func (in *Input) SetTexts(t flv.Texts) { in.texts = t }

// silent reports whether the source itself says nothing in the stream.
func (in *Input) silent() bool {
	return in.title == "" && !in.unlisted && in.of == "" && in.texts == (flv.Texts{})
}

// describe puts what the source itself says, its title, its listing and so on, into a script body; nil makes one.
func (in *Input) describe(body []byte) []byte {
	if in.title != "" {
		body = flv.SetTitle(body, in.title)
	}
	if in.unlisted {
		body = flv.SetUnlisted(body)
	}
	if in.of != "" {
		body = flv.SetRecording(body, in.of)
	}
	body = flv.SetTexts(body, in.texts)
	return body
}

// SetRecording says in the stream, as [flv.SetRecording] does, that it is a recording of a channel. It stands where a title
// would. It comes before the first Open.
func (in *Input) SetRecording(of string) { in.of = of }

// Open begins a session, or returns [ErrBusy] while there is one that has sent
// something in the last 2 s; one that is silent for longer ends. A session starts
// without configurations: those of the run before say nothing about this one.
func (in *Input) Open() (*Session, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.sending && time.Since(in.newest.heard) < takeoverAfter {
		return nil, ErrBusy
	}
	return in.begin(), nil
}

// Await is [Input.Open] for an encoder that may be the one that is sending, come back before
// its broken connection is noticed: it waits until the other has sent something since, which is
// [ErrBusy], or is gone, or has been silent for 2 s. That ctx ends is an error too.
func (in *Input) Await(ctx context.Context) (*Session, error) {
	for asked := time.Now(); ; {
		s, err := in.openSince(asked)
		if s != nil || err != nil {
			return s, err
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// openSince is Open for an encoder that has waited since it asked. It returns nothing while it
// has to wait.
func (in *Input) openSince(asked time.Time) (*Session, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.sending && in.newest.heard.After(asked):
		return nil, ErrBusy
	case in.sending && time.Since(in.newest.heard) < takeoverAfter:
		return nil, nil
	}
	return in.begin(), nil
}

// begin is called with mu held.
func (in *Input) begin() *Session {
	in.newest, in.sending = &Session{input: in, heard: time.Now()}, true
	in.timeline.Restart()
	in.sessions++
	return in.newest
}

// Status returns the present figures.
func (in *Input) Status() Status {
	in.mu.Lock()
	defer in.mu.Unlock()
	st := Status{Live: in.sending, Sessions: in.sessions, Tags: in.tags, Bytes: in.bytes, Dropped: maps.Clone(in.dropped), LastTag: in.lastTag}
	if s := in.newest; s != nil {
		st.KeyInterval, st.Keyless, st.Info = s.keys.interval, s.starts.keyless(), s.info
		st.MadeAAC = s.sound.codec
	}
	return st
}

// has reports whether s may still write. It is called with mu held.
func (in *Input) has(s *Session) bool { return in.sending && in.newest == s }

// drop counts a tag that is left out. It is called with mu held.
func (in *Input) drop(f flv.Flaw) {
	if in.dropped == nil {
		in.dropped = make(flv.Flaws)
	}
	in.dropped[f]++
}
