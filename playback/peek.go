package playback

import (
	"net"
	"net/http"
	"strconv"

	"relay/relay/archive"
	"relay/relay/stream"
)

const (
	// peekAtOnce is how many pictures of what was are read at a time, of all channels.
	peekAtOnce = 2
	// peekChunks is how many chunks a picture may take: 8 MiB, as containers have it.
	peekChunks = 512
	// peekPieces is how many pieces of media make a picture: some decoders give none before they have seen what follows.
	peekPieces = 3
)

// peek answers with no more of a moment that is kept than its first picture takes: what the page draws over its
// timeline. Who asks is no viewer.
func (s *routes) peek(w http.ResponseWriter, r *http.Request, c *Channel, f *format, m moment) {
	if !s.mayRewind(callerOf(r).addr, peekCost) {
		s.turnAway(w, r, c, RefusedRewind)
		return
	}
	select {
	case s.peeking <- struct{}{}:
	case <-r.Context().Done():
		return
	}
	out, err := c.still(f.Form, m)
	<-s.peeking
	switch {
	case err != nil:
		s.notRewound(w, c, err)
	case len(out) == 0:
		http.Error(w, "Nothing that can be played is kept of that moment.", http.StatusNotFound)
	default:
		size := 0
		for _, b := range out {
			size += len(b)
		}
		w.Header().Set("Content-Type", f.mime)
		w.Header().Set("Content-Length", strconv.Itoa(size))
		out.WriteTo(w)
	}
}

// still is the beginning of what was at a moment in a form, up to the first picture, none if there is nothing.
func (c *Channel) still(form Form, m moment) (out net.Buffers, err error) {
	past, err := c.past(m)
	if past == nil || err != nil {
		return nil, err
	}
	defer past.Close()
	p := newPlace(newOwnReel(c.ring, form, &sip{past: past, plain: c.kept.plain()}), GOP)
	for pieces := 0; pieces <= peekPieces; { // and the opening
		more, wait, err := p.next()
		if err != nil {
			break // there is no more, or none of that form
		}
		if wait == nil {
			pieces++
			out = append(out, more...)
		}
	}
	return out, nil
}

// sip gives one chunk at a time, so that nobody takes more than it needs, and not many.
type sip struct {
	past  *archive.Reader
	plain func(stream.Item) (stream.Item, error)
	taken int
	pause bool
}

// Poll is as that of [stream.Cursor].
func (s *sip) Poll() (stream.Item, <-chan struct{}, error) {
	if s.pause = !s.pause; !s.pause {
		return stream.Item{}, ready, nil
	}
	s.taken++
	it, ok, err := s.past.Next()
	if s.taken > peekChunks || !ok || err != nil {
		return stream.Item{}, nil, stream.ErrClosed
	}
	if it, err = s.plain(it); err != nil { // it is left out
		s.pause = false
		return stream.Item{}, ready, nil
	}
	return it, nil, nil
}

// Gap is as that of [stream.Cursor].
func (s *sip) Gap() (missed, moves uint64) { return 0, 0 }
