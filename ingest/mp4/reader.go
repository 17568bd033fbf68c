package mp4

import (
	"bufio"
	"bytes"
	"io"
	"slices"

	"relay/ingest/convert"
	"relay/ingest/flv"
	"relay/ingest/sample"
)

const (
	// readAhead is a stream's buffer, in bytes: that of the other formats' readers.
	readAhead = 64 << 10
	// movieMost bounds the tables in front of a stream, in bytes: those of a day.
	movieMost = 64 << 20
)

// Stats counts what a file or stream brought.
type Stats struct {
	Samples uint64 // of the tracks that are taken
	Damaged uint64 // places where something cannot be
	Convert convert.Stats
}

// Reader reads the tags of a file or a stream. It belongs to one goroutine.
type Reader struct {
	file io.ReaderAt // nil for a stream
	size int64       // of the file
	next int64       // where the next box lies that may be a fragment
	over bool        // there are no more

	stream

	told  func(convert.Trouble, string)
	out   *sample.Queue
	stats Stats
	movie *movie
	taken []*track // pictures and sound

	buf []byte
}

// NewFile returns a reader of a file of that many bytes. told, if not nil, hears once of each thing that
// is wrong but can be lived with, and, if sound is left out, which.
func NewFile(f io.ReaderAt, size int64, told func(what convert.Trouble, which string)) *Reader {
	r := newReader(told)
	r.file, r.size = f, size
	return r
}

// NewStream returns a reader of what comes; told is as that of [NewFile].
func NewStream(in io.Reader, told func(what convert.Trouble, which string)) *Reader {
	r := newReader(told)
	r.in = bufio.NewReaderSize(in, readAhead)
	return r
}

func newReader(told func(convert.Trouble, string)) *Reader {
	told = sample.Once(told)
	return &Reader{told: told, out: sample.NewQueue(told)}
}

// Stats returns the counts so far.
func (r *Reader) Stats() Stats {
	s := r.stats
	s.Convert = r.out.Stats()
	return s
}

// Next returns the next tag, which the caller may keep and change. The error is [io.EOF] at the end of
// what had some, [io.ErrUnexpectedEOF] if it ends in the middle of something, and else one of this
// package's or of package sample's, or the reader's own.
func (r *Reader) Next() (flv.Tag, error) {
	step := r.fromStream
	if r.file != nil {
		step = r.fromFile
	}
	return r.out.Next(step, r.nothing)
}

// nothing says why there was no tag.
func (r *Reader) nothing() error {
	if r.movie == nil {
		return ErrUnfinished
	}
	return ErrNothing
}

// fromFile takes a file's next sample, or what tells of its samples.
func (r *Reader) fromFile() error {
	if r.movie == nil {
		return r.openFile()
	}
	t, err := r.earliest()
	if err != nil {
		return err
	}
	if t == nil {
		for _, t := range r.taken {
			if err := t.bad(); err != nil {
				return cut(err)
			}
		}
		return io.EOF
	}
	s := *t.peeked
	t.peeked = nil
	// Samples may lie in one place only. So a small file takes no long work.
	if t.bytes += int64(s.size); t.bytes > r.size {
		return ErrFormat
	}
	switch {
	case s.size > sample.Most:
		r.told(convert.TooLong, "")
		return nil
	case s.at < 0 || s.at > r.size-int64(s.size):
		return io.ErrUnexpectedEOF
	}
	r.buf = slices.Grow(r.buf[:0], int(s.size))[:s.size]
	if n, err := r.file.ReadAt(r.buf, s.at); n < len(r.buf) {
		return cut(err)
	}
	r.emit(t, s, r.buf)
	return nil
}

// cut is the end of a file in the middle of something.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// openFile looks for what tells of a file's samples, wherever it is.
func (r *Reader) openFile() error {
	pieces := false
	for at := int64(0); ; {
		x, err := boxAt(r.file, at, r.size)
		switch {
		case err == io.EOF, err == ErrFormat:
			switch {
			case pieces:
				return ErrPiece
			case at == 0:
				return ErrFormat
			}
			return ErrUnfinished
		case err != nil:
			return err
		case x.typ == "moov":
			m, err := parseMovie(r.file, x)
			if err != nil {
				return cut(err)
			}
			return r.follow(m)
		case x.typ == "moof":
			pieces = true
		}
		at = x.to
	}
}

