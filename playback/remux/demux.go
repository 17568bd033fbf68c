package remux

import (
	"bytes"
	"errors"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"relay/ingest/flv"
)

// container is what frames are put into.
type container interface {
	// open is called before the first frame, and when the tracks have changed; the next
	// frame is one to start at. One of the tracks may be nil.
	open(video, audio *track) error
	// write takes a frame of one of these tracks.
	write(t *track, f frame) error
	// carries reports whether the container takes that track's codec.
	carries(t *track) bool
	// soundWaits is how long sound that comes after the first picture waits for a key frame
	// at which the container is opened anew, in milliseconds.
	soundWaits() uint32
	// patience is how long one track may bring nothing while the other goes on before the
	// container is opened anew without it, in milliseconds; 0 for ever.
	patience() uint32
	// name is the container's, for people.
	name() string
}

// frame is one picture, or one frame of sound.
type frame struct {
	at      int64 // decoding time, in the track's rate
	offset  int64 // how much later it is shown, likewise
	samples int64 // how long it lasts, likewise; 0 if not known
	guess   int64 // how long it lasts probably, if that is not known
	key     bool
	data    [][]byte // in the pieces in which it came; the list is good until the next frame
}

func (f frame) length() int64 { return max(f.samples, f.guess) }

// sizeOf is how long what is in pieces is, in bytes.
func sizeOf(pieces [][]byte) (n int) {
	for _, p := range pieces {
		n += len(p)
	}
	return n
}

const (
	// defaultHz is how many pictures a second there are where nothing tells.
	defaultHz = 30
	// likelyHz and leastHz bound a frame rate that is believed.
	likelyHz, leastHz = 240, 1
)

// demuxer finds the frames in tags and gives them to a container.
type demuxer struct {
	to            container
	video, audio  *track
	hz            float64  // of pictures, as the metadata has it; 0 if it does not
	noSound       string   // the sound's codec, if it cannot be carried
	pictures      bool     // there are some, whether they are carried or not
	announces     bool     // the metadata says that there will be
	opened        bool     // the container has been, so players know its tracks
	shown, heard  *track   // those that it has been opened with
	seen, audible presence // of pictures, of sound
	early         early
	cut           [][]byte // pieces of the picture that is being written
	times         wrap
	starts        bool    // the next frame is one that readers begin at
	begun         bool    // a frame has come
	strange       *uint32 // when the first key frame of another codec came since the newest picture, in milliseconds
}

// strangeFor is how long pictures may be of a codec that cannot be carried, after others that can,
// in milliseconds of stream time.
const strangeFor = 5000

// add takes the next tags.
func (d *demuxer) add(batch flv.Batch) error {
	d.starts = d.starts || batch.Start
	for pieces := range batch.Pieces() {
		if err := d.take(pieces); err != nil && !errors.Is(err, errSkip) {
			return err
		}
	}
	if d.noSound != "" && !d.pictures {
		return &CodecError{d.noSound, d.to.name()} // nothing else would ever come
	}
	return nil
}

const (
	// maxFrame bounds a frame, in bytes. Tags may be twice as long, and no level of H.264 or HEVC has
	// pictures of more at the rates that encoders stream at; MPEG-TS copies it.
	maxFrame = 8 << 20
	// maxWhole bounds what has to be in one piece, and is copied if it came in several:
	// configurations, as [flv.Header] takes them, and frames of sound, of which Opus has the longest.
	maxWhole = flv.MaxScript
	// tagStart is how much of a tag tells all but for these, in bytes, and frameStart how much of a
	// frame of VP9 tells its size.
	tagStart, frameStart = flv.TagHeaderLen + flv.StartLen, 64
)

// errSkip leaves a tag out.
var errSkip = errors.New("left out")

