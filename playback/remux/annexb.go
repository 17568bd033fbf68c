package remux

import (
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
)

// maxUnits bounds the NAL units of one picture: several hundred slices are the
// most a level allows.
const maxUnits = 1024

// Access unit delimiters, which some players need (ISO/IEC 13818-1, 2.14.1 and 2.17.1): of
// pictures of any kind.
var (
	delimiter264 = []byte{9, 0xf0}
	delimiter265 = []byte{35 << 1, 1, 0x50}
)

var startCode = []byte{0, 0, 0, 1}

// annexB returns a picture as a byte stream of NAL units (ITU-T H.264, annex B), which begins with a
// delimiter, and has the parameter sets in front of one to start at; none if it is malformed. It also
// reports whether a decoder can begin there. Of the picture no byte is copied.
func annexB(t *track, f frame) (stream [][]byte, random bool) {
	delimiter := delimiter264
	if t.name == "hevc" {
		delimiter = delimiter265
	}
	var sets [][]byte
	if f.key {
		sets = t.sets.Units
	}
	stream = make([][]byte, 0, 8+2*(len(sets)+len(f.data))) // a unit or two, each with a start code
	begin := func() {
		for _, u := range sets {
			stream = append(stream, startCode, u)
		}
	}
	units := 0
	for left := (unread{rest: f.data}); left.more(); {
		n, ok := left.number(t.sets.LenSize)
		if !ok || units+len(sets) >= maxUnits {
			return nil, false
		}
		if n == 0 {
			continue
		}
		if !left.more() {
			return nil, false
		}
		head := left.first[:1]
		delimits := units == 0 && t.name == "h264" && h264.NALUType(head[0]&0x1f) == h264.NALUTypeAccessUnitDelimiter
		if units == 0 && (!delimits || head[0] != delimiter[0]) {
			stream = append(stream, startCode, delimiter)
		}
		if units == 0 && !delimits {
			begin()
		}
		if stream, ok = left.take(append(stream, startCode), n); !ok {
			return nil, false
		}
		if delimits { // it must be the first of all
			begin()
		}
		random = random || t.name == "h264" && h264.IsRandomAccess([][]byte{head}) || t.name == "hevc" && h265.IsRandomAccess([][]byte{head})
		units++
	}
	if units == 0 {
		return nil, false
	}
	return stream, random
}

// unread is what is left of bytes that are in pieces.
type unread struct {
	rest  [][]byte
	first []byte // in front of rest
}

// more reports whether there is a byte left, which then is the first of first.
func (p *unread) more() bool {
	for len(p.first) == 0 && len(p.rest) > 0 {
		p.first, p.rest = p.rest[0], p.rest[1:]
	}
	return len(p.first) > 0
}

// number reads a number of so many bytes, and reports false if there are fewer.
func (p *unread) number(bytes int) (n int, ok bool) {
	for range bytes {
		if !p.more() {
			return 0, false
		}
		n, p.first = n<<8|int(p.first[0]), p.first[1:]
	}
	return n, true
}

// take appends the next n bytes, and reports false if there are fewer.
func (p *unread) take(to [][]byte, n int) (_ [][]byte, ok bool) {
	for n > 0 {
		if !p.more() {
			return to, false
		}
		b := p.first[:min(n, len(p.first))]
		to, p.first, n = append(to, b), p.first[len(b):], n-len(b)
	}
	return to, true
}
