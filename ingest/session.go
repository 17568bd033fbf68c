package ingest

import (
	"fmt"
	"time"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// Session is one run of an encoder. Its methods may be called from any goroutine.
type Session struct {
	mux    *Mux
	header flv.Header // guarded by mux.mu
	begun  bool       // its header is the channel's; guarded by mux.mu
	told   bool       // words of our own have gone out; guarded by mux.mu
}

// Write takes the stream's next tag. It owns t from now on, and moves its
// timestamp to where the channel's timeline wants it; the rest goes out untouched,
// but for what [Mux.SetTitle] and [Mux.SetUnlisted] say. A configuration also goes into
// the channel's header, before the tag itself.
func (s *Session) Write(t flv.Tag) error {
	m := s.mux
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.session != s {
		return ErrEnded
	}
	k := flv.Classify(t)
	if m.title == "" && !m.unlisted {
		return s.write(t, k)
	}
	if t.Type() == flv.Script && k.Config {
		t = flv.NewTag(flv.Script, t.Timestamp(), m.ownWords(t.Body()))
	} else if !s.told {
		made := flv.NewTag(flv.Script, t.Timestamp(), m.ownWords(nil))
		if err := s.write(made, flv.Classify(made)); err != nil {
			return err
		}
	}
	s.told = true
	return s.write(t, k)
}

// write is Write with mux.mu held.
func (s *Session) write(t flv.Tag, k flv.Kind) error {
	m := s.mux
	if now := time.Now(); steers(t, k) {
		flv.PutTimestamp(t, m.timeline.Map(t.Type(), t.Timestamp(), now))
	} else {
		flv.PutTimestamp(t, m.timeline.Place(t.Timestamp(), now))
	}
	if s.header.Add(t, k) || !s.begun {
		payload := s.header.Payload()
		if err := m.writer.SetHeader(payload); err != nil {
			return fmt.Errorf("set header: %w", err)
		}
		s.begun = true
		m.status.Info = flv.Describe(payload)
	}
	// Before it goes out: whoever sees the tag finds it noted. The other order would let
	// a reader be ahead. A tag that is noted and then cannot be written was the last
	// one, for a writer that has failed takes no more.
	if m.onTag != nil {
		m.onTag(t)
	}
	if err := m.writer.WriteTag(t, s.flags(t, k)); err != nil {
		return fmt.Errorf("write tag: %w", err)
	}
	m.count(t, k)
	return nil
}

// steers reports whether the timeline goes by t's timestamp. Encoders stamp
// configurations and script data carelessly.
func steers(t flv.Tag, k flv.Kind) bool {
	return !k.Config && (t.Type() == flv.Video || t.Type() == flv.Audio)
}

// flags says where viewers may start and where a chunk ends. Without video every
// audio frame is a place to start at.
func (s *Session) flags(t flv.Tag, k flv.Kind) stream.TagFlags {
	var f stream.TagFlags
	if t.Type() == flv.Video {
		f |= stream.EndsChunk
	}
	if k.Key || t.Type() == flv.Audio && !k.Config && !s.header.HasVideo() {
		f |= stream.StartHere
	}
	return f
}

// Restart says that the next tag begins the same stream again: its timestamps
// count anew, its configurations hold. A file that is repeated calls it.
func (s *Session) Restart() {
	s.mux.mu.Lock()
	defer s.mux.mu.Unlock()
	if s.mux.session == s {
		s.mux.timeline.Restart()
	}
}

// Close ends the session; another may be opened. It can be called more than once.
func (s *Session) Close() {
	m := s.mux
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.session != s {
		return
	}
	m.session = nil
	m.status.Live = false
	m.writer.Flush() // a failed writer has told the session already
}