// take takes a tag, which is in pieces.
func (d *demuxer) take(pieces [][]byte) error {
	size := sizeOf(pieces)
	if size > maxFrame {
		d.starts = false
		return errSkip
	}
	start := flv.Start(pieces, tagStart)
	typ, ts, n := flv.Type(start[0]), flv.Timestamp(start), size-flv.TagHeaderLen-flv.TagTrailerLen
	body := start[flv.TagHeaderLen:min(len(start), flv.TagHeaderLen+n)]
	if typ == flv.Script {
		if m, ok := flv.ParseMetadata(whole(pieces, flv.TagHeaderLen, flv.TagHeaderLen+n)); ok {
			d.hz, d.announces = m.FrameRate, m.HasVideo
			return d.announced(m)
		}
		return nil
	}
	d.pictures = d.pictures || typ == flv.Video
	kind := flv.ClassifyStart(typ, body)
	c, from, to, ok := flv.DecodeStart(typ, body, n)
	from, to = from+flv.TagHeaderLen, to+flv.TagHeaderLen
	starts := d.starts
	if !c.Config && !kind.Config {
		d.starts = false
	}
	switch {
	case !ok && typ == flv.Video && kind.Key:
		if !decoded[kind.Codec] {
			return d.foreign(ts, kind.Codec)
		}
		return errSkip // it is empty, or cut short: the next one is not
	case !ok && typ == flv.Audio:
		if d.audio == nil {
			d.unheard(kind.Codec)
		}
		return nil
	case !ok:
		return nil
	case typ == flv.Video && !c.Config:
		d.cut = flv.AppendCut(d.cut[:0], pieces, from, to)
		defer clear(d.cut)
		c.Data = flv.Start(d.cut, frameStart)
		return d.picture(ts, c, d.cut, starts)
	}
	if c.Data = whole(pieces, from, to); c.Data == nil {
		return errSkip
	}
	if typ == flv.Video {
		return d.picture(ts, c, nil, starts)
	}
	return d.sound(ts, c)
}

// whole is what pieces have between two places, as one; nil if that is too long.
func whole(pieces [][]byte, from, to int) []byte {
	switch {
	case to-from > maxWhole:
		return nil
	case len(pieces) == 1:
		return pieces[0][from:to:to]
	}
	return bytes.Join(flv.AppendCut(nil, pieces, from, to), nil)
}

// foreign takes a key frame of a codec that no container here takes. A few among others are left
// out; nobody waits for more than strangeFor if nothing else comes.
func (d *demuxer) foreign(ts uint32, codec string) error {
	if d.strange == nil {
		d.strange = &ts
	}
	if d.video != nil && int32(ts-*d.strange) < strangeFor {
		return errSkip
	}
	return &CodecError{codec, d.to.name()}
}

// unheard notes a codec of sound that no container here takes. A codec that some of them
// take is refused where its track is made.
func (d *demuxer) unheard(codec string) {
	switch codec {
	case "", "aac", "mp3", "opus":
	default:
		d.noSound = codec
	}
}

// announced makes the track of MP3 that is to come, which has no configuration: its
// first frame may come after the first picture, too late to open the container with it.
func (d *demuxer) announced(m flv.Metadata) error {
	if !m.HasVideo {
		d.unheard(m.AudioCodec)
	}
	if m.AudioCodec != "mp3" || d.audio != nil && d.audio.name == m.AudioCodec {
		return nil
	}
	if m.SampleRate == 0 || m.Channels == 0 {
		return nil // its first frame will tell
	}
	t := &track{name: m.AudioCodec, fresh: true}
	t.mp3(m.SampleRate, m.Channels)
	return d.use(&d.audio, t, m.AudioCodec)
}

// picture takes a configuration, or a picture, of which c has the start only. starts says that
// readers begin at it, whether it is a key frame or not: a stream with intra refresh may have none.
func (d *demuxer) picture(ts uint32, c flv.Coded, data [][]byte, starts bool) error {
	switch {
	case c.Config && c.Codec == "vp9": // its key frames tell more
		if !d.to.carries(&track{name: c.Codec, codec: &codecs.VP9{}}) {
			return &CodecError{c.Codec, d.to.name()}
		}
		return nil
	case c.Config, c.Codec == "vp9" && c.Key:
		if err := d.configure(&d.video, c); err != nil {
			return err
		}
		if c.Config {
			return nil
		}
	}
	first := !d.begun
	d.begun = true
	if d.video == nil || d.video.name != c.Codec {
		if !decoded[c.Codec] && c.Key {
			return d.foreign(ts, c.Codec)
		}
		return nil // its configuration may still come
	}
	d.strange = nil
	d.seen.came(ts)
	start := c.Key || starts || d.video.fresh && (first || d.early.keyless(ts))
	if start {
		a := d.audio
		if a != nil && d.opened && d.audible.missed(ts, d.seen, d.to.patience()) {
			a.fresh, a = true, nil // it joins again when it comes
		}
		if err := d.reopen(d.video, a); err != nil {
			return err
		}
	}
	if d.video.fresh {
		return nil
	}
	at := d.video.clock.video(d.times.at(ts))
	return d.to.write(d.video, frame{
		at: at, offset: int64(c.Offset) * videoRate / 1000, guess: d.pictureLasts(), key: start, data: data,
	})
}

