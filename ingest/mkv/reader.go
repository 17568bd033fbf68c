package mkv

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"slices"

	"relay/ingest/convert"
	"relay/ingest/flv"
	"relay/ingest/sample"
)

const (
	// readAhead is the reader's buffer, in bytes: that of the other formats' readers, so that one takes
	// over another's.
	readAhead = 64 << 10
	// headMost and tracksMost bound what is read of the beginning, in bytes. Tracks have configurations,
	// and pictures for subtitles.
	headMost, tracksMost = 64 << 10, 4 << 20
	// groupMost is how much a group has besides its block, in bytes.
	groupMost = 64 << 10
	// strangeMost is how long an element may be that nobody knows, in bytes: a longer one is none.
	strangeMost = 1 << 20
	// strayMost is how much may be nothing of Matroska before it is taken for something else, in bytes: a
	// hole in a file, of several of the longest frames.
	strayMost = 64 << 20
	// scaleDefault is a unit of time if nothing says another, in ns.
	scaleDefault = 1_000_000
	// delayMost bounds how much earlier than said sound begins, in ns.
	delayMost = 10_000_000_000
)

// Stats counts what a stream brought.
type Stats struct {
	Blocks    uint64 // of the tracks that are taken
	Damaged   uint64 // places where something cannot be
	Encrypted uint64 // blocks
	Convert   convert.Stats
}

// Sniff reports whether b begins Matroska or WebM.
func Sniff(b []byte) bool { return bytes.HasPrefix(b, []byte("\x1a\x45\xdf\xa3")) }

// Reader reads the tags of a stream of bytes. It belongs to one goroutine.
type Reader struct {
	r     *bufio.Reader
	pos   int64
	told  func(convert.Trouble, string)
	out   *sample.Queue
	stats Stats

	name         string // of the format, for people
	scale        uint64 // ns
	tracks       []byte // the newest list
	video, sound stream
	cluster      uint64 // its time, in units of scale
	until        int64  // where it ends, 0 if it does not say
	lost         bool   // something is missing in front of what comes next

	buf    []byte
	frames [][]byte
}

// stream is a track that is taken.
type stream struct {
	number uint64 // 0 for none
	delay  int64  // ns
	codec  sample.Codec
	lost   bool // something is missing in front of its next frame
}

// NewReader returns a reader of r. told, if not nil, hears once of each thing that is wrong but can be
// lived with, and, if sound is left out, which.
func NewReader(r io.Reader, told func(what convert.Trouble, which string)) *Reader {
	told = sample.Once(told)
	return &Reader{
		r: bufio.NewReaderSize(r, readAhead), told: told, out: sample.NewQueue(told),
		name: "Matroska", scale: scaleDefault,
	}
}

// Stats returns the counts so far.
func (r *Reader) Stats() Stats {
	s := r.stats
	s.Convert = r.out.Stats()
	return s
}

// Next returns the next tag, which the caller may keep and change. The error is [io.EOF] at the end of
// a stream that had some, [io.ErrUnexpectedEOF] if it ends in the middle of something, and else one of
// this package's or of package sample's, or the reader's own.
func (r *Reader) Next() (flv.Tag, error) { return r.out.Next(r.element, r.nothing) }

// nothing says why there was no tag.
func (r *Reader) nothing() error {
	if r.tracks == nil {
		return ErrNoTracks
	}
	return ErrNothing
}

// head reads what begins an element.
func (r *Reader) head() (id uint32, size uint64, n int, err error) {
	b, err := r.r.Peek(1)
	if err != nil {
		return 0, 0, 0, err
	}
	if n = widthOf(b[0]); n > maxID {
		return 0, 0, -1, nil
	}
	if b, err = r.r.Peek(n + 1); err != nil {
		return 0, 0, 0, cut(err)
	}
	id, _ = parseID(b)
	m := widthOf(b[n])
	if m > maxSize {
		return 0, 0, -1, nil
	}
	if b, err = r.r.Peek(n + m); err != nil {
		return 0, 0, 0, cut(err)
	}
	size, _ = parseSize(b[n:])
	return id, size, n + m, nil
}

