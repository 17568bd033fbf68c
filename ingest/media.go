package ingest

import (
	"bufio"
	"io"

	"go.uber.org/zap"

	"relay/ingest/convert"
	"relay/ingest/flv"
	"relay/ingest/mpegts"
)

// media reads tags from bytes in whichever of the formats that are known here they have: FLV, or
// MPEG-TS. What is neither is for the reader of FLV to refuse, which knows what else it looks like.
type media struct {
	from    *bufio.Reader
	program int // of MPEG-TS; 0 for the first
	told    troubles
	tags    interface{ Next() (flv.Tag, error) } // nil before the first tag
}

// readAhead is the buffer of what is read, in bytes: that of both formats' readers, which take it
// over.
const readAhead = 64 << 10

// newMedia returns a reader. told hears of what is wrong with the media but can be lived with.
func newMedia(from io.Reader, program int, told troubles) *media {
	return &media{from: bufio.NewReaderSize(from, readAhead), program: program, told: told}
}

// flvSignature begins FLV. Nothing more is waited for then.
const flvSignature = "FLV"

// Next returns the next tag, which the caller may keep and change. Its errors are those of
// [flv.Reader.Next] and [mpegts.Reader.Next].
func (m *media) Next() (flv.Tag, error) {
	if m.tags == nil {
		tags, err := m.open()
		if err != nil {
			return nil, err
		}
		m.tags = tags
	}
	return m.tags.Next()
}

func (m *media) open() (interface{ Next() (flv.Tag, error) }, error) {
	if b, _ := m.from.Peek(len(flvSignature)); len(b) == 0 || string(b) == flvSignature {
		return flv.NewReader(m.from), nil
	}
	b, err := m.from.Peek(mpegts.SniffLen)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if f, ok := mpegts.Sniff(b); ok {
		return mpegts.NewReader(m.from, f, m.program, m.told), nil
	}
	return flv.NewReader(m.from), nil
}

// troubles hears of what is wrong with an input; which is a name of sound.
type troubles func(what convert.Trouble, which string)

// once returns what warns of each trouble of an input once, however often it is opened.
func once(to *zap.Logger, from string) troubles {
	log, said := logger(to), make(map[convert.Trouble]bool)
	return func(what convert.Trouble, which string) {
		if said[what] {
			return
		}
		said[what] = true
		from := zap.String("from", from)
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