// pictureLasts is how long one picture is shown, as far as the metadata tells, in [videoRate].
func (d *demuxer) pictureLasts() int64 {
	if d.hz >= leastHz && d.hz <= likelyHz {
		return int64(videoRate / d.hz)
	}
	return videoRate / defaultHz
}

func (d *demuxer) sound(ts uint32, c flv.Coded) error {
	if d.audio == nil {
		d.unheard(c.Codec)
	}
	if c.Config || c.Codec == "mp3" && (d.audio == nil || d.audio.name != c.Codec || d.audio.samples(c.Data) == 0) {
		if err := d.configure(&d.audio, c); err != nil || c.Config {
			return err
		}
	}
	if d.audio == nil || d.audio.name != c.Codec || d.noSound != "" {
		return nil
	}
	d.begun = true
	if d.audio.samples(c.Data) == 0 {
		return nil
	}
	d.audible.came(ts)
	if d.shown != nil && d.audio == d.heard && d.seen.missed(ts, d.audible, d.to.patience()) {
		d.shown.fresh, d.early.since = true, nil // pictures join again at a key frame
		if err := d.reopen(nil, d.audio); err != nil {
			return err
		}
	}
	if err := d.beginSound(ts, c.Data); err != nil || d.audio.fresh {
		return err
	}
	return d.hear(ts, c.Data)
}

// beginSound opens the container for a frame of sound if it has to be and can be, or else keeps
// the frame until then.
func (d *demuxer) beginSound(ts uint32, data []byte) error {
	switch {
	case !d.audio.fresh:
		return nil
	case d.opened && d.shown == nil, d.video == nil && (d.opened || !d.announces):
		return d.reopen(nil, d.audio)
	case !d.opened: // with the first picture, if that comes soon
		if d.early.hold(ts, data, pictureWait) {
			return nil
		}
		return d.reopen(nil, d.audio)
	}
	wait := d.to.soundWaits()
	if d.early.hold(ts, data, wait) || wait > pictureWait && d.video.fresh {
		return nil
	}
	return d.reopen(d.video, d.audio)
}

// hear gives a frame of sound to the container.
func (d *demuxer) hear(ts uint32, data []byte) error {
	n := d.audio.samples(data)
	at := d.audio.clock.audio(d.times.at(ts), d.audio.rate, n)
	return d.to.write(d.audio, frame{at: at, samples: n, key: true, data: [][]byte{data}})
}

// configure makes c's the configuration from the next place to start on. Video that
// cannot be carried is an error; sound is left out.
func (d *demuxer) configure(at **track, c flv.Coded) error {
	t, err := newTrack(c)
	if err != nil {
		return errSkip // malformed: the encoder may send a better one
	}
	return d.use(at, t, c.Codec)
}

// use puts a new track, nil for one that no container takes, in the place of one.
func (d *demuxer) use(at **track, t *track, codec string) error {
	if t == nil || !d.to.carries(t) {
		if at == &d.video {
			return &CodecError{codec, d.to.name()}
		}
		d.noSound = codec
		return nil
	}
	if o := *at; o != nil {
		if o.name == t.name && bytes.Equal(o.raw, t.raw) {
			return nil
		}
		if o.rate == t.rate {
			t.clock = o.clock
		}
	}
	if at == &d.audio {
		d.noSound = ""
	}
	*at = t
	return nil
}

// reopen opens the container anew at a frame to start at, if a track has changed. v is nil while
// the sound comes alone, and a while the pictures do.
func (d *demuxer) reopen(v, a *track) error {
	if d.opened && v == d.shown && a == d.heard && (v == nil || !v.fresh) && (a == nil || !a.fresh) {
		return nil
	}
	for _, t := range []*track{v, a} {
		if t != nil {
			t.fresh = false
		}
	}
	d.opened, d.shown, d.heard = true, v, a
	if err := d.to.open(v, a); err != nil {
		return err
	}
	for _, f := range d.early.release() {
		if a == nil || a.samples(f.data) == 0 {
			continue // of a codec that has changed since
		}
		if err := d.hear(f.at, f.data); err != nil {
			return err
		}
	}
	return nil
}
