package flv

import "slices"

// Framing says where in a tag's body the parts of a picture begin that is coded as NAL
// units (H.264, HEVC, VVC). All are counted in bytes from the start of the body.
type Framing struct {
	track  int // of the first track's length, 3 bytes; 0 if there is one track
	offset int // of the composition time offset, 3 bytes, signed; 0 if there is none
	data   int // of the first NAL unit's length
}

// FramingOf returns the framing of a video tag's body, of the first track if there are
// several. It reports false if the body holds no picture coded as NAL units. Of the body it
// needs the first [StartLen] bytes.
func FramingOf(body []byte) (Framing, bool) {
	switch {
	case len(body) < legacyShortest+offsetLen:
		return Framing{}, false
	case body[0]&videoEnhancedBit == 0:
		codec := body[0] & 0x0f
		return Framing{0, legacyShortest, legacyShortest + offsetLen},
			(codec == legacyAVC || codec == legacyHEVC) && body[1] == legacyCodedFrames
	}
	h, ok := parseEx(body[1:], body[0]&0x0f, packetVideoMultitrack)
	if !ok || !hasOffset[h.fourCC] || h.track != 0 || body[0]>>4&frameTypeMask == frameCommand {
		return Framing{}, false
	}
	f := Framing{data: 1 + h.at}
	if h.length > 0 {
		f.track = 1 + h.length
	}
	switch h.packet {
	case packetCodedFramesX:
	case packetCodedFrames:
		f.offset, f.data = f.data, f.data+offsetLen
	default:
		return Framing{}, false
	}
	return f, len(body) >= f.data
}

// Insert returns the start of a body with NAL units, each with its length in front, put before
// its own.
func (f Framing) Insert(start, units []byte) []byte {
	b := slices.Concat(start[:f.data], units, start[f.data:])
	if f.track > 0 {
		n := b[f.track : f.track+trackLenLen]
		putUint24(n, uint24(n)+len(units))
	}
	return b
}

// ClearOffset has the picture shown when it is decoded. start is the start of its body.
func (f Framing) ClearOffset(start []byte) {
	if f.offset > 0 {
		clear(start[f.offset : f.offset+offsetLen])
	}
}
