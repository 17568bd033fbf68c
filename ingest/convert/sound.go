package convert

import "bytes"

// frame is one frame of sound.
type frame struct {
	data    []byte // good until the next one
	samples int64
}

// soundInfo is what a codec's newest frame says.
type soundInfo struct {
	config         []byte // nil for codecs that need none; the same memory until it is another one
	rate, channels int
}

// sounds is what knows one codec. It is given what begins where a frame should, and tells how long
// that frame is.
type sounds interface {
	// head reads the head of a frame. n is how long the frame is, 0 if more bytes are needed to
	// tell. It reports false if no frame begins there.
	head(b []byte) (n int, ok bool)
	// take reads a whole frame. There may be several in it, and none if it is of no use.
	take(b []byte, into []frame) []frame
	// info is what the newest frame has told.
	info() soundInfo
	// sync is the first byte of each frame.
	sync() byte
}

// newSounds returns nil for formats that are none of sound.
func newSounds(t Track) sounds {
	switch t.Format {
	case ADTS:
		return &adts{}
	case LOAS:
		return &loas{}
	case AAC:
		return newAAC(t.Config)
	case Opus:
		return newOpus(t.Channels)
	case MP3:
		return &mp3{}
	case AC3:
		return &dolby{}
	case EAC3:
		return &dolby{enhanced: true}
	}
	return nil
}

// splitter finds frames of sound in the pieces in which they come. A frame may span several.
type splitter struct {
	sounds sounds
	whole  bool   // each piece is one frame
	rest   []byte // of a frame: 13 bits of length are the most that one has
	synced bool   // the last frame ended where rest begins
	frames []frame

	// The time of the next frame is base and the samples since, so that rounding adds up to nothing.
	timed   bool
	base    int64
	samples int64
	rate    int
}

// timedFrame is a frame and when it is heard.
type timedFrame struct {
	frame
	at    int64
	known bool // at is
}

// split calls each with the frames that end in a unit, and returns how many bytes were of none.
func (s *splitter) split(u Unit, each func(timedFrame)) (strange int) {
	if u.Lost {
		strange += len(s.rest)
		s.rest, s.synced = s.rest[:0], false
		if s.timed && !u.HasPTS {
			s.timed = false // nobody knows how much is missing
		}
	}
	if s.whole {
		s.begin(&u)
		s.emit(u.Data, each)
		return strange
	}
	before := len(s.rest) // the unit's time is of what begins behind it
	b := u.Data
	if before > 0 {
		s.rest = append(s.rest, u.Data...)
		b = s.rest
	}
	at := 0
	for at < len(b) {
		n, ok := s.sounds.head(b[at:])
		if ok && n > 0 && !s.synced && at+n < len(b) {
			_, ok = s.sounds.head(b[at+n:]) // a sync word in the middle of a frame is one by chance
		}
		if !ok {
			skip := bytes.IndexByte(b[at+1:], s.sounds.sync()) + 1
			if skip == 0 {
				skip = len(b) - at
			}
			strange, at, s.synced = strange+skip, at+skip, false
			continue
		}
		if at >= before {
			s.begin(&u) // whether the frame ends in it or not
		}
		if n == 0 || at+n > len(b) {
			break
		}
		s.emit(b[at:at+n], each)
		at, s.synced = at+n, true
	}
	s.rest = append(s.rest[:0], b[at:]...)
	return strange
}

// begin takes the time of a unit for the frame that comes next, once.
func (s *splitter) begin(u *Unit) {
	if u.HasPTS {
		s.timed, s.base, s.samples, u.HasPTS = true, u.PTS, 0, false
	}
}

func (s *splitter) emit(b []byte, each func(timedFrame)) {
	s.frames = s.sounds.take(b, s.frames[:0])
	rate := s.sounds.info().rate
	if rate != s.rate && s.rate > 0 {
		s.base, s.samples = s.now(), 0
	}
	s.rate = rate
	for _, f := range s.frames {
		each(timedFrame{f, s.now(), s.timed})
		s.samples += f.samples
	}
}

func (s *splitter) now() int64 {
	if s.rate == 0 {
		return s.base
	}
	return s.base + s.samples*Rate/int64(s.rate)
}

// FrameLen reads the head of a frame of sound of a format at the beginning of b, and returns how long the frame is in bytes: 0 if
// more of it is needed to tell. It reports false if no frame begins there.
func FrameLen(f Format, b []byte) (n int, ok bool) {
	s := newSounds(Track{Format: f})
	if s == nil || len(b) == 0 {
		return 0, false
	}
	return s.head(b)
}
