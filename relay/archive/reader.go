package archive

import (
	"errors"
	"io"
	"os"
	"sort"
	"time"

	"relay/relay/stream"
)

// Reader is one reader's place in an archive. It belongs to one goroutine, and has to be closed.
type Reader struct {
	a    *Archive
	seg  *segment // that file is of, nil if there is none
	file *os.File
	in   frames

	from   place          // where it began
	header *stream.Header // in force at in.at, nil if it did not verify
	last   stream.Position
	begun  bool // last is somewhere
}

// At returns a reader that begins at the newest place to start that is not after t by the source's
// clock, or at the oldest one. It returns nil if there is none.
func (a *Archive) At(t time.Time) (*Reader, error) {
	at := uint64(max(0, t.UnixMilli()))
	return a.reader(func(p place) bool { return p.at > at })
}

// After returns a reader that goes on behind a chunk, with the next one that is kept: a key chunk, with
// Jump set, if that does not follow. It returns nil if there is nothing to start at.
func (a *Archive) After(p stream.Position) (*Reader, error) {
	r, err := a.reader(func(q place) bool { return q.pos.Compare(p) > 0 })
	if r != nil {
		r.last, r.begun = p, true
	}
	return r, err
}

// reader returns a reader that begins at the newest place that is not beyond, or at the oldest one. All
// behind one that is beyond are.
func (a *Archive) reader(beyond func(place) bool) (*Reader, error) {
	a.mu.Lock()
	var seg *segment
	var from place
	for i := len(a.segments) - 1; i >= 0; i-- {
		s := a.segments[i]
		if len(s.places) == 0 {
			continue
		}
		seg, from = s, s.places[0]
		if !beyond(from) {
			from = s.places[sort.Search(len(s.places), func(i int) bool { return beyond(s.places[i]) })-1]
			break
		}
	}
	a.mu.Unlock()
	if seg == nil {
		return nil, nil
	}
	r := &Reader{a: a, from: from}
	if err := r.open(seg); err != nil {
		return nil, err
	}
	if err := r.start(from); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Close lets go of the file.
func (r *Reader) Close() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

// open goes on at the beginning of a segment.
func (r *Reader) open(s *segment) error {
	f, err := os.Open(s.path)
	if err != nil {
		return err
	}
	r.Close()
	r.seg, r.file, r.header = s, f, nil
	r.in = frames{from: f, at: int64(prefaceLen)}
	r.see()
	return nil
}

// see looks how far the segment has been written, and reports whether it was further than before.
func (r *Reader) see() bool {
	r.a.mu.Lock()
	defer r.a.mu.Unlock()
	more := r.seg.size > r.in.end
	r.in.end = r.seg.size
	return more
}

// start goes on at a place of the segment. A header that does not verify leaves the reader where the
// next one is.
func (r *Reader) start(p place) error {
	r.header = nil
	r.in.skipTo(p.header)
	typ, frame, err := r.in.next()
	switch {
	case err == io.EOF || errors.Is(err, ErrFormat):
	case err != nil:
		return err
	case typ == stream.FrameHeader:
		r.header = r.verified(frame)
	}
	r.in.skipTo(p.off)
	return nil
}

func (r *Reader) verified(frame []byte) *stream.Header {
	h, err := stream.ParseHeader(frame)
	if err != nil || h.Verify(r.a.id) != nil {
		return nil
	}
	return h
}

// Next returns the chunk that comes next. It reports false if there is none yet. What does not verify is
// left out, and the next item after it begins at a key chunk, with Jump set. An error says that the disk
// cannot be read.
func (r *Reader) Next() (stream.Item, bool, error) {
	for {
		typ, frame, err := r.in.next()
		switch {
		case err == io.EOF:
			if r.see() {
				continue
			}
			if ok, err := r.follow(); !ok || err != nil {
				return stream.Item{}, false, err
			}
		case errors.Is(err, ErrFormat):
			r.pass()
		case err != nil:
			return stream.Item{}, false, err
		case typ == stream.FrameHeader:
			r.header = r.verified(frame)
		case typ == stream.FrameChunk:
			if it, ok := r.item(frame); ok {
				return it, true, nil
			}
		}
	}
}

// item returns what a reader gets of a chunk, if it gets it.
func (r *Reader) item(frame []byte) (it stream.Item, ok bool) {
	c, err := stream.ParseChunk(frame)
	if err != nil || r.header == nil || c.Epoch() != r.header.Epoch() || c.Gen() != r.header.Gen() {
		return it, false
	}
	p := c.Position()
	if p.Compare(r.last) <= 0 {
		return it, false
	}
	it = stream.Item{Chunk: c, Header: r.header}
	it.Jump = !r.begun || p != stream.Position{Epoch: r.last.Epoch, Seq: r.last.Seq + 1}
	if it.Jump && !c.Has(stream.Key) || c.Verify(r.a.id) != nil { // the costliest comes last
		return it, false
	}
	if r.begun && p.Epoch == r.last.Epoch {
		it.Missed = p.Seq - r.last.Seq - 1
	}
	r.last, r.begun = p, true
	return it, true
}

// pass goes on at the next place to start in the segment, behind bytes that are no frame, or to its end.
func (r *Reader) pass() {
	r.a.mu.Lock()
	places := r.seg.places
	r.a.mu.Unlock()
	i := sort.Search(len(places), func(i int) bool { return places[i].off > r.in.at })
	if i == len(places) {
		r.in.skipTo(r.in.end)
		return
	}
	if err := r.start(places[i]); err != nil {
		r.in.skipTo(places[i].off) // reading there tells
	}
}

// follow opens the segment behind the one that is at its end. It reports false if there is none.
func (r *Reader) follow() (bool, error) {
	for {
		next := r.a.after(r.seg)
		if next == nil {
			return false, nil
		}
		if r.see() { // it was written to meanwhile, and is complete now
			return true, nil
		}
		err := r.open(next)
		if errors.Is(err, os.ErrNotExist) { // dropped meanwhile
			r.seg = next
			continue
		}
		return err == nil, err
	}
}

// after returns the segment that comes behind another, nil if none has a chunk yet.
func (a *Archive) after(s *segment) *segment {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, next := range a.segments {
		if next.first != (mark{}) && next.first.pos.Compare(s.last.pos) > 0 {
			return next
		}
	}
	return nil
}

// Begins is when the source made the chunk that the reader begins at.
func (r *Reader) Begins() time.Time { return timeOf(r.from.mark) }

// Last is the position of the newest chunk that was returned, zero before the first.
func (r *Reader) Last() stream.Position { return r.last }
