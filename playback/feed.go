package playback

import (
	"bytes"

	"relay/ingest/flv"
	"relay/relay/stream"
)

const (
	// maxBatch is how many bytes are taken from the ring for one writev: enough
	// that a system call is cheap, little enough that a slow reader pins no more.
	// What a reader starts with may be more: it is squashed as one piece.
	maxBatch = 256 << 10
	// maxBatchParts is how many slices a batch has at most, about. It keeps what
	// the runtime stores for each reader's writev near 1 KiB.
	maxBatchParts = 64
)

// feed is the media of a channel as one reader gets it. It belongs to one goroutine.
type feed struct {
	ring   *stream.Ring
	cursor *stream.Cursor
	start  Start
	header *stream.Header // the one that the reader has, nil before the first chunk
	sets   flv.ParameterSets
	tags   assembler
	until  stream.Position // the newest chunk that is squashed
}

func newFeed(ring *stream.Ring, start Start) *feed {
	f := &feed{ring: ring, start: start}
	if start == Key {
		f.cursor = ring.Ahead()
	} else {
		f.cursor = ring.Cursor()
	}
	return f
}

// next returns the tags that come next, or a channel that is closed when there may be
// some, or the cursor's error. The batch is the caller's until the next call.
func (f *feed) next() (flv.Batch, <-chan struct{}, error) {
	f.tags.drop()
	for size := 0; f.tags.squash.on || f.tags.whole == 0 || size < maxBatch && f.tags.whole < maxBatchParts; {
		it, wait, err := f.cursor.Poll()
		if wait != nil || err != nil {
			f.tags.squash.end()
			if f.tags.whole > 0 {
				break
			}
			return flv.Batch{}, wait, err
		}
		f.add(it)
		size += len(it.Chunk.Payload())
		if it.Chunk.Position().Compare(f.until) >= 0 {
			f.tags.squash.end()
		}
	}
	return f.tags.ready(), nil, nil
}

// beginning returns what a viewer who comes now would get at first: a header, and the tags from
// the newest place to start if there is one. It reports false if there is no header yet.
func (c *Channel) beginning() (flv.Batch, bool) {
	h := c.ring.Header()
	if h == nil {
		return flv.Batch{}, false
	}
	if b, _, err := newFeed(c.ring, GOP).next(); err == nil && b.Header {
		return b, true
	}
	return flv.HeaderBatch(h.Payload()), true
}

func (f *feed) add(it stream.Item) {
	switch {
	case f.header == nil:
		f.tags.begin(it.Header.Payload())
	case it.Jump:
		if it.Header.Epoch() != f.header.Epoch() {
			f.tags.restart()
		} else {
			f.tags.gap()
		}
		// Without a jump a new header needs nothing: its configurations are tags
		// of the stream, and have just gone by.
		if !bytes.Equal(it.Header.Payload(), f.header.Payload()) {
			f.tags.insertBefore(it.Header.Payload())
		}
	}
	if it.Header != f.header {
		f.configure(it.Header)
	}
	if it.Jump && f.start == Squash {
		if f.until = f.ring.Head(); it.Chunk.Position().Compare(f.until) < 0 {
			f.tags.squash.begin()
		}
	}
	f.tags.add(it.Chunk)
}

// configure notes a header that has come into force. A reader that has played with
// other parameter sets gets the new ones in band as well, unless it wants the stream as
// it was sent.
func (f *feed) configure(h *stream.Header) {
	sets, ok := flv.ParameterSetsOf(h.Payload())
	if f.header != nil && ok && f.start != GOP && !sets.Equal(f.sets) {
		f.tags.sets = &sets
	}
	f.header, f.sets = h, sets
}
