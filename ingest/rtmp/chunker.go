package rtmp

import (
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
	// The chunk streams of media, as most servers number them.
	audioChunkStream  = 4
	scriptChunkStream = 5
	videoChunkStream  = 6
)

// firstChunkLen is how long what stands in front of a message is at most, in bytes.
const firstChunkLen = 12 + 4

// chunker turns FLV tags into RTMP messages of message stream 1. Bodies are passed on
// as the slices they came in; only what stands in front of them is made. It is used once: what it
// has made is shared by players, and must not change.
//
// gortmplib's writer would copy every body for every player, and write zeros in the
// place of long timestamps in all chunks of a message but the first.
type chunker struct {
	out   net.Buffers
	heads []byte // what stands in front of chunks, one behind the other
}

// newChunker returns one that has room for so many messages, with bodies in so many slices.
func newChunker(messages, slices int) *chunker {
	return &chunker{make(net.Buffers, 0, messages+slices), make([]byte, 0, firstChunkLen*messages)}
}

// front adds what stands in front of a chunk.
func (c *chunker) front(add func([]byte) []byte) {
	from := len(c.heads)
	c.heads = add(c.heads)
	c.out = append(c.out, c.heads[from:len(c.heads):len(c.heads)])
}

// message makes the message of a tag. A tag of a type that RTMP has no message for is
// left out.
func (c *chunker) message(tag [][]byte) {
	var head [flv.TagHeaderLen]byte
	var stream byte
	have, body, room := 0, 0, 0 // bytes of head, of the body to come, and that the chunk still takes
	for _, p := range tag {
		if have < len(head) {
			n := copy(head[have:], p)
			p = p[n:]
			if have += n; have < len(head) {
				continue
			}
			if stream = chunkStreamOf(head); stream == 0 {
				return
			}
			c.front(func(b []byte) []byte { return appendFirst(b, head, stream) })
			body, room = flv.BodyLen(head[:]), playChunk
		}
		for p = p[:min(len(p), body)]; len(p) > 0; {
			if room == 0 {
				c.front(func(b []byte) []byte { return appendNext(b, head, stream) })
				room = playChunk
			}
			n := min(len(p), room)
			c.out = append(c.out, p[:n])
			p, body, room = p[n:], body-n, room-n
		}
	}
}

// chunkStreamOf is the chunk stream of a tag's message, 0 if RTMP has none for the tag's type.
func chunkStreamOf(head [flv.TagHeaderLen]byte) byte {
	switch flv.Type(head[0]) {
	case flv.Audio:
		return audioChunkStream
	case flv.Video:
		return videoChunkStream
	case flv.Script:
		return scriptChunkStream
	}
	return 0
}

// appendFirst appends what stands in front of a message's first chunk. It is of type 0 (section
// 5.3.1.2.1): every message carries its own time, so that what a player makes of it does
// not hang on what came before, and all players can have the same.
func appendFirst(b []byte, head [flv.TagHeaderLen]byte, stream byte) []byte {
	ts, body := flv.Timestamp(head[:]), flv.BodyLen(head[:])
	short := min(ts, longTimestamp)
	b = append(b, stream, byte(short>>16), byte(short>>8), byte(short))
	b = append(b, byte(body>>16), byte(body>>8), byte(body), head[0])
	b = binary.BigEndian.AppendUint32(b, mediaStream)
	return appendLong(b, ts)
}

// appendNext appends what stands in front of every further chunk of the same message, of type
// 3. The long timestamp is repeated, as all players expect (section 5.3.1.3).
func appendNext(b []byte, head [flv.TagHeaderLen]byte, stream byte) []byte {
	const sameMessage = 3 << 6
	return appendLong(append(b, sameMessage|stream), flv.Timestamp(head[:]))
}

// appendLong appends the timestamp if it does not fit the chunk's header.
func appendLong(b []byte, ts uint32) []byte {
	if ts < longTimestamp {
		return b
	}
	return binary.BigEndian.AppendUint32(b, ts)
}
