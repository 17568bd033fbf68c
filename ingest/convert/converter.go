package convert

import (
	"bytes"

	"relay/ingest/flv"
)

const (
	// keyless is how long a stream may have no key frame for pictures to begin at one from which a
	// decoder recovers, and hopeless for them to begin at any.
	keyless, hopeless = 5 * Rate, 10 * Rate
	// noiseMost is how much of a stream of sound may come before its first frame, in bytes: more
	// than one frame, in the middle of which a listener may have begun.
	noiseMost = 64 << 10
)

// Stats counts what was made of a stream.
type Stats struct {
	Pictures, Sounds uint64 // tags of frames
	Lost             uint64 // units in front of which something was missing
	Waited           uint64 // pictures left out until one to start at
	Troubles         map[Trouble]uint64
}

// Trouble is what is wrong with a stream and can be lived with: a word for counters.
type Trouble string

// Troubles.
const (
	// BadTimes are decoding times that cannot be, and pictures for which none could be found.
	BadTimes Trouble = "bad_times"
	// NoTime is a unit of which nobody knows when it is shown.
	NoTime Trouble = "no_time"
	// NoPicture is a unit in which no picture is found.
	NoPicture Trouble = "no_picture"
	// NoSound are bytes that belong to no frame of sound, or frames that cannot be used.
	NoSound Trouble = "no_sound"
	// Unheard is sound for which there is no place, as MP2.
	Unheard Trouble = "unheard"
	// TooLong is a frame that is longer than a tag.
	TooLong Trouble = "too_long"
)

// Converter makes the tags of one stream: first those that describe it, then its frames. It belongs
// to one goroutine.
type Converter struct {
	told  func(Trouble)
	stats Stats

	video    Track
	pictures pictures // nil without
	times    decodeTimes
	start    start
	shown    []byte // the newest configuration of pictures
	shows    size   // as it says

	audio          Track
	sounds         *splitter // nil without
	heard          []byte    // the newest configuration of sound, nil if it needs none
	rate, channels int       // as the newest frame says
	noise          int       // bytes that belonged to no frame, before the first

	gate      gate
	described flv.Metadata // what has gone out
	out       []flv.Tag
}

// start is where pictures begin.
type start struct {
	begun   bool  // the first has gone out
	waits   bool  // for a picture to start at
	key     int64 // decoding time of the newest key frame, or of the first picture
	since   int64 // that of the first picture that was left out
	timed   bool  // key is known
	missing bool  // since is not known
	hides   bool  // pictures that are shown before open cannot be decoded
	open    int64
}

// New returns a converter without tracks. told, if not nil, hears of each trouble once.
func New(told func(Trouble)) *Converter {
	if told == nil {
		told = func(Trouble) {}
	}
	return &Converter{told: told}
}

// Configure says which tracks there are from now on; Format is None where there is none. A track that
// is the same as before goes on. One for which there is no codec is none.
func (c *Converter) Configure(video, audio Track) {
	if video != c.video {
		c.video, c.pictures, c.times, c.shown = video, newPictures(video), decodeTimes{format: video.Format}, nil
		c.start = start{waits: true, missing: true}
		c.gate.forget(flv.Video)
	}
	if audio != c.audio {
		c.audio, c.sounds, c.heard, c.rate, c.channels = audio, nil, nil, 0, 0
		c.gate.forget(flv.Audio)
		if s := newSounds(audio); s != nil {
			c.sounds = &splitter{sounds: s, whole: audio.Format == AAC || audio.Format == Opus}
		}
	}
}

// Stats returns the counts so far; its map is not to be changed.
func (c *Converter) Stats() Stats { return c.stats }

func (c *Converter) trouble(t Trouble) {
	if c.stats.Troubles == nil {
		c.stats.Troubles = make(map[Trouble]uint64)
	}
	if c.stats.Troubles[t]++; c.stats.Troubles[t] == 1 {
		c.told(t)
	}
}

// Picture takes the next unit of pictures. The list that it returns is good until the next call; the
// tags are the caller's.
func (c *Converter) Picture(u Unit) []flv.Tag {
	c.out = c.out[:0]
	if c.pictures == nil {
		return nil
	}
	if u.Lost {
		c.stats.Lost++
	}
	p, ok := c.pictures.next(u)
	if p.broke || u.Lost && c.start.begun {
		c.start.waits, c.start.missing = true, true
	}
	if !ok {
		if len(p.nals) > 0 || p.nals == nil {
			c.trouble(NoPicture) // other than parameter sets by themselves
		}
		return nil
	}
	pts, dts, bad, ok := c.times.next(u, p)
	switch {
	case !ok:
		c.trouble(NoTime)
		return nil
	case bad:
		c.trouble(BadTimes)
	}
	record, shows := c.pictures.config()
	if !c.begins(p, pts, dts, record != nil) {
		c.stats.Waited++
		return nil
	}
	if !bytes.Equal(record, c.shown) || shows != c.shows {
		if c.shown != nil {
			c.open(dts) // what is held has the one before
		}
		c.shown, c.shows = bytes.Clone(record), shows
		c.describe(dts)
		c.configure(flv.Video, dts)
	}
	if c.put(flv.Video, dts, flv.Coded{Codec: c.video.Format.Codec(), Key: p.key, Offset: int32(millis(pts) - millis(dts)), Data: p.data}) {
		c.stats.Pictures++
	}
	return c.out
}

