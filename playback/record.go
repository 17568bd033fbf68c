package playback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"relay/relay/stream"
)

// Record writes the ring's media to w, a file or a pipe, beginning as start says. It returns nil when the ring is closed, when ctx ends, and when nobody reads
// the pipe any more; any other failed write is an error. ctx does not interrupt a
// write that blocks. A program whose w is its standard output must ignore SIGPIPE,
// or a closed pipe ends it before Record sees it.
func Record(ctx context.Context, ring *stream.Ring, start Start, w io.Writer) error {
	f := newFeed(ring, start)
	for ctx.Err() == nil {
		batch, wait, err := f.next()
		switch {
		case errors.Is(err, stream.ErrClosed):
			return nil
		case err != nil:
			return fmt.Errorf("read the channel: %w", err)
		case wait != nil:
			select {
			case <-wait:
			case <-ctx.Done():
			}
			continue
		}
		if _, err := batch.WriteTo(w); brokenPipe(err) {
			return nil
		} else if err != nil {
			return fmt.Errorf("write the recording: %w", err)
		}
	}
	return nil
}

// brokenPipe reports whether err says that the reader of a pipe has closed it.
func brokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}
