package flv

import (
	"github.com/nareix/joy4/format/flv/flvio"
)

// Type is a tag's type byte.
type Type uint8

// Tag types.
const (
	Audio  Type = flvio.TAG_AUDIO
	Video  Type = flvio.TAG_VIDEO
	Script Type = flvio.TAG_SCRIPTDATA
)

const (
	// TagHeaderLen is the length of the header in front of a tag's body.
	TagHeaderLen = flvio.TagHeaderLength
	// TagTrailerLen is the length of the back pointer behind it.
	TagTrailerLen = flvio.TagTrailerLength
	// FileHeaderLen is the length of a file header with its first back pointer.
	FileHeaderLen = flvio.FileHeaderLength + TagTrailerLen
	// MaxBody is the longest body a tag can have: its length has 24 bits.
	MaxBody = 1<<24 - 1
)

// Tag is one whole FLV tag: header, body and trailing back pointer.
type Tag []byte

// NewTag returns a tag with a copy of body, which is at most [MaxBody] long.
// ts is in milliseconds.
func NewTag(typ Type, ts uint32, body []byte) Tag { return TagIn(nil, typ, ts, body) }

// TagIn is NewTag in the memory of b, if that is long enough.
func TagIn(b []byte, typ Type, ts uint32, body []byte) Tag { return tagOf(b, typ, ts, body, nil) }

// tagOf is TagIn for a body in two pieces.
func tagOf(b []byte, typ Type, ts uint32, head, rest []byte) Tag {
	body := len(head) + len(rest)
	n := TagHeaderLen + body + TagTrailerLen
	if cap(b) < n {
		b = make([]byte, n)
	}
	t := Tag(b[:n])
	flvio.FillTagHeader(t, uint8(typ), body, int32(ts))
	copy(t[TagHeaderLen:], head)
	copy(t[TagHeaderLen+len(head):], rest)
	flvio.FillTagTrailer(t[TagHeaderLen+body:], body)
	return t
}

// Type returns the tag's type.
func (t Tag) Type() Type { return Type(t[0]) }

// Body returns what lies between the tag's header and its trailer.
func (t Tag) Body() []byte { return t[TagHeaderLen : len(t)-TagTrailerLen] }

// Timestamp returns the tag's decoding time in milliseconds.
func (t Tag) Timestamp() uint32 { return Timestamp(t) }

// BodyLen returns the body length that a tag header declares. It reads the first
// four bytes of header.
func BodyLen(header []byte) int {
	return uint24(header[1:])
}

// PutBodyLen changes the body length that a tag header declares. n is at most
// [MaxBody].
func PutBodyLen(header []byte, n int) {
	putUint24(header[1:], n)
}

func uint24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

func putUint24(b []byte, n int) { b[0], b[1], b[2] = byte(n>>16), byte(n>>8), byte(n) }

// Trailer returns the back pointer behind a tag with a body of n bytes.
func Trailer(n int) []byte {
	b := make([]byte, TagTrailerLen)
	flvio.FillTagTrailer(b, n)
	return b
}

// Timestamp reads the timestamp, in milliseconds, of a tag header of 11 bytes.
func Timestamp(header []byte) uint32 {
	return uint32(header[7])<<24 | uint32(header[4])<<16 | uint32(header[5])<<8 | uint32(header[6])
}

// PutTimestamp changes the timestamp of a tag header of 11 bytes.
func PutTimestamp(header []byte, ts uint32) {
	header[4], header[5], header[6], header[7] = byte(ts>>16), byte(ts>>8), byte(ts), byte(ts>>24)
}