// cut is the end of a stream in the middle of something.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// element takes the next one.
func (r *Reader) element() error {
	id, size, n, err := r.head()
	if err != nil {
		return err
	}
	if n < 0 || !r.fits(id, size, n) {
		return r.search()
	}
	if err := r.skip(uint64(n)); err != nil {
		return err
	}
	switch id {
	case idSegment:
		return nil // what is in it comes now
	case idCluster:
		if r.tracks == nil {
			return ErrNoTracks
		}
		r.cluster, r.until = 0, 0
		if size != unknown {
			r.until = r.pos + int64(min(size, 1<<62))
		}
		return nil
	case idHeader, idInfo, idTimestamp:
		if size > headMost {
			return r.skip(size)
		}
		b, err := r.read(size)
		if err != nil {
			return err
		}
		r.note(id, b)
		return nil
	case idTracks:
		if size > tracksMost {
			return r.skip(size)
		}
		b, err := r.read(size)
		if err != nil {
			return err
		}
		return r.follow(b)
	case idSimpleBlock:
		return r.block(size)
	case idBlockGroup:
		if size > sample.Most+groupMost {
			r.told(convert.TooLong, "")
			return r.skip(size)
		}
		b, err := r.read(size)
		if err != nil {
			return err
		}
		r.group(b)
		return nil
	case idEncryptedBlock:
		if r.stats.Encrypted++; !r.out.Came() {
			return ErrEncrypted
		}
	}
	return r.skip(size)
}

// fits reports whether there can be such an element here.
func (r *Reader) fits(id uint32, size uint64, n int) bool {
	switch id {
	case idSegment, idCluster:
		return true
	case idHeader, idSeekHead, idInfo, idTracks, idCues, idAttachments, idChapters, idTags, idVoid:
		return size < 1<<62
	case idSimpleBlock, idBlockGroup, idTimestamp, idEncryptedBlock, idCRC:
	default:
		if size > strangeMost {
			return false
		}
	}
	if r.until > 0 && r.pos < r.until { // what is in a cluster does not go beyond it
		return size <= uint64(r.until-r.pos) && r.pos+int64(n)+int64(size) <= r.until
	}
	return size < 1<<62
}

func (r *Reader) skip(n uint64) error {
	for n > 0 {
		some := int(min(n, 1<<30))
		done, err := r.r.Discard(some)
		r.pos += int64(done)
		if err != nil {
			return cut(err)
		}
		n -= uint64(some)
	}
	return nil
}

// read reads an element whose size has been looked at. It is good until the next one.
func (r *Reader) read(size uint64) (b []byte, err error) {
	r.buf, err = sample.Read(r.r, r.buf, int(size))
	r.pos += int64(len(r.buf))
	return r.buf, err
}

// search goes on at the next cluster, or at the beginning of another stream.
func (r *Reader) search() error {
	r.stats.Damaged++
	r.told(sample.Damaged, "")
	r.until, r.lost = 0, true
	const idLen = 4
	for stray := 1; stray < strayMost; {
		if err := r.skip(1); err != nil {
			return err
		}
		if _, err := r.r.Peek(idLen); err != nil {
			return cut(err)
		}
		b, _ := r.r.Peek(r.r.Buffered())
		n := 0 // what is left at the end may begin one
		for ; n <= len(b)-idLen; n++ {
			if id := binary.BigEndian.Uint32(b[n:]); id == idCluster || id == idHeader {
				return r.skip(uint64(n))
			}
		}
		n--
		stray += n + 1
		if err := r.skip(uint64(n)); err != nil {
			return err
		}
	}
	return ErrLost
}

// note takes a number or a name.
func (r *Reader) note(id uint32, b []byte) {
	switch id {
	case idTimestamp:
		r.cluster = number(b)
	case idHeader:
		const idDocType = 0x4282
		r.scale, r.name = scaleDefault, "Matroska"
		for e := (elements{rest: b}); e.next(); {
			id, v := e.id, e.body
			if id == idDocType && string(bytes.TrimRight(v, "\x00")) == "webm" {
				r.name = "WebM"
			}
		}
	case idInfo:
		for e := (elements{rest: b}); e.next(); {
			id, v := e.id, e.body
			if n := number(v); id == idTimestampScale && n > 0 {
				r.scale = n
			}
		}
	}
}

