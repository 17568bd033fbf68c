package ingest

import "relay/ingest/flv"

const (
	// pictureless is how long sound must have come alone for viewers to start at it, although
	// the stream has video. In milliseconds of stream time.
	pictureless = 2000
	// keyless is how long pictures must have come without a key frame for viewers to start at
	// others: longer than encoders leave between key frames (250 pictures are x264's default,
	// which is 10 s at 25 Hz), shorter than what a ring holds. Milliseconds.
	keyless = 20_000
	// keylessEvery is how far such places are apart, in milliseconds.
	keylessEvery = 2000
)

// starts finds the tags of a run at which viewers may start. Those are its key frames. If a
// stream had no other places, and no key frame for long, whoever comes later would get nothing.
// So each frame of sound is a place while no pictures come, and now and then a picture is one
// while pictures come: one from which a decoder recovers (intra refresh) if there are such
// pictures, or else any. Its zero value is ready.
type starts struct {
	begun    bool
	picture  uint32 // timestamp of the newest picture, or of the run's first frame
	key      uint32 // of the newest key frame, or likewise
	recovers uint32 // of the newest picture from which a decoder recovers, or likewise
	newest   uint32 // of the newest place to start
}

// at reports whether the next tag is one. Timestamps are those of the channel. hasVideo says
// whether the stream has pictures, or announces some.
func (s *starts) at(t flv.Tag, k flv.Kind, hasVideo bool) bool {
	if !steers(t, k) {
		return false
	}
	ts := t.Timestamp()
	first := !s.begun
	if first {
		*s = starts{begun: true, picture: ts, key: ts, recovers: ts, newest: ts}
	}
	if t.Type() == flv.Audio {
		// What comes before the first picture belongs to the stream, too.
		return first || !hasVideo || int32(ts-s.picture) >= pictureless
	}
	s.picture = ts
	if k.Recovery {
		s.recovers = ts
	}
	start := k.Key
	if !start && int32(ts-s.key) >= keyless {
		start = k.Recovery || int32(ts-s.recovers) >= keyless && int32(ts-s.newest) >= keylessEvery
	}
	if k.Key {
		s.key = ts
	}
	if start {
		s.newest = ts
	}
	return start
}

// keyless reports whether viewers start at pictures that are no key frames.
func (s *starts) keyless() bool { return s.begun && int32(s.newest-s.key) >= keyless }
