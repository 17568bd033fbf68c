//go:build e2e && linux

package main

import (
	"bytes"
	"errors"

	"relay/ingest/flv"
)

const (
	tsPacket = 188
	tsSync   = 0x47
	// The stream IDs of pictures and sound in front of each frame (ISO/IEC 13818-1, table 2-22).
	pesVideo, pesAudio = 0xe0, 0xc0
	pesHead            = 9 // bytes, and as many more as the last one says
	adtsHead           = 7 // in front of a frame of sound (ISO/IEC 14496-3, 1.A.2)
	// maxSets bounds what the server puts in front of a key frame, in bytes.
	maxSets = 1024
)

var errNotTS = errors.New("a packet does not begin like MPEG-TS")

// tsParser is the parser of MPEG-TS. Tables are passed over. A frame ends with its last byte that
// was sent, because a picture's length is not told.
type tsParser struct {
	check *check
	buf   [tsPacket]byte
	have  int

	pictures, sound elementary
}

// elementary is what a stream of packets has in common.
type elementary struct {
	typ     flv.Type
	pid     int
	skipped []byte // what came before the frame: parameter sets, the head of ADTS
	inFrame bool
	left    int // of a frame of sound
}

func newTSParser(c *check) *tsParser {
	return &tsParser{check: c, pictures: elementary{typ: flv.Video}, sound: elementary{typ: flv.Audio}}
}

func (t *tsParser) feed(p []byte, whole func(int)) error {
	for len(p) > 0 {
		n := copy(t.buf[t.have:], p)
		if p, t.have = p[n:], t.have+n; t.have < tsPacket {
			return nil
		}
		t.have = 0
		if t.buf[0] != tsSync {
			return errNotTS
		}
		t.packet(t.buf[:], whole)
	}
	return nil
}

// packet takes one packet apart.
func (t *tsParser) packet(b []byte, whole func(int)) {
	begins, pid := b[1]&0x40 != 0, int(b[1]&0x1f)<<8|int(b[2])
	at := 4
	if b[3]&0x20 != 0 {
		at += 1 + int(b[4])
	}
	if b[3]&0x10 == 0 || at >= len(b) {
		return
	}
	p := b[at:]
	if begins && len(p) > pesHead && p[0] == 0 && p[1] == 0 && p[2] == 1 {
		switch p[3] {
		case pesVideo:
			t.pictures.pid = pid
			t.cut(&t.pictures)
		case pesAudio:
			t.sound.pid = pid
			t.cut(&t.sound)
		}
		p = p[min(len(p), pesHead+int(p[8])):]
	}
	switch pid {
	case 0: // the table of programs
	case t.pictures.pid:
		t.picture(p, whole)
	case t.sound.pid:
		t.sounds(p, whole)
	}
}

// cut ends a frame that is not whole, since another one begins.
func (t *tsParser) cut(e *elementary) {
	if e.inFrame {
		t.check.end()
	}
	e.inFrame, e.skipped = false, e.skipped[:0]
}

// picture takes a piece of a picture, behind what the server puts in front of it.
func (t *tsParser) picture(p []byte, whole func(int)) {
	e := &t.pictures
	if !e.inFrame {
		e.skipped = append(e.skipped, p...)
		mark := bytes.Index(e.skipped, []byte(startCode+"\x06\x05"))
		if mark < 0 || len(e.skipped) < mark+headLen {
			if len(e.skipped) > maxSets {
				e.skipped = e.skipped[:0]
				t.check.flaws.foreign++
			}
			return
		}
		t.check.configured[0] = true // with the tables and parameter sets
		t.check.begin(flv.Video, 0, flv.MaxBody)
		e.inFrame, p = true, e.skipped[mark:]
	}
	t.check.body(p)
	if t.check.complete() {
		t.whole(e, whole)
	}
}

// sounds takes a piece of frames of sound.
func (t *tsParser) sounds(p []byte, whole func(int)) {
	e := &t.sound
	for len(p) > 0 {
		if !e.inFrame {
			n := min(len(p), adtsHead-len(e.skipped))
			e.skipped, p = append(e.skipped, p[:n]...), p[n:]
			if len(e.skipped) < adtsHead {
				return
			}
			h := e.skipped
			e.left = int(h[3]&3)<<11 | int(h[4])<<3 | int(h[5]>>5) - adtsHead
			t.check.configured[1] = true
			t.check.begin(flv.Audio, 0, e.left)
			e.inFrame = true
		}
		n := min(e.left, len(p))
		t.check.body(p[:n])
		if p, e.left = p[n:], e.left-n; e.left == 0 {
			t.whole(e, whole)
		}
	}
}

func (t *tsParser) whole(e *elementary, whole func(int)) {
	e.inFrame, e.skipped = false, e.skipped[:0]
	if number, ok := t.check.end(); ok {
		whole(number)
	}
}
