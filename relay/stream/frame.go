package stream

import (
	"encoding/binary"
	"errors"
)

// Every frame on a link starts with a prelude of four bytes: its type and the
// length of what follows. Chunks, headers and beats are kept with theirs, so that
// a stored frame is sent as it is. relay/wire has the table of all frames.
const (
	PreludeLen = 4

	FrameChunk  = 0x01
	FrameHeader = 0x02
	FrameBeat   = 0x03
	FrameSums   = 0x05
	FrameAbout  = 0x06
)

// Version is the version of the signed formats, in every chunk, header, beat, sums and about.
const Version = 1

// Errors of the parsers in this package. A frame that does not parse is the fault
// of whoever sent it.
var (
	ErrFrame   = errors.New("malformed frame")
	ErrVersion = errors.New("unknown format version")
)

// PutPrelude writes a frame's first four bytes: type and length of the rest.
func PutPrelude(b []byte, typ byte, rest int) {
	binary.BigEndian.PutUint32(b, uint32(typ)<<24|uint32(rest))
}

// Prelude reads a frame's first four bytes.
func Prelude(b []byte) (typ byte, rest int) {
	v := binary.BigEndian.Uint32(b)
	return byte(v >> 24), int(v & 0xffffff)
}

// checkPrelude reports whether frame is one whole frame of the type.
func checkPrelude(frame []byte, want byte) bool {
	if len(frame) < PreludeLen {
		return false
	}
	typ, rest := Prelude(frame)
	return typ == want && rest == len(frame)-PreludeLen
}
