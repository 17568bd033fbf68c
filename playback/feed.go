package playback

import (
	"bytes"
	"time"

	"relay/ingest/flv"
	"relay/relay/stream"
)

const (
	// maxBatch is how many bytes are taken from the ring, or from a reel, at a time: enough
	// that a system call is cheap, little enough that a slow viewer pins no more.
	maxBatch = 256 << 10
	// maxBatchParts is how many slices that is at most, about.
	maxBatchParts = 64
)

// feed is the media of a channel as whole tags, from the newest place to start on. It belongs to
// one goroutine.
type feed struct {
	cursor chunks
	asSent bool           // parameter sets that change are not put in band
	ahead  *stream.Item   // taken from the cursor, for the next batch
	header *stream.Header // in force, nil before the first chunk
	newest stream.Position
	start  stream.Position // of the newest place to start
	starts bool            // the next batch begins there
	taken  bool            // the newest batch has all that was there
	made   time.Time       // when the source made what the newest batch begins with, by its clock
	sets   flv.ParameterSets
	tags   assembler
}

func newFeed(ring *stream.Ring, asSent bool) *feed {
	return &feed{cursor: ring.Cursor(), asSent: asSent}
}

// next returns the tags that come next, or a channel that is closed when there may be
// some, or the cursor's error. A place to start begins a batch. The batch is the caller's until
// the next call.
func (f *feed) next() (flv.Batch, <-chan struct{}, error) {
	f.tags.drop()
	f.taken = false
	for size := 0; f.tags.whole == 0 || size < maxBatch && f.tags.whole < maxBatchParts; {
		it, wait, err := f.poll()
		if wait != nil || err != nil {
			if f.tags.whole > 0 {
				f.taken = wait != nil
				break
			}
			return flv.Batch{}, wait, err
		}
		if it.Chunk.Has(stream.Key) {
			if f.tags.whole > 0 {
				f.ahead = &it
				break
			}
			f.starts, f.start = true, it.Chunk.Position()
		}
		if size == 0 {
			f.made = time.UnixMilli(int64(it.Chunk.Made()))
		}
		f.add(it)
		size += len(it.Chunk.Payload())
	}
	b := f.tags.ready()
	if len(b.Lens) > 0 { // the first tag may have taken several calls
		b.Start, f.starts = f.starts, false
	}
	return b, nil, nil
}

func (f *feed) poll() (stream.Item, <-chan struct{}, error) {
	if it := f.ahead; it != nil {
		f.ahead = nil
		return *it, nil, nil
	}
	return f.cursor.Poll()
}

// beginning returns what a viewer who comes now would get at first: a header, and the tags from
// the newest place to start if there is one. It reports false if there is no header yet.
func (c *Channel) beginning() (flv.Batch, bool) {
	h := c.ring.Header()
	if h == nil {
		return flv.Batch{}, false
	}
	if b, _, err := newFeed(c.ring, true).next(); err == nil && b.Header {
		return b, true
	}
	return flv.HeaderBatch(h.Payload()), true
}

func (f *feed) add(it stream.Item) {
	switch {
	case f.header == nil:
		f.tags.begin(it.Header.Payload())
	case f.tags.asSigned:
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
	f.newest = it.Chunk.Position()
	f.tags.add(it.Chunk)
}

// configure notes a header that has come into force. Readers that have played with
// other parameter sets get the new ones in band as well, unless they want the stream as
// it was sent.
func (f *feed) configure(h *stream.Header) {
	sets, ok := flv.ParameterSetsOf(h.Payload())
	if f.header != nil && ok && !f.asSent && !sets.Equal(f.sets) {
		f.tags.sets = &sets
	}
	f.header, f.sets = h, sets
}
