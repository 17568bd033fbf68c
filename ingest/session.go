package ingest

import (
	"fmt"
	"time"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// Session is one run of an encoder. Its methods may be called from any goroutine.
type Session struct {
	input   *Input
	gathers bool // whoever writes calls Flush when there is nothing more
	held    bool // what is written came a while ago: whoever writes calls Heard

	// Guarded by input.mu, as all that a tag passes is.
	avc       flv.AVC
	judge     flv.Judge
	starts    starts
	header    flv.Header // the run's configurations
	begun     bool       // header is the channel's
	described bool       // the source's own title and listing have gone out
	heard     time.Time  // when the run began, or the encoder was last heard
	keys      keyFrames
	info      flv.Info // what header tells
	sound     sound    // that is made AAC
}

// Write takes the stream's next tag. It keeps nothing of t, but moves its
// timestamp to where the channel's timeline wants it; the rest goes out untouched,
// but for what [Input.SetTitle] and the like say. A configuration also goes into
// the channel's header, before the tag itself. H.264 becomes what FLV has ([flv.AVC]). A
// tag that no decoder can use is counted and left out: nobody below has to judge it again.
func (s *Session) Write(t flv.Tag) error {
	in := s.input
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.has(s) {
		return ErrEnded
	}
	if !s.held {
		s.heard = time.Now()
	}
	config, media := s.avc.Next(t)
	for _, t := range []flv.Tag{config, media} {
		if t == nil {
			continue
		}
		if err := s.take(t); err != nil {
			return err
		}
	}
	return nil
}

// take judges a tag, and writes it with the source's own words. It is called with input.mu
// held.
func (s *Session) take(t flv.Tag) error {
	in := s.input
	k := s.judge.Next(t)
	if k.Flaw != "" {
		in.drop(k.Flaw)
		return nil
	}
	if in.silent() {
		return s.write(t, k)
	}
	if t.Type() == flv.Script && k.Config {
		t = flv.NewTag(flv.Script, t.Timestamp(), in.describe(t.Body()))
	} else if !s.described {
		made := flv.NewTag(flv.Script, t.Timestamp(), in.describe(nil))
		if err := s.write(made, flv.Classify(made)); err != nil {
			return err
		}
	}
	s.described = true
	return s.write(t, k)
}

// write is Write with input.mu held.
func (s *Session) write(t flv.Tag, k flv.Kind) error {
	in, now := s.input, time.Now()
	if steers(t, k) {
		flv.PutTimestamp(t, in.timeline.Map(t.Type(), t.Timestamp(), now))
	} else {
		flv.PutTimestamp(t, in.timeline.Place(t.Timestamp(), now))
	}
	if diverted, err := s.divert(t, k); diverted || err != nil {
		return err
	}
	return s.put(t, k)
}

// put writes a tag that has its place. It is called with input.mu held.
func (s *Session) put(t flv.Tag, k flv.Kind) error {
	in := s.input
	if s.header.Add(t, k) || !s.begun {
		payload := s.header.Payload()
		if err := in.writer.SetHeader(payload); err != nil {
			return fmt.Errorf("set header: %w", err)
		}
		s.begun = true
		s.info = flv.Describe(payload)
	}
	// Before it goes out: whoever sees the tag finds it noted. The other order would let
	// a reader be ahead. A tag that is noted and then cannot be written was the last
	// one, for a writer that has failed takes no more.
	if in.onTag != nil {
		in.onTag(t)
	}
	if err := in.writer.WriteTag(t, s.flags(t, k)); err != nil {
		return fmt.Errorf("write tag: %w", err)
	}
	s.count(t, k)
	return nil
}

// steers reports whether the timeline goes by t's timestamp. Encoders stamp
// configurations and script data carelessly.
func steers(t flv.Tag, k flv.Kind) bool {
	return !k.Config && (t.Type() == flv.Video || t.Type() == flv.Audio)
}

// flags says where viewers may start and where a chunk ends.
func (s *Session) flags(t flv.Tag, k flv.Kind) stream.TagFlags {
	var f stream.TagFlags
	if s.gathers {
		f |= stream.Gathers
	}
	if t.Type() == flv.Video {
		f |= stream.EndsChunk
	}
	if s.starts.at(t, k, s.header.HasVideo()) {
		f |= stream.StartHere
	}
	return f
}

// count is called with input.mu held, once t has been written.
func (s *Session) count(t flv.Tag, k flv.Kind) {
	in := s.input
	in.lastTag = time.Now()
	in.tags++
	in.bytes += uint64(len(t))
	if k.Key {
		s.keys.add(t.Timestamp())
	}
}

// keyFrames measures how far apart a run's key frames are.
type keyFrames struct {
	begun    bool
	newest   uint32        // timestamp, once begun
	interval time.Duration // between the newest two, 0 before the second
}

func (k *keyFrames) add(ts uint32) {
	if k.begun {
		k.interval = time.Duration(ts-k.newest) * time.Millisecond
	}
	k.newest, k.begun = ts, true
}

// Heard says when the encoder was last heard, where what it sends is held before it is written: one that is dead has media
// left for as long.
func (s *Session) Heard(at time.Time) {
	s.input.mu.Lock()
	defer s.input.mu.Unlock()
	if at.After(s.heard) {
		s.heard = at
	}
}

// Flush lets nothing that was written wait for more, if there is anybody who takes it.
func (s *Session) Flush() {
	s.input.mu.Lock()
	defer s.input.mu.Unlock()
	if s.input.has(s) {
		s.input.writer.Gathered() // a failed writer tells the next tag
	}
}

// Restart says that the next tag begins the same stream again: its timestamps
// count anew, its configurations hold. A file that is repeated calls it.
func (s *Session) Restart() {
	s.input.mu.Lock()
	defer s.input.mu.Unlock()
	if s.input.has(s) {
		s.input.timeline.Restart()
	}
}

// Close ends the session; another may be opened. It can be called more than once.
func (s *Session) Close() {
	in := s.input
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.has(s) {
		return
	}
	in.sending = false
	in.writer.Flush() // a failed writer has told the session already
}
