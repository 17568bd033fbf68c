package rtmp

import (
	"errors"
	"sync"
)

// maxReplies is how much may wait to be sent to a player besides media, in bytes:
// the answers to what it asks, which go out in front of the next tags.
const maxReplies = 4 << 10

var errAskedTooMuch = errors.New("it asks for more than it takes")

// replies is what waits to be sent in between the media. It is safe for concurrent
// use. Its zero value is empty.
type replies struct {
	mu  sync.Mutex
	buf []byte
}

// Write keeps p, or fails if too much is kept.
func (r *replies) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.buf)+len(p) > maxReplies {
		return 0, errAskedTooMuch
	}
	r.buf = append(r.buf, p...)
	return len(p), nil
}

// take returns what is kept, and forgets it.
func (r *replies) take() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.buf
	r.buf = nil
	return b
}
