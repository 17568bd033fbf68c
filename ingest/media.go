package ingest

import (
	"bufio"
	"io"

	"go.uber.org/zap"

	"relay/ingest/convert"
	"relay/ingest/elementary"
	"relay/ingest/flv"
	"relay/ingest/mkv"
	"relay/ingest/mp4"
	"relay/ingest/mpegts"
	"relay/ingest/sample"
)

// origin is where media come from, which may be read several times.
type origin struct {
	name    string // for people: no credentials
	program int    // of MPEG-TS; 0 for the first
	log     *zap.Logger
	told    troubles // what is wrong with the media but can be lived with
}

func newOrigin(name string, program int, to *zap.Logger) *origin {
	log := logger(to)
	return &origin{name, program, log, once(log, name)}
}

// media reads tags from bytes in whichever of the formats that are known here they have: FLV,
// Matroska and WebM, MP4 and QuickTime, MPEG-TS, or MP3 and AAC by themselves. What is none is for the reader of FLV to refuse,
// which knows what else it looks like.
type media struct {
	*origin
	file *io.SectionReader // where it may be read anywhere; nil else
	from *bufio.Reader
	tags interface{ Next() (flv.Tag, error) } // nil before the first tag
}

// readAhead is the buffer of what is read, in bytes: that of all formats' readers, which take it
// over.
const readAhead = 64 << 10

func (o *origin) read(from io.Reader) *media {
	return &media{origin: o, file: seekable(from), from: bufio.NewReaderSize(from, readAhead)}
}

// seekable is what is read, if it is a file of which nothing has been read: standard input may be one.
func seekable(from io.Reader) *io.SectionReader {
	f, ok := from.(interface {
		io.ReaderAt
		io.Seeker
	})
	if !ok {
		return nil
	}
	if at, err := f.Seek(0, io.SeekCurrent); err != nil || at != 0 {
		return nil
	}
	size, err := f.Seek(0, io.SeekEnd)
	if _, back := f.Seek(0, io.SeekStart); err != nil || back != nil || size == 0 {
		return nil
	}
	return io.NewSectionReader(f, 0, size)
}

// flvSignature begins FLV. Nothing more is waited for then.
const flvSignature = "FLV"

// Next returns the next tag, which the caller may keep and change. Its errors are those of
// the format's reader.
func (m *media) Next() (flv.Tag, error) {
	if m.tags == nil {
		if err := m.open(); err != nil {
			return nil, err
		}
	}
	t, err := m.tags.Next()
	if err != nil {
		m.count()
	}
	return t, err
}

func (m *media) open() error {
	m.tags = flv.NewReader(m.from)
	b, _ := m.from.Peek(len(flvSignature))
	if len(b) == 0 || string(b) == flvSignature {
		return nil
	}
	b, err := m.from.Peek(mp4.SniffLen)
	if err != nil && err != io.EOF {
		return err
	}
	switch {
	case mkv.Sniff(b):
		m.tags = mkv.NewReader(m.from, m.told)
		return nil
	case mp4.Sniff(b) && m.file != nil:
		m.tags = mp4.NewFile(m.file, m.file.Size(), m.told)
		return nil
	case mp4.Sniff(b):
		m.tags = mp4.NewStream(m.from, m.told)
		return nil
	}
	if b, err = m.from.Peek(mpegts.SniffLen); err != nil && err != io.EOF {
		return err
	}
	if f, ok := mpegts.Sniff(b); ok {
		m.tags = mpegts.NewReader(m.from, f, m.program, m.told)
		return nil
	}
	if b, err = m.from.Peek(elementary.SniffLen); err != nil && err != io.EOF {
		return err
	}
	if _, ok := elementary.Sniff(b); ok {
		m.tags = elementary.NewReader(m.from, m.told)
	}
	return nil
}

// Known reads the first tag of an input, and returns why that cannot be done: [*flv.NotFLVError],
// [*mpegts.CodecError], [*sample.CodecError] and [elementary.ErrNothing] say that it is for others to read.
func Known(from io.Reader) error {
	_, err := newOrigin("", 0, nil).read(from).Next()
	return err
}

// count tells the log what a run brought.
func (m *media) count() {
	switch r := m.tags.(type) {
	case *mpegts.Reader:
		m.origin.count(r.Stats())
	case *mkv.Reader:
		s := r.Stats()
		m.log.Info("Matroska ends", append(counts(m.name, s.Convert), zap.Uint64("blocks", s.Blocks), zap.Uint64("damaged", s.Damaged), zap.Uint64("encrypted", s.Encrypted))...)
	case *elementary.Reader:
		s := r.Stats()
		m.log.Info("sound ends", append(counts(m.name, s.Convert), zap.Uint64("tags", s.Tags))...)
	case *mp4.Reader:
		s := r.Stats()
		m.log.Info("MP4 ends", append(counts(m.name, s.Convert), zap.Uint64("samples", s.Samples), zap.Uint64("damaged", s.Damaged))...)
	}
}

// count tells the log what a run of MPEG-TS brought.
func (o *origin) count(s mpegts.Stats) {
	o.log.Info("MPEG-TS ends", append(counts(o.name, s.Convert), zap.Uint64("packets", s.Packets), zap.Uint64("damaged", s.Damaged),
		zap.Uint64("scrambled", s.Scrambled), zap.Uint64("broken_units", s.Units))...)
}

func counts(name string, c convert.Stats) []zap.Field {
	return []zap.Field{
		zap.String("from", name), zap.Uint64("losses", c.Lost), zap.Uint64("waited", c.Waited),
		zap.Uint64("pictures", c.Pictures), zap.Uint64("sounds", c.Sounds), zap.Any("troubles", c.Troubles),
	}
}

// troubles hears of what is wrong with media; which is a name of sound.
type troubles func(what convert.Trouble, which string)

// once returns what warns of each trouble once.
func once(log *zap.Logger, name string) troubles {
	said := make(map[convert.Trouble]bool)
	return func(what convert.Trouble, which string) {
		if said[what] {
			return
		}
		said[what] = true
		from := zap.String("from", name)
		switch what {
		case convert.BadTimes:
			log.Warn("decoding times that cannot be", from)
		case convert.NoTime:
			log.Warn("frames without a time", from)
		case convert.NoPicture:
			log.Warn("no picture in a unit of video", from)
		case convert.NoSound:
			log.Warn("no frame in a part of the sound", from)
		case convert.Unheard:
			log.Warn("sound that cannot be carried", from, zap.String("which", which))
		case convert.TooLong:
			log.Warn("frames that are too long", from)
		case mpegts.Scrambled:
			log.Warn("packets are scrambled", from)
		case sample.Damaged:
			log.Warn("a part cannot be read", from)
		case sample.Turned:
			log.Warn("pictures are to be turned", from)
		case sample.Cut:
			log.Warn("a part is cut out", from)
		}
	}
}
