package playback

import (
	"errors"
	"io"
	"net"
	"time"

	"relay/ingest/flv"
	"relay/relay/archive"
	"relay/relay/stream"
)

// Replay is what was kept of a channel, as FLV from its beginning to its end. It has to be closed.
type Replay struct {
	kept  *kept
	from  *spool
	place *place
	out   net.Buffers
}

// NewReplay returns what is in an archive. unsealer, for a private channel, returns what opens its
// chunks; it is nil for another.
func NewReplay(a *archive.Archive, unsealer func() *stream.Unsealer) (*Replay, error) {
	r := &Replay{kept: &kept{a, unsealer}}
	if err := r.rewind(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

var errNothingKept = errors.New("nothing in it can be played")

func (r *Replay) rewind() error {
	past, err := r.kept.archive.At(time.Time{})
	switch {
	case err != nil:
		return err
	case past == nil:
		return errNothingKept
	}
	r.Close()
	r.from = &spool{past: past, plain: r.kept.plain()}
	r.place = newPlace(newOwnReel(stream.NewRing(stream.Limits{}), flvForm, r.from), GOP)
	r.out, err = r.more()
	if err == io.EOF {
		err = errNothingKept
	}
	return err
}

// Title is what the broadcaster called it, "" if nothing.
func (r *Replay) Title() string {
	return flv.CleanTitle(flv.Describe(r.place.reel.feed.header.Payload()).Title)
}

// more is what comes next.
func (r *Replay) more() (net.Buffers, error) {
	out, _, err := r.place.next()
	switch {
	case errors.Is(err, stream.ErrClosed) && r.from.err != nil:
		err = r.from.err
	case errors.Is(err, stream.ErrClosed):
		err = io.EOF
	}
	return out, err
}

// Read implements [io.Reader].
func (r *Replay) Read(b []byte) (int, error) {
	for len(r.out) == 0 {
		var err error
		if r.out, err = r.more(); err != nil {
			return 0, err
		}
	}
	n := copy(b, r.out[0])
	if r.out[0] = r.out[0][n:]; len(r.out[0]) == 0 {
		r.out = r.out[1:]
	}
	return n, nil
}

// Seek implements [io.Seeker], for the beginning alone.
func (r *Replay) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekStart {
		return 0, errors.ErrUnsupported
	}
	return 0, r.rewind()
}

// Close lets go of the file.
func (r *Replay) Close() error {
	if r.from != nil {
		r.from.past.Close()
	}
	return nil
}

// spool reads what is kept as fast as it is asked, and is closed at its end.
type spool struct {
	past   *archive.Reader
	plain  func(stream.Item) (stream.Item, error)
	missed uint64
	err    error // of the disk, or of what did not open
	opened bool  // something did
}

// Poll is as that of [stream.Cursor].
func (f *spool) Poll() (stream.Item, <-chan struct{}, error) {
	for {
		it, ok, err := f.past.Next()
		if err != nil || !ok {
			f.err = errors.Join(f.err, err)
			return it, nil, stream.ErrClosed
		}
		f.missed += it.Missed
		it, err = f.plain(it)
		if err == nil {
			f.err, f.opened = nil, true
			return it, nil, nil
		}
		if !f.opened { // what does not open at all has been given the wrong secret
			f.err = err
		}
	}
}

// Gap is as that of [stream.Cursor].
func (f *spool) Gap() (missed, moves uint64) { return f.missed, 0 }