// begins reports whether a picture goes out.
func (c *Converter) begins(p picture, pts, dts int64, configured bool) bool {
	s := &c.start
	if !s.timed || dts < s.key-jump {
		s.timed, s.key = true, dts
	}
	if s.missing || dts < s.since-jump {
		s.missing, s.since = false, dts
	}
	// An open stream has had its only key frame long ago: it goes on at once.
	starts := p.key || p.recovers && dts-s.key >= keyless || dts-s.since >= hopeless
	if p.key {
		s.key = dts
	}
	if s.waits && (!starts || !configured) {
		return false
	}
	if s.waits {
		s.waits, s.begun, s.hides, s.open = false, true, p.open, pts
	} else if p.key {
		s.hides = false
	}
	return !(s.hides && pts < s.open && s.open-pts < jump)
}

// Sound takes the next unit of sound. The list that it returns is good until the next call; the
// tags are the caller's.
func (c *Converter) Sound(u Unit) []flv.Tag {
	c.out = c.out[:0]
	if c.sounds == nil {
		return nil
	}
	if u.Lost {
		c.stats.Lost++
	}
	seen := false
	strange := c.sounds.split(u, func(f timedFrame) {
		seen = true
		if !f.known {
			c.trouble(NoTime)
			return
		}
		c.sound(f)
	})
	if c.stats.Sounds == 0 { // it begins in the middle of a frame
		c.noise += strange
		strange = max(c.noise-noiseMost, 0)
	}
	switch m, ok := c.sounds.sounds.(*mp3); {
	case ok && m.layer != 0 && m.layer != layerIII:
		c.trouble(Unheard)
	case strange > 0 && !u.Lost, c.sounds.whole && !seen:
		c.trouble(NoSound)
	}
	return c.out
}

func (c *Converter) sound(f timedFrame) {
	if c.gate.early(f.at) {
		return
	}
	info := c.sounds.sounds.info()
	if info.config != nil && !bytes.Equal(info.config, c.heard) || info.rate != c.rate || info.channels != c.channels {
		c.heard, c.rate, c.channels = bytes.Clone(info.config), info.rate, info.channels
		c.gate.forget(flv.Audio) // what is held has the one before
		c.describe(f.at)
		c.configure(flv.Audio, f.at)
	}
	if c.put(flv.Audio, f.at, flv.Coded{Codec: c.audio.Format.Codec(), Key: true, Data: f.data}) {
		c.stats.Sounds++
	}
}

// put lets a frame go, or has it wait at the gate.
func (c *Converter) put(typ flv.Type, at int64, coded flv.Coded) bool {
	tag, ok := flv.Encode(typ, uint32(millis(at)), coded)
	if !ok {
		c.trouble(TooLong)
		return false
	}
	if c.gate.opened {
		c.out = append(c.out, tag)
		return true
	}
	c.gate.hold(tag, at)
	if c.gate.done(at, c.pictures != nil, c.sounds != nil && c.rate == 0) {
		c.open(at)
	}
	return true
}

// open lets go what was held, and has nothing wait any more.
func (c *Converter) open(at int64) {
	if c.gate.opened {
		return
	}
	held := c.gate.open(at)
	c.describe(at)
	c.configure(flv.Video, at)
	c.configure(flv.Audio, at)
	c.out = append(c.out, held...)
}

// Flush ends the stream. It returns what still waited; the list is good until the next call.
func (c *Converter) Flush() []flv.Tag {
	c.out = c.out[:0]
	if c.gate.held != nil {
		c.open(c.gate.newest)
	}
	return c.out
}

// configure puts out a configuration, if there is one and the gate is open.
func (c *Converter) configure(typ flv.Type, at int64) {
	coded := flv.Coded{Codec: c.video.Format.Codec(), Config: true, Data: c.shown}
	if typ == flv.Audio {
		coded.Codec, coded.Data = c.audio.Format.Codec(), c.heard
	}
	if !c.gate.opened || coded.Data == nil {
		return
	}
	if tag, ok := flv.Encode(typ, uint32(millis(at)), coded); ok {
		c.out = append(c.out, tag)
	}
}

// describe says what the stream is where that has changed and the gate is open.
func (c *Converter) describe(at int64) {
	m := flv.Metadata{
		HasVideo: c.pictures != nil, VideoCodec: c.video.Format.Codec(), Width: c.shows.width, Height: c.shows.height,
	}
	if c.rate > 0 { // a player looks for what is announced, and sound may never come
		m.HasAudio, m.AudioCodec, m.SampleRate, m.Channels = true, c.audio.Format.Codec(), c.rate, c.channels
	}
	if c.shows.hz > 0 && c.shows.hz < 1000 {
		m.FrameRate = c.shows.hz
	}
	if c.gate.opened && m != c.described {
		c.described = m
		c.out = append(c.out, flv.NewTag(flv.Script, uint32(millis(at)), m.Body()))
	}
}
