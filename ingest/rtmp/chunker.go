package rtmp

import (
	"bytes"
	"encoding/binary"
	"net"

	"relay/ingest/flv"
)

const (
	// playChunk is the chunk size of the media that players get, in bytes: most frames
	// fit one, and ffmpeg and all that use it take more.
	playChunk = 64 << 10
	// longTimestamp stands where a timestamp does not fit; it then follows in 32 bits.
	longTimestamp = 0xffffff
	// maxKept is how long a list of slices is kept for the next tags; what a player
	// starts with may need a longer one, once.
	maxKept = 512
	// The chunk streams of media, as most servers number them.
	audioChunkStream  = 4
	scriptChunkStream = 5
	videoChunkStream  = 6
)

// chunker turns FLV tags into RTMP messages of message stream 1. Bodies are passed on
// as the slices they came in; only what stands in front of them is made. It belongs
// to one goroutine.
//
// gortmplib's writer would copy every body for every player, and write zeros in the
// place of long timestamps in all chunks of a message but the first.
type chunker struct {
	out   net.Buffers
	begun bool

	head    [flv.TagHeaderLen]byte
	have    int  // bytes of head that have come, 0 between tags
	body    int  // bytes of the body to come
	trailer int  // and of the back pointer
	room    int  // what the present chunk still takes
	skip    bool // it is no tag that RTMP has a message for
	stream  byte
}

// add takes the next bytes of the stream and returns what they make. The list is good
// until the next call. A file header may stand at the start of the very first slice.
func (c *chunker) add(tags net.Buffers) net.Buffers {
	if c.out = c.out[:0]; cap(c.out) > maxKept {
		c.out = nil
	}
	for _, p := range tags {
		if !c.begun && bytes.HasPrefix(p, []byte("FLV")) {
			p = p[min(len(p), flv.FileHeaderLen):]
		}
		c.begun = true
		for len(p) > 0 {
			p = p[c.take(p):]
		}
	}
	return c.out
}

// take takes some of p, and returns how much.
func (c *chunker) take(p []byte) int {
	switch {
	case c.have < len(c.head):
		n := copy(c.head[c.have:], p)
		if c.have += n; c.have == len(c.head) {
			c.begin()
		}
		return n
	case c.body > 0:
		n := min(c.body, len(p))
		if !c.skip {
			if c.room == 0 {
				c.goOn()
			}
			n = min(n, c.room)
			c.room -= n
			c.out = append(c.out, p[:n])
		}
		c.body -= n
		return n
	}
	n := min(c.trailer, len(p))
	if c.trailer -= n; c.trailer == 0 {
		c.have = 0
	}
	return n
}

// begin begins the message of the tag in head.
func (c *chunker) begin() {
	c.body, c.trailer, c.room, c.skip = flv.BodyLen(c.head[:]), flv.TagTrailerLen, playChunk, false
	typ := flv.Type(c.head[0])
	switch typ {
	case flv.Audio:
		c.stream = audioChunkStream
	case flv.Video:
		c.stream = videoChunkStream
	case flv.Script:
		c.stream = scriptChunkStream
	default:
		c.skip = true
		return
	}
	// Type 0, section 5.3.1.2.1: every message carries its own time, so that what a
	// player makes of it does not hang on what came before.
	ts := flv.Timestamp(c.head[:])
	short := min(ts, longTimestamp)
	b := make([]byte, 0, 12+4)
	b = append(b, c.stream, byte(short>>16), byte(short>>8), byte(short))
	b = append(b, byte(c.body>>16), byte(c.body>>8), byte(c.body), byte(typ))
	b = binary.BigEndian.AppendUint32(b, mediaStream)
	c.out = append(c.out, appendLong(b, ts))
}

// goOn begins another chunk of the same message, of type 3. The long timestamp is
// repeated, as all players expect (section 5.3.1.3).
func (c *chunker) goOn() {
	const sameMessage = 3 << 6
	c.out = append(c.out, appendLong([]byte{sameMessage | c.stream}, flv.Timestamp(c.head[:])))
	c.room = playChunk
}

func appendLong(b []byte, ts uint32) []byte {
	if ts < longTimestamp {
		return b
	}
	return binary.BigEndian.AppendUint32(b, ts)
}
