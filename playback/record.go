package playback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"

	"relay/relay/stream"
)

// Recording puts a channel's media into a file or a pipe.
type Recording struct {
	Ring  *stream.Ring
	Start Start
	// Suffix names the format, as in a path that ends in it: .flv, .mp4 or .ts. Any
	// other is FLV. MP4 and MPEG-TS begin at time 0, however long the stream has run; FLV has
	// the stream's timestamps.
	Suffix string
}

// Run writes to w until the ring is closed, ctx ends, or nobody reads the pipe any
// more, and then returns nil; any other failed write is an error, and so is a stream
// that the format cannot carry. If w can be truncated, as a file can, it then ends
// with the last tag or fragment that is whole. ctx does not interrupt a write that
// blocks. A program whose w is its standard output must ignore SIGPIPE, or a closed
// pipe ends it before Run sees it.
func (r Recording) Run(ctx context.Context, w io.Writer) error {
	form := flvForm
	if _, f := formatOf(r.Suffix); f != nil {
		form = f.Form
	}
	reel := newReel(r.Ring, form, r.Start == GOP)
	if form.Name != flvForm.Name {
		reel.feed.tags.timeline.FromZero() // FLV stays as it was sent
	}
	place := newPlace(reel, r.Start)
	var good int64 // bytes of what is whole
	for ctx.Err() == nil {
		out, wait, err := place.next()
		switch {
		case errors.Is(err, stream.ErrClosed):
			return nil
		case err != nil:
			return err
		case wait != nil:
			select {
			case <-wait:
			case <-ctx.Done():
			}
			continue
		}
		out = slices.Clone(out)
		n, err := out.WriteTo(w)
		if brokenPipe(err) {
			return nil
		} else if err != nil {
			return errors.Join(fmt.Errorf("write the recording: %w", err), cutTo(w, good))
		}
		good += n
	}
	return nil
}

// cutTo takes what was written in part off a file.
func cutTo(w io.Writer, size int64) error {
	f, ok := w.(interface{ Truncate(size int64) error })
	if !ok {
		return nil
	}
	if err := f.Truncate(size); err != nil {
		return fmt.Errorf("cut the recording to what is whole: %w", err)
	}
	return nil
}

// brokenPipe reports whether err says that the reader of a pipe has closed it.
func brokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}
