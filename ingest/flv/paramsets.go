package flv

import (
	"encoding/binary"
	"slices"
)

// maxParameterSets bounds the parameter sets taken from a configuration: H.264 has 32
// sequence and 256 picture parameter sets (ITU-T H.264, 7.4.2), encoders send one of each.
const maxParameterSets = 32 + 256

// ParameterSets are the NAL units of an H.264 or HEVC decoder configuration, which a
// decoder also understands in band, in front of a picture.
type ParameterSets struct {
	Codec   string // h264 or hevc
	Units   [][]byte
	LenSize int // bytes of the length in front of each NAL unit of a frame: 1, 2 or 4
}

// ParameterSetsOf returns the parameter sets of the first video track in a header's
// payload. It reports false if there are none, or if they are malformed.
func ParameterSetsOf(headerPayload []byte) (ParameterSets, bool) {
	for t := range Tags(headerPayload) {
		if t.Type() != Video {
			continue
		}
		if c, ok := Decode(t); ok && c.Config {
			return c.ParameterSets()
		}
	}
	return ParameterSets{}, false
}

// Equal reports whether a decoder could not tell p from o.
func (p ParameterSets) Equal(o ParameterSets) bool {
	return p.Codec == o.Codec && slices.EqualFunc(p.Units, o.Units, slices.Equal[[]byte])
}

// Framed returns the units as they stand in a frame of the stream, each with its
// length in front.
func (p ParameterSets) Framed() []byte { return framed(slices.Values(p.Units), p.LenSize) }

// ParameterSets returns the parameter sets in a decoder configuration. It reports false
// if the codec has none, or if they are malformed.
func (c Coded) ParameterSets() (ParameterSets, bool) {
	p, ok := ParameterSets{Codec: c.Codec}, false
	switch c.Codec {
	case h264:
		ok = p.parseAVC(c.Data)
	case hevc:
		ok = p.parseHEVC(c.Data)
	}
	return p, ok && len(p.Units) > 0 && p.LenSize != 3
}

// parseAVC reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1).
func (p *ParameterSets) parseAVC(b []byte) bool {
	const fixed = 6
	if len(b) < fixed || b[0] != 1 {
		return false
	}
	p.LenSize = int(b[4]&3) + 1
	rest, ok := p.take(b[fixed:], int(b[5]&0x1f))
	if !ok || len(rest) < 1 {
		return false
	}
	_, ok = p.take(rest[1:], int(rest[0])) // extensions of some profiles follow
	return ok
}

// parseHEVC reads an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1).
func (p *ParameterSets) parseHEVC(b []byte) bool {
	const fixed = 23
	if len(b) < fixed || b[0] != 1 {
		return false
	}
	p.LenSize = int(b[21]&3) + 1
	arrays, b := int(b[22]), b[fixed:]
	for range arrays {
		if len(b) < 3 {
			return false
		}
		var ok bool
		if b, ok = p.take(b[3:], int(binary.BigEndian.Uint16(b[1:]))); !ok {
			return false
		}
	}
	return true
}

// take reads n units, each with a length of 16 bits in front.
func (p *ParameterSets) take(b []byte, n int) (rest []byte, ok bool) {
	for range n {
		if len(b) < 2 || len(p.Units) == maxParameterSets {
			return nil, false
		}
		size := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; size == 0 || size > len(b) {
			return nil, false
		}
		p.Units, b = append(p.Units, b[:size]), b[size:]
	}
	return b, true
}
