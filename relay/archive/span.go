package archive

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"relay/relay/stream"
)

// Span is a part of a channel between two chunks that are not in it. A zero After is before everything.
type Span struct{ After, Before stream.Position }

// Missing returns the newest part that the archive lacks of what its limits let it have, and reports false
// if there is none: between two segments, or before the oldest chunk. What others lack as well is no part
// that is missing: see [Archive.Absent].
func (a *Archive) Missing() (Span, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := len(a.segments) - 1; i >= 0; i-- {
		s := a.segments[i]
		if s.first == (mark{}) {
			continue
		}
		newest := a.segments[len(a.segments)-1].last
		if newest == (mark{}) {
			newest = a.segments[max(0, len(a.segments)-2)].last
		}
		span := Span{Before: s.first.pos}
		if i > 0 {
			span.After = a.segments[i-1].last.pos
		}
		first := span.After == stream.Position{Epoch: s.first.pos.Epoch, Seq: s.first.pos.Seq - 1}
		switch {
		case newest.at-min(newest.at, s.first.at) > uint64(a.limits.Age.Milliseconds()):
			return Span{}, false
		case a.bytes > a.limits.Bytes-a.limits.Bytes/spare:
			return Span{}, false
		case first || a.absent[span.Before]:
			continue
		}
		return span, true
	}
	return Span{}, false
}

// spare is the part of the archive's bytes that is left to what comes: what was fetched would be dropped
// first.
const spare = 8

// Absent notes that nobody has what is right before a chunk.
func (a *Archive) Absent(before stream.Position) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.absent == nil {
		a.absent = make(map[stream.Position]bool)
	}
	a.absent[before] = true
}

// Forgive forgets what [Archive.Absent] has noted.
func (a *Archive) Forgive() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.absent)
}

// Last returns a reader of the end of a span, from the newest place to start that is longer than d before
// its end, or from the oldest one in it, on. It returns nil if nothing of the span is kept. The reader
// does not end at the span's end.
func (a *Archive) Last(s Span, d time.Duration) (*Reader, error) {
	a.mu.Lock()
	var end uint64 // when the span ends
	for _, seg := range a.segments {
		if seg.first != (mark{}) && seg.first.pos.Compare(s.Before) < 0 {
			end = seg.last.at
			for _, p := range seg.places {
				if p.pos.Compare(s.Before) >= 0 {
					end = min(end, p.at)
					break
				}
			}
		}
	}
	a.mu.Unlock()
	most := end - min(end, uint64(d.Milliseconds()))
	r, err := a.reader(func(p place) bool { return p.at > most || p.pos.Compare(s.Before) >= 0 })
	if r == nil || err != nil {
		return nil, err
	}
	switch {
	case r.from.pos.Compare(s.Before) >= 0:
		r.Close()
		return nil, nil
	case s.After.Compare(r.from.pos) >= 0: // what is before is not asked for
		r.Close()
		return a.After(s.After)
	}
	return r, nil
}

// Insertion is a part that comes late, and takes its place when it is whole. It belongs to one goroutine.
type Insertion struct {
	a    *Archive
	span Span
	seg  *segment
	file *os.File
	head *stream.Header
}

// partSuffix is that of a file that is not whole.
const partSuffix = ".part"

// ErrNoPart says that a chunk does not belong where it comes.
var ErrNoPart = errors.New("it is no part of what was asked for, or comes out of order")

// Insert begins to fill a part that is missing. It has to be committed or abandoned.
func (a *Archive) Insert(s Span) (*Insertion, error) {
	path := filepath.Join(a.dir, nameOf(markAt(s.Before))+partSuffix)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, fileMode)
	if err != nil {
		return nil, err
	}
	in := &Insertion{a: a, span: s, file: f, seg: &segment{path: path, size: int64(prefaceLen), total: int64(prefaceLen)}}
	if _, err := f.Write(preface(a.id)); err != nil {
		return nil, errors.Join(err, in.Abandon())
	}
	return in, nil
}

func markAt(p stream.Position) mark { return mark{p, p.Epoch.Ms} }

// Add adds a chunk, with the header that it needs, both verified. They come in order, the first of them a
// key chunk or the one behind the span's After.
func (in *Insertion) Add(h *stream.Header, c *stream.Chunk) error {
	p := c.Position()
	last := in.span.After
	if in.seg.first != (mark{}) {
		last = in.seg.last.pos
	}
	follows := p == stream.Position{Epoch: last.Epoch, Seq: last.Seq + 1}
	if p.Compare(last) <= 0 || p.Compare(in.span.Before) >= 0 || !follows && !c.Has(stream.Key) ||
		h.Epoch() != c.Epoch() || h.Gen() != c.Gen() {
		return ErrNoPart
	}
	if h != in.head {
		in.head, in.seg.header = h, in.seg.size
		if err := in.write(h.Frame()); err != nil {
			return err
		}
	}
	off := in.seg.size
	if err := in.write(c.Frame()); err != nil {
		return err
	}
	in.seg.note(c, off)
	return nil
}

func (in *Insertion) write(b []byte) error {
	if in.seg.size > stretch*mostSegmentBytes {
		return fmt.Errorf("%w: it is too long", ErrNoPart)
	}
	n, err := in.file.Write(b)
	in.seg.size += int64(n)
	in.seg.total = in.seg.size
	return err
}

// Size is how many bytes were added so far.
func (in *Insertion) Size() int64 { return in.seg.size }

// Commit puts the part into the archive, unless that has no room for it any more. It reports whether there
// was something to put.
func (in *Insertion) Commit() (bool, error) {
	if in.seg.first == (mark{}) {
		return false, in.Abandon()
	}
	index := appendIndex(nil, in.seg)
	_, err := in.file.Write(index)
	if err := errors.Join(err, in.file.Sync(), in.file.Close()); err != nil {
		return false, errors.Join(err, os.Remove(in.seg.path))
	}
	in.seg.total += int64(len(index))
	a := in.a
	a.mu.Lock()
	defer a.mu.Unlock()
	at := slices.IndexFunc(a.segments, func(s *segment) bool { return s.first != (mark{}) && s.first.pos.Compare(in.seg.last.pos) > 0 })
	if at < 0 || at > 0 && a.segments[at-1].last.pos.Compare(in.seg.first.pos) >= 0 || a.bytes+in.seg.total > a.limits.Bytes {
		return false, os.Remove(in.seg.path) // what was behind it was dropped meanwhile
	}
	path := filepath.Join(a.dir, nameOf(in.seg.first)+suffix)
	if err := os.Rename(in.seg.path, path); err != nil {
		return false, errors.Join(err, os.Remove(in.seg.path))
	}
	in.seg.path = path
	a.segments = slices.Insert(a.segments, at, in.seg)
	a.bytes += in.seg.total
	return true, nil
}

// Abandon forgets the part.
func (in *Insertion) Abandon() error {
	return errors.Join(in.file.Close(), os.Remove(in.seg.path))
}
