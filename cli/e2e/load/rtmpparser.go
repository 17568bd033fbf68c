//go:build e2e && linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"

	"relay/ingest/flv"
)

// RTMP (1.0, sections 5.3 and 5.4), as far as a player and a publisher need it. The room
// ingest/rtmp keeps each message; a thousand viewers in one process cannot.

const (
	setChunkSize = 1
	audioMessage = 8
	videoMessage = 9
	dataMessage  = 18 // AMF0
	cmdMessage   = 20 // AMF0

	defaultChunk = 128      // bytes
	longTime     = 0xffffff // it follows in 32 bits
	// chunkStreams is how many chunk streams are told apart: servers use up to ten.
	chunkStreams = 64
	// maxReply bounds a message that is not media, in bytes.
	maxReply = 64 << 10
)

var errMixed = errors.New("chunks of two messages are mixed, which this player cannot read")

// rtmpParser is the parser of the chunks that a player gets. Messages come one after the other: no
// server mixes the chunks of two.
type rtmpParser struct {
	check *check
	// reply gets each message that is not media. It is nil for nobody.
	reply func(typ byte, body []byte)

	chunk   int // the server's, in bytes
	buf     [18]byte
	have    int
	streams [chunkStreams]chunkStream
	of      int // chunk stream of the message that is coming; 0 for none
	left    int // of the message
	now     int // left of the chunk
	other   []byte
}

// chunkStream is what the next header may leave out.
type chunkStream struct {
	size int
	typ  byte
	long bool // the timestamp takes 32 bits
}

func newRTMPParser(c *check) *rtmpParser { return &rtmpParser{check: c, chunk: defaultChunk} }

func (r *rtmpParser) feed(p []byte, whole func(int)) error {
	for len(p) > 0 {
		if r.now == 0 {
			size := r.headerSize()
			n := copy(r.buf[r.have:size], p)
			p, r.have = p[n:], r.have+n
			if r.have < size || r.have < r.headerSize() { // the first bytes tell how many there are
				continue
			}
			r.have = 0
			if err := r.header(r.buf[:size]); err != nil {
				return err
			}
		} else {
			n := min(r.now, len(p))
			r.body(p[:n])
			p, r.now, r.left = p[n:], r.now-n, r.left-n
		}
		if r.now == 0 && r.left == 0 && r.of != 0 {
			r.end(whole)
		}
	}
	return nil
}

// headerSize is how long the header of a chunk is, as far as its first bytes tell.
func (r *rtmpParser) headerSize() int {
	if r.have == 0 {
		return 1
	}
	format, id := r.buf[0]>>6, int(r.buf[0]&0x3f)
	size := 1 + [...]int{11, 7, 3, 0}[format]
	switch {
	case format == 3 && r.streams[id].long:
		size += 4
	case format < 3 && r.have >= 4 && uint24(r.buf[1:]) == longTime:
		size += 4
	}
	return size
}

func uint24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

func (r *rtmpParser) header(b []byte) error {
	format, id := b[0]>>6, int(b[0]&0x3f)
	if id < 2 {
		return fmt.Errorf("a chunk stream beyond %d", chunkStreams-1)
	}
	if r.of != 0 && (r.of != id || format != 3) {
		return errMixed
	}
	s := &r.streams[id]
	if format < 3 {
		s.long = uint24(b[1:]) == longTime
	}
	if format < 2 {
		s.size, s.typ = uint24(b[4:]), b[7]
	}
	if r.of == 0 {
		r.of, r.left, r.other = id, s.size, r.other[:0]
		if isMedia(s.typ) {
			r.check.begin(flv.Type(s.typ), 0, s.size) // FLV has RTMP's types
		} else if s.size > maxReply {
			return fmt.Errorf("a message of type %d and %d bytes", s.typ, s.size)
		}
	}
	r.now = min(r.left, r.chunk)
	return nil
}

func isMedia(typ byte) bool { return typ == audioMessage || typ == videoMessage }

func (r *rtmpParser) body(p []byte) {
	if isMedia(r.streams[r.of].typ) {
		r.check.body(p)
		return
	}
	r.other = append(r.other, p...)
}

func (r *rtmpParser) end(whole func(int)) {
	typ := r.streams[r.of].typ
	r.of = 0
	switch {
	case isMedia(typ):
		if n, ok := r.check.end(); ok {
			whole(n)
		}
	case typ == setChunkSize && len(r.other) == 4:
		r.chunk = int(binary.BigEndian.Uint32(r.other))
	case r.reply != nil:
		r.reply(typ, r.other)
	}
}
