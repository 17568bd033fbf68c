package rtp

import (
	"encoding/binary"

	"relay/ingest/convert"
)

const (
	// unitMost bounds a picture, in bytes: as that of MPEG-TS is.
	unitMost = 8 << 20
	// nalsMost bounds the NAL units in a picture; convert takes no more.
	nalsMost = 1024
)

// assembler makes units of payloads.
type assembler interface {
	// take adds a payload to the unit. It reports false if the unit cannot be whole any more.
	take(payload []byte) bool
	// unit is what was taken; it is good until the next take. It reports false if that is no whole unit.
	unit() (convert.Unit, bool)
	// reset forgets what was taken.
	reset()
}

func newAssembler(f convert.Format) assembler {
	switch f {
	case convert.H264:
		return &nals{codec: h264}
	case convert.HEVC:
		return &nals{codec: hevc}
	case convert.AV1:
		return &obus{}
	case convert.VP9:
		return &vp9{}
	}
	return &whole{}
}

// whole is a payload that is a unit.
type whole struct{ b []byte }

func (w *whole) take(b []byte) bool         { w.b = b; return len(b) > 0 }
func (w *whole) unit() (convert.Unit, bool) { return convert.Unit{Data: w.b}, len(w.b) > 0 }
func (w *whole) reset()                     { w.b = nil }

// nals are the NAL units of H.264 (RFC 6184) or HEVC (RFC 7798) in one picture.
type nals struct {
	codec  nalCodec
	data   []byte
	ends   []int // of units in data
	parts  bool  // the last one goes on in the next payload
	coded  bool  // it has a part of a picture
	listed [][]byte
}

// nalCodec is how a codec's units are carried.
type nalCodec struct {
	head     int                                   // bytes in front of a unit
	several  byte                                  // type of payloads with several units
	fragment byte                                  // type of payloads with a part of one
	known    func(typ byte) bool                   // a unit that is carried by itself
	typeOf   func(b []byte) byte                   // of a unit, or a payload, with a whole head
	rebuilt  func(payload []byte, typ byte) []byte // the head of a unit that was cut
	first    func(b []byte) (coded, first bool)    // it is a part of a picture, and the first
}

var h264 = nalCodec{
	head: 1, several: 24, fragment: 28, // STAP-A, FU-A: those of packetization mode 1
	known:   func(typ byte) bool { return typ > 0 && typ < 24 },
	typeOf:  func(b []byte) byte { return b[0] & 0x1f },
	rebuilt: func(b []byte, typ byte) []byte { return []byte{b[0]&0xe0 | typ} },
	first: func(b []byte) (coded, first bool) {
		typ := b[0] & 0x1f
		coded = typ == 1 || typ == 2 || typ == 5
		return coded, len(b) > 1 && b[1]&0x80 != 0 // first_mb_in_slice is 0 (ITU-T H.264, 7.3.3)
	},
}

var hevc = nalCodec{
	head: 2, several: 48, fragment: 49,
	known:   func(typ byte) bool { return typ < 48 },
	typeOf:  func(b []byte) byte { return b[0] >> 1 & 0x3f },
	rebuilt: func(b []byte, typ byte) []byte { return []byte{b[0]&0x81 | typ<<1, b[1]} },
	first: func(b []byte) (coded, first bool) {
		coded = b[0]>>1&0x3f < 32
		return coded, len(b) > 2 && b[2]&0x80 != 0 // first_slice_segment_in_pic_flag (ITU-T H.265, 7.3.6.1)
	},
}

func (n *nals) reset() {
	n.data, n.ends, n.parts, n.coded = n.data[:0], n.ends[:0], false, false
}

func (n *nals) take(b []byte) bool {
	c := n.codec
	if len(b) <= c.head || len(n.data)+len(b) > unitMost {
		return false
	}
	switch typ := c.typeOf(b); {
	case typ == c.fragment:
		return n.fragment(b)
	case n.parts:
		return false // the rest of a unit is missing
	case typ == c.several:
		for b = b[c.head:]; len(b) > 0; {
			if len(b) < 2 {
				return false
			}
			size := int(binary.BigEndian.Uint16(b))
			if b = b[2:]; size <= c.head || size > len(b) || !c.known(c.typeOf(b)) || !n.add(b[:size]) {
				return false
			}
			b = b[size:]
		}
		return true
	case c.known(typ):
		return n.add(b)
	}
	return false // packetization modes that nobody offered
}

func (n *nals) add(unit []byte) bool {
	n.data = append(n.data, unit...)
	return n.end()
}

// fragment adds a part of a unit, as FU-A of H.264 and FU of HEVC have it: a head of one byte behind that of the payload.
func (n *nals) fragment(b []byte) bool {
	const starts, ends = 0x80, 0x40
	head := n.codec.head
	if len(b) < head+2 {
		return false
	}
	fu := b[head]
	if starting := fu&starts != 0; starting == n.parts {
		return false // a start in the middle, or a rest without one
	} else if starting {
		typ := fu & 0x3f
		if head == 1 {
			typ &= 0x1f
		}
		if !n.codec.known(typ) {
			return false
		}
		n.data = append(n.data, n.codec.rebuilt(b, typ)...)
		n.parts = true
	}
	n.data = append(n.data, b[head+1:]...)
	if fu&ends != 0 {
		n.parts = false
		return n.end()
	}
	return true
}

