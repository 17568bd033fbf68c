//go:build e2e && linux

package main

import (
	"bytes"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"relay/ingest/flv"
)

// sent is a tag on its way to the server.
type sent struct {
	tag flv.Tag
	at  time.Duration // when the publisher was about to write it, on this process's clock
}

// history is what one publisher has sent. One goroutine adds; any may look.
type history struct {
	clip *clip
	tags []sent // room for all that there can be; those up to n are written
	n    atomic.Int64

	// The picture that was asked for last in the form of MPEG-TS.
	converting  sync.Mutex
	converted   int // its number, and one more
	convertedTo []byte
}

func newHistory(c *clip, most int) *history { return &history{clip: c, tags: make([]sent, most)} }

// add notes the tag that is about to be written. It reports false if there is no more room.
func (h *history) add(t flv.Tag) bool {
	n := int(h.n.Load())
	if n == len(h.tags) {
		return false
	}
	h.tags[n] = sent{t, now()}
	h.n.Store(int64(n) + 1)
	return true
}

// get returns the tag of that number, if it has been sent.
func (h *history) get(n int) (sent, bool) {
	if n < 0 || int64(n) >= h.n.Load() {
		return sent{}, false
	}
	return h.tags[n], true
}

// annexB returns the picture of that number as it is in MPEG-TS: each NAL unit with a start code.
func (h *history) annexB(n int) []byte {
	h.converting.Lock()
	defer h.converting.Unlock()
	if h.converted == n+1 {
		return h.convertedTo
	}
	b := bytes.Clone(h.tags[n].tag.Body()[pictureStart:])
	for at := 0; at+lengthLen <= len(b); {
		length := int(binary.BigEndian.Uint32(b[at:]))
		copy(b[at:], startCode)
		at += lengthLen + length
	}
	h.converted, h.convertedTo = n+1, b
	return b
}

// startCode stands in front of each NAL unit, and is as long as the lengths in FLV.
const startCode = "\x00\x00\x00\x01"

// count is how many have been sent.
func (h *history) count() int { return int(h.n.Load()) }

var started = time.Now()

// now is the time of this process's clock.
func now() time.Duration { return time.Since(started) }
