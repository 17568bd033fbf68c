package remux

const (
	// pictureWait is how long the sound at the beginning waits for the first picture, so that
	// a player learns of both at once, and how long pictures wait for a key frame. In
	// milliseconds of stream time: muxers let sound lead by less, and a viewer feels more.
	pictureWait = 1000
	// maxEarly bounds the frames of sound that wait: those of a second of AAC at 192 kHz, of
	// four at 48 kHz.
	maxEarly = 192
)

// early is what has come before the container could be opened.
type early struct {
	sound []heard
	since *uint32 // when the first picture came that is no key frame, in milliseconds
}

// heard is one frame of sound.
type heard struct {
	at   uint32 // timestamp, in milliseconds
	data []byte
}

// hold keeps a frame of sound, and reports false if the first has waited for so many
// milliseconds.
func (e *early) hold(ts uint32, data []byte, wait uint32) bool {
	n := len(e.sound)
	if wait == 0 || n == maxEarly || n > 0 && int64(int32(ts-e.sound[0].at)) >= int64(wait) {
		return false
	}
	e.sound = append(e.sound, heard{ts, data})
	return true
}

// keyless reports whether pictures have come for so long without a key frame that a player
// does better with one that is none: a stream with intra refresh may never have another.
func (e *early) keyless(ts uint32) bool {
	if e.since == nil {
		e.since = &ts
	}
	return int32(ts-*e.since) >= pictureWait
}

// release returns what was held, and forgets it.
func (e *early) release() []heard {
	held := e.sound
	e.sound = nil
	return held
}
