package rtp

import (
	"time"

	"relay/ingest/convert"
	"relay/ingest/flv"
)

const (
	// keyEvery is how far apart key frames are to be for those who begin to watch, and keyAgain how often one is asked
	// for, at most.
	keyEvery, keyAgain = 2 * time.Second, time.Second
	// apart is how far sound and pictures may be from where they would be by their arrival: reports that say more are
	// not believed, as they are of clocks that have nothing to do with each other.
	apart = 5 * convert.Rate
	// strayed is how far the time of a packet may be from its arrival, since the first: beyond it its clock has begun
	// anew.
	strayed = 10 * convert.Rate
	// slewing is what part of the time that passes pictures are moved by, at most, to where reports want them.
	slewing = 8
)

// Unbelieved is reports by which sound and pictures would not belong to each other.
const Unbelieved convert.Trouble = "unbelieved_reports"

// Stream is one sender's pictures and sound. It belongs to one goroutine. Times are since the stream's own beginning.
type Stream struct {
	convert *convert.Converter
	told    func(convert.Trouble)
	video   *track // nil for none
	audio   *track

	unbelieved bool          // it was told
	keyed      bool          // a key frame has come
	key        time.Duration // when the newest did
	asked      bool          // one was asked for, since
	ask        time.Duration // when that was
	waited     uint64        // pictures left out, when the newest came
	out        []flv.Tag
}

// New returns a stream without tracks. told, if not nil, hears of each trouble once.
func New(told func(convert.Trouble)) *Stream {
	if told == nil {
		told = func(convert.Trouble) {}
	}
	return &Stream{convert: convert.New(told), told: told}
}

// Coding is how a track is coded.
type Coding struct {
	Format   convert.Format // None for no track
	Rate     int            // of the clock, in Hz
	Channels int            // of sound; 0 if nobody tells
}

// Configure says how pictures and sound are coded from now on. A track that is the same as before goes on.
func (s *Stream) Configure(video, audio Coding) {
	s.video, s.audio = s.video.as(video), s.audio.as(audio)
	s.convert.Configure(convert.Track{Format: video.Format}, convert.Track{Format: audio.Format, Channels: audio.Channels})
}

// Stats returns the counts so far; its map is not to be changed.
func (s *Stream) Stats() convert.Stats { return s.convert.Stats() }

// Picture takes a packet of pictures that came at a time. The list that it returns is good until the next call; the tags
// are the caller's.
func (s *Stream) Picture(p Packet, at time.Duration) []flv.Tag { return s.take(s.video, p, at) }

// Sound takes a packet of sound likewise.
func (s *Stream) Sound(p Packet, at time.Duration) []flv.Tag { return s.take(s.audio, p, at) }

func (s *Stream) take(t *track, p Packet, at time.Duration) []flv.Tag {
	s.out = s.out[:0]
	if t != nil {
		t.order.add(p, at, func(p Packet, missing bool) { s.packet(t, p, missing, at) })
	}
	s.expire(at)
	return s.out
}

// Pass has what waited long enough go on without what it waited for.
func (s *Stream) Pass(at time.Duration) []flv.Tag {
	s.out = s.out[:0]
	s.expire(at)
	return s.out
}

func (s *Stream) expire(at time.Duration) {
	for _, t := range []*track{s.video, s.audio} {
		if t != nil {
			t.order.expire(at, func(p Packet, missing bool) { s.packet(t, p, missing, at) })
		}
	}
}

// Flush ends the stream, and returns what still waited.
func (s *Stream) Flush() []flv.Tag { return s.convert.Flush() }

// WantsKey reports whether a key frame has to be asked for at a time, as none has come for 2 s, or pictures wait for
// one. It counts as asked then.
func (s *Stream) WantsKey(at time.Duration) bool {
	if s.video == nil || s.asked && at-s.ask < keyAgain {
		return false
	}
	if waits := s.video.lost || s.convert.Stats().Waited > s.waited; s.keyed && !waits && at-s.key < keyEvery {
		return false
	}
	s.asked, s.ask = true, at
	return true
}

// Report takes what a sender says: that its pictures, or its sound, of a time in their clock are of a time of day, as NTP
// has it, in 1/2^32 s.
func (s *Stream) Report(pictures bool, ntp uint64, clock uint32) {
	t := s.audio
	if pictures {
		t = s.video
	}
	if t == nil || !t.report(ntp, clock) || s.video == nil || s.audio == nil || !s.video.reported || !s.audio.reported || !s.video.begun || !s.audio.begun {
		return
	}
	off := (s.video.day - s.audio.day) - (s.video.shift - s.audio.shift)
	if off > apart || off < -apart {
		if !s.unbelieved {
			s.unbelieved = true
			s.told(Unbelieved)
		}
		return
	}
	s.video.slew = off
	if s.convert.Stats().Pictures == 0 {
		s.video.settle(off)
	}
}

// packet takes the next packet in order.
func (s *Stream) packet(t *track, p Packet, missing bool, at time.Duration) {
	if missing {
		t.lost = true
		if t.open {
			t.broken = true // its end, or what follows, is missing
		}
	}
	if t.open && p.Time != t.time {
		s.end(t, at)
	}
	if len(p.Payload) == 0 {
		return // to keep a connection open, or to find out what it carries
	}
	if !t.open {
		t.open, t.time, t.broken = true, p.Time, false
		t.assembler.reset()
	}
	if !t.broken && !t.assembler.take(p.Payload) {
		t.broken = true
	}
	if p.Marker || t == s.audio {
		s.end(t, at)
	}
}

// end ends a unit.
func (s *Stream) end(t *track, at time.Duration) {
	t.open = false
	u, ok := t.assembler.unit()
	if t.broken || !ok {
		t.lost = true
		return
	}
	u.PTS, u.HasPTS, u.Lost = t.at(at), true, t.lost
	t.lost = false
	if t == s.audio {
		s.out = append(s.out, s.convert.Sound(u)...)
		return
	}
	before := len(s.out)
	s.out = append(s.out, s.convert.Picture(u)...)
	for _, tag := range s.out[before:] {
		if k := flv.Classify(tag); tag.Type() == flv.Video && k.Key && !k.Config {
			s.keyed, s.key, s.asked, s.waited = true, at, false, s.convert.Stats().Waited
		}
	}
}

// Restart says that the next packet of pictures, or of sound, is of another sender: numbers and times begin anew.
func (s *Stream) Restart(pictures bool) {
	t := s.audio
	if pictures {
		t = s.video
	}
	if t != nil {
		*t = track{Coding: t.Coding, assembler: t.assembler, lost: true}
	}
}