// end ends a unit. It reports false for one that cannot be, as with a picture that lacks its beginning.
func (n *nals) end() bool {
	at := 0
	if len(n.ends) > 0 {
		at = n.ends[len(n.ends)-1]
	}
	coded, first := n.codec.first(n.data[at:])
	if coded && !n.coded && !first || len(n.ends) >= nalsMost {
		return false
	}
	n.coded = n.coded || coded
	n.ends = append(n.ends, len(n.data))
	return true
}

func (n *nals) unit() (convert.Unit, bool) {
	at := 0
	n.listed = n.listed[:0]
	for _, end := range n.ends {
		n.listed = append(n.listed, n.data[at:end])
		at = end
	}
	return convert.Unit{NALs: n.listed}, len(n.listed) > 0 && !n.parts
}

// vp9 is a frame of VP9 (RFC 9628). Of several spatial layers it takes the lowest.
type vp9 struct {
	data  []byte
	begun bool // the start of the frame was seen
	ended bool // and its end
}

func (v *vp9) reset() { v.data, v.begun, v.ended = v.data[:0], false, false }

func (v *vp9) take(b []byte) bool {
	const pictureID, predicted, layers, flexible, starts, ends, scalable = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02
	if len(b) == 0 {
		return false
	}
	head := b[0]
	b = b[1:]
	byteOf := func() (c byte, ok bool) {
		if len(b) == 0 {
			return 0, false
		}
		c, b = b[0], b[1:]
		return c, true
	}
	skip := func(n int) bool {
		if len(b) < n {
			return false
		}
		b = b[n:]
		return true
	}
	if head&pictureID != 0 {
		if c, ok := byteOf(); !ok || c&0x80 != 0 && !skip(1) {
			return false
		}
	}
	layer := byte(0)
	if head&layers != 0 {
		c, ok := byteOf()
		if !ok || head&flexible == 0 && !skip(1) { // TL0PICIDX
			return false
		}
		layer = c >> 1 & 7
	}
	if head&flexible != 0 && head&predicted != 0 {
		for more := 0; ; more++ {
			c, ok := byteOf()
			if !ok || more > 2 {
				return false
			}
			if c&1 == 0 {
				break
			}
		}
	}
	if head&scalable != 0 && !skipVP9Structure(byteOf, skip) {
		return false
	}
	if layer > 0 {
		return true
	}
	if first := head&starts != 0; first == v.begun || v.ended || len(b) == 0 || len(v.data)+len(b) > unitMost {
		return false
	}
	v.begun, v.ended = true, head&ends != 0
	v.data = append(v.data, b...)
	return true
}

// skipVP9Structure skips the scalability structure (RFC 9628, 4.2.1).
func skipVP9Structure(byteOf func() (byte, bool), skip func(int) bool) bool {
	c, ok := byteOf()
	if !ok || c&0x10 != 0 && !skip(4*(int(c>>5)+1)) { // sizes of the layers
		return false
	}
	if c&0x08 == 0 {
		return true
	}
	n, ok := byteOf()
	for ; ok && n > 0; n-- {
		if c, ok = byteOf(); ok {
			ok = skip(int(c >> 2 & 3))
		}
	}
	return ok
}

func (v *vp9) unit() (convert.Unit, bool) { return convert.Unit{Data: v.data}, v.ended }

// obus is a temporal unit of AV1 (RTP Payload Format For AV1, 4.4): OBUs without sizes come, and with sizes they go.
type obus struct {
	data  []byte
	part  []byte // an OBU that goes on in the next payload
	parts bool
}

func (o *obus) reset() { o.data, o.part, o.parts = o.data[:0], o.part[:0], false }

func (o *obus) take(b []byte) bool {
	const goesOn, continues, count = 0x80, 0x40, 0x30
	if len(b) < 2 || len(o.data)+len(o.part)+len(b) > unitMost {
		return false
	}
	head := b[0]
	b = b[1:]
	if (head&goesOn != 0) != o.parts {
		return false
	}
	for i, n := 1, int(head&count>>4); len(b) > 0; i++ {
		size := uint64(len(b))
		if i != n { // the last of so many has no size; with 0, each has
			var used int
			if size, used = binary.Uvarint(b); used <= 0 || size > uint64(len(b)-used) { // LEB128 is the same
				return false
			}
			b = b[used:]
		}
		o.part = append(o.part, b[:size]...)
		b = b[size:]
		if len(b) == 0 && head&continues != 0 {
			o.parts = true
			return true
		}
		if o.parts = false; !o.end() {
			return false
		}
	}
	return true
}

// end puts an OBU into the unit, with its size. Empty ones are left out.
func (o *obus) end() bool {
	const hasExtension, hasSize = 4, 2
	b := o.part
	o.part = o.part[:0]
	if len(b) == 0 {
		return true
	}
	if b[0]&hasSize != 0 {
		o.data = append(o.data, b...)
		return true
	}
	n := 1
	if b[0]&hasExtension != 0 {
		n++
	}
	if len(b) < n {
		return false
	}
	o.data = append(o.data, b[0]|hasSize)
	o.data = append(o.data, b[1:n]...)
	o.data = binary.AppendUvarint(o.data, uint64(len(b)-n))
	o.data = append(o.data, b[n:]...)
	return true
}

func (o *obus) unit() (convert.Unit, bool) {
	return convert.Unit{Data: o.data}, len(o.data) > 0 && !o.parts
}
