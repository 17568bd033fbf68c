package playback

import (
	"bytes"
	"net"

	"relay/relay/stream"
)

const (
	// maxBatch is how many bytes are taken from the ring for one writev: enough
	// that a system call is cheap, little enough that a slow reader pins no more.
	maxBatch = 256 << 10
	// maxBatchParts is how many slices a batch has at most, about. It keeps what
	// the runtime stores for each reader's writev near 1 KiB.
	maxBatchParts = 64
)

// feed is the media of a channel as one reader gets it. It belongs to one goroutine.
type feed struct {
	cursor *stream.Cursor
	header *stream.Header // the one that the reader has, nil before the first chunk
	tags   assembler
}

func newFeed(ring *stream.Ring) *feed { return &feed{cursor: ring.Cursor()} }

// next returns the bytes that come next, which end at a tag boundary, or a channel
// that is closed when there may be some, or the cursor's error. The bytes are shared
// and must not be changed; the list is the caller's until the next call.
func (f *feed) next() (net.Buffers, <-chan struct{}, error) {
	f.tags.drop()
	for size := 0; f.tags.whole == 0 || size < maxBatch && f.tags.whole < maxBatchParts; {
		it, wait, err := f.cursor.Poll()
		if wait != nil || err != nil {
			if f.tags.whole > 0 {
				break
			}
			return nil, wait, err
		}
		f.add(it)
		size += len(it.Chunk.Payload())
	}
	return f.tags.ready(), nil, nil
}

func (f *feed) add(it stream.Item) {
	switch {
	case f.header == nil:
		f.tags.begin(it.Header.Payload())
	case it.Jump:
		if it.Header.Epoch() != f.header.Epoch() {
			f.tags.restart()
		}
		// Without a jump a new header needs nothing: its configurations are tags
		// of the stream, and have just gone by.
		if !bytes.Equal(it.Header.Payload(), f.header.Payload()) {
			f.tags.insertBefore(it.Header.Payload())
		}
	}
	f.header = it.Header
	f.tags.add(it.Chunk)
}