// earliest is the track whose next sample is decoded first, nil at the end. Fragments may have one track
// each: others are looked for behind them.
func (r *Reader) earliest() (best *track, err error) {
	for {
		var at int64
		missing := false
		for _, t := range r.taken {
			p := t.peek()
			if p == nil {
				missing = true
				continue
			}
			if dts := t.time(p.dts); best == nil || dts < at {
				best, at = t, dts
			}
		}
		if !missing || !r.movie.fragments || r.over || best != nil && best.waiting() {
			return best, nil
		}
		if err := r.further(); err != nil {
			return nil, err
		}
		best = nil
	}
}

// further looks for a file's next fragment.
func (r *Reader) further() error {
	x, err := boxAt(r.file, r.next, r.size)
	switch {
	case err == io.EOF, err == ErrFormat:
		r.over = true
		return nil
	case err != nil:
		return err
	}
	r.next = x.to
	if x.typ != "moof" {
		return nil
	}
	b, err := load(r.file, x, fragmentMost)
	switch {
	case err == ErrFormat:
		r.damaged()
	case err != nil:
		return cut(err)
	default:
		r.movie.fragment(b, x.at)
	}
	return nil
}

func (r *Reader) damaged() {
	r.stats.Damaged++
	r.told(sample.Damaged, "")
}

// follow takes what a file says of its tracks. A live stream may say it again.
func (r *Reader) follow(m *movie) error {
	r.movie, r.taken = m, nil
	video, unseen, err := m.choose(true)
	if err != nil {
		return err
	}
	sound, unheard, err := m.choose(false)
	switch {
	case err != nil:
		return err
	case video == nil && (sound == nil || len(unseen) > 0):
		return &sample.CodecError{In: "MP4", Has: slices.Compact(append(unseen, unheard...))}
	case sound == nil && len(unheard) > 0:
		r.told(convert.Unheard, unheard[0])
	}
	for _, t := range []*track{video, sound} {
		if t == nil {
			continue
		}
		t.chosen, t.using = true, t.carried()
		t.begin()
		r.taken = append(r.taken, t)
		if t.turned && t.video {
			r.told(sample.Turned, "")
		}
		if t.cut {
			r.told(sample.Cut, "")
		}
	}
	r.configure()
	return nil
}

// choose returns the track of pictures or sound that is taken: the first whose codec is carried, of those
// that are enabled if there are such. Others are the names of codecs that are not carried. A cover is no
// video.
func (m *movie) choose(video bool) (best *track, others []string, err error) {
	encrypted := false
	for _, t := range m.tracks {
		if t.video != video {
			continue
		}
		if t.carried() != nil {
			if best == nil || t.enabled && !best.enabled {
				best = t
			}
			continue
		}
		for i, e := range t.entries {
			encrypted = encrypted || e.encrypted
			if i == 0 && !e.cover && !e.encrypted {
				others = append(others, e.name)
			}
		}
	}
	if best == nil && encrypted {
		return nil, nil, ErrEncrypted
	}
	return best, others, nil
}

// configure tells how the tracks are coded.
func (r *Reader) configure() {
	var video, audio convert.Track
	for _, t := range r.taken {
		if t.video {
			video = t.using.codec.Track
		} else {
			audio = t.using.codec.Track
		}
	}
	r.out.Configure(video, audio)
}

// emit makes tags of a sample.
func (r *Reader) emit(t *track, s sampleAt, data []byte) {
	e := t.describes(s.entry)
	if e == nil || !e.ok {
		r.damaged()
		return
	}
	r.stats.Samples++
	if e != t.using {
		t.using = e
		r.configure()
	}
	u := e.codec.Unit(data, s.key)
	u.PTS, u.DTS, u.HasPTS, u.HasDTS = t.time(s.pts), t.time(s.dts), true, true
	r.out.Put(u, t.video)
}

// movieOf reads a movie out of memory.
func movieOf(b []byte) (*movie, error) {
	return parseMovie(bytes.NewReader(b), box{to: int64(len(b))})
}