// follow takes a list of tracks. A live stream may have it again, and another one.
func (r *Reader) follow(b []byte) error {
	if bytes.Equal(b, r.tracks) && r.tracks != nil {
		return nil
	}
	r.tracks = append([]byte{}, b...)
	all := parseTracks(r.tracks)
	video, vc, unseen := chosen(all, typeVideo)
	sound, sc, unheard := chosen(all, typeSound)
	r.video, r.sound = stream{}, stream{}
	for _, s := range []struct {
		of    *track
		codec sample.Codec
		to    *stream
	}{{video, vc, &r.video}, {sound, sc, &r.sound}} {
		switch {
		case s.of == nil:
		case s.of.encrypted:
			return ErrEncrypted
		default:
			*s.to = stream{number: s.of.number, delay: int64(min(s.of.delay, delayMost)), codec: s.codec}
		}
	}
	switch {
	case video == nil && (sound == nil || len(unseen) > 0):
		return &sample.CodecError{In: r.name, Has: slices.Compact(append(unseen, unheard...))}
	case sound == nil && len(unheard) > 0:
		r.told(convert.Unheard, unheard[0])
	}
	r.out.Configure(r.video.codec.Track, r.sound.codec.Track)
	return nil
}

// block takes a SimpleBlock.
func (r *Reader) block(size uint64) error {
	const head = 8 // the longest number of a track
	b, err := r.r.Peek(int(min(size, head)))
	if err != nil {
		return cut(err)
	}
	if track, n := parseSize(b); n > 0 && r.of(track) == nil {
		return r.skip(size)
	}
	if size > sample.Most {
		r.told(convert.TooLong, "")
		return r.skip(size)
	}
	if b, err = r.read(size); err != nil {
		return err
	}
	r.take(b, false, false)
	return nil
}

// group takes a BlockGroup: its picture is one to start at if it refers to no other.
func (r *Reader) group(b []byte) {
	var block []byte
	refers := false
	for e := (elements{rest: b}); e.next(); {
		id, v := e.id, e.body
		switch id {
		case idBlock:
			block = v
		case idReference:
			refers = true
		}
	}
	if block != nil {
		r.take(block, true, !refers)
	}
}

// of is the stream of a track, nil if that is not taken.
func (r *Reader) of(track uint64) *stream {
	switch {
	case track == 0:
		return nil
	case track == r.video.number:
		return &r.video
	case track == r.sound.number:
		return &r.sound
	}
	return nil
}

// take takes the frames of a block. In a group, the mark of a key frame is key's.
func (r *Reader) take(b []byte, grouped, key bool) {
	k, ok := parseBlock(b, r.frames)
	s := r.of(k.track)
	if !ok || s == nil {
		if !ok {
			r.stats.Damaged++
			r.told(sample.Damaged, "")
			r.video.lost = true
		}
		return
	}
	r.frames = k.frames
	r.stats.Blocks++
	if r.lost {
		r.lost, r.video.lost, r.sound.lost = false, true, true
	}
	if !grouped {
		key = k.key
	}
	pts, timed := r.at(k.time, s.delay)
	for _, f := range k.frames { // the time is the first one's
		u := s.codec.Unit(f, key)
		u.PTS, u.HasPTS, u.Lost = pts, timed, s.lost
		timed, s.lost = false, false
		r.out.Put(u, s == &r.video)
	}
}

// at is when a block is shown, in units of 1/[convert.Rate] s. It reports false if nobody can tell.
func (r *Reader) at(time int16, delay int64) (int64, bool) {
	const most = 1 << 61 // ns: 73 years
	if r.cluster > most/r.scale || r.scale > most>>16 {
		return 0, false
	}
	ns := (int64(r.cluster)+int64(time))*int64(r.scale) - delay
	const second = 1_000_000_000
	return ns/second*convert.Rate + ns%second*convert.Rate/second + sample.Origin, true
}
