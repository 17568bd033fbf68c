package ingest

import (
	"bufio"
	"io"

	"go.uber.org/zap"

	"relay/ingest/convert"
	"relay/ingest/flv"
	"relay/ingest/mpegts"
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

// media reads tags from bytes in whichever of the formats that are known here they have: FLV, or
// MPEG-TS. What is neither is for the reader of FLV to refuse, which knows what else it looks like.
type media struct {
	*origin
	from *bufio.Reader
	tags interface{ Next() (flv.Tag, error) } // nil before the first tag
}

// readAhead is the buffer of what is read, in bytes: that of both formats' readers, which take it
// over.
const readAhead = 64 << 10

func (o *origin) read(from io.Reader) *media {
	return &media{origin: o, from: bufio.NewReaderSize(from, readAhead)}
}

// flvSignature begins FLV. Nothing more is waited for then.
const flvSignature = "FLV"

// Next returns the next tag, which the caller may keep and change. Its errors are those of
// [flv.Reader.Next] and [mpegts.Reader.Next].
func (m *media) Next() (flv.Tag, error) {
	if m.tags == nil {
		if err := m.open(); err != nil {
			return nil, err
		}
	}
	t, err := m.tags.Next()
	if r, ok := m.tags.(*mpegts.Reader); ok && err != nil {
		m.count(r.Stats())
	}
	return t, err
}

func (m *media) open() error {
	if b, _ := m.from.Peek(len(flvSignature)); len(b) > 0 && string(b) != flvSignature {
		b, err := m.from.Peek(mpegts.SniffLen)
		if err != nil && err != io.EOF {
			return err
		}
		if f, ok := mpegts.Sniff(b); ok {
			m.tags = mpegts.NewReader(m.from, f, m.program, m.told)
			return nil
		}
	}
	m.tags = flv.NewReader(m.from)
	return nil
}

// Known reads the first tag of an input, and returns why that cannot be done: [*flv.NotFLVError] and
// [*mpegts.CodecError] say that it is for others to read.
func Known(from io.Reader) error {
	_, err := newOrigin("", 0, nil).read(from).Next()
	return err
}

// count tells the log what a run of MPEG-TS brought.
func (o *origin) count(s mpegts.Stats) {
	c := s.Convert
	o.log.Info("MPEG-TS ends", zap.String("from", o.name), zap.Uint64("packets", s.Packets), zap.Uint64("damaged", s.Damaged),
		zap.Uint64("scrambled", s.Scrambled), zap.Uint64("broken_units", s.Units), zap.Uint64("losses", c.Lost), zap.Uint64("waited", c.Waited),
		zap.Uint64("pictures", c.Pictures), zap.Uint64("sounds", c.Sounds), zap.Any("troubles", c.Troubles))
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
		}
	}
}
