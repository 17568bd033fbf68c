package mp4

import (
	"bufio"
	"io"
	"math"

	"relay/ingest/convert"
	"relay/ingest/sample"
)

const (
	// heldMost bounds the samples that wait for those of another track, in bytes, and spanMost how long
	// they wait, in 1/[convert.Rate] s: fragments have one track each, and some seconds.
	heldMost = 16 << 20
	spanMost = 10 * convert.Rate
)

// stream is what comes in one piece after the other.
type stream struct {
	in   *bufio.Reader
	pos  int64
	data int64 // where the samples end that come now
	held int   // bytes of samples that wait
}

// fromStream takes the next sample, or the next box; at the end, what is held.
func (r *Reader) fromStream() (err error) {
	if r.pos < r.data {
		err = r.sampleOrSkip()
	} else {
		err = r.nextBox()
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		r.flush()
	}
	return err
}

func (r *Reader) nextBox() error {
	b, err := r.in.Peek(boxHead)
	switch {
	case err != nil && len(b) == 0:
		return err
	case err != nil:
		return cut(err)
	case be32(b, 0) == 1:
		if b, err = r.in.Peek(wideHead); err != nil {
			return cut(err)
		}
	}
	x, ok := parseHead(b, r.pos)
	if !ok || !printable(x.typ) {
		return ErrFormat
	}
	if err := r.skip(x.from - x.at); err != nil {
		return err
	}
	switch x.typ {
	case "mdat":
		if r.movie == nil && x.to > x.from {
			return ErrTableLast
		}
		r.data = x.to
		return nil
	case "moov":
		b, err := r.load(x, movieMost)
		if b == nil {
			return err
		}
		m, err := movieOf(b)
		if err != nil {
			return cut(err)
		}
		r.flush()
		return r.follow(m)
	case "moof":
		if r.movie == nil {
			return ErrPiece
		}
		b, err := r.load(x, fragmentMost)
		if b != nil {
			r.movie.fragment(b, x.at)
		}
		return err
	}
	return r.skip(x.to - x.from)
}

func printable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' && c != 0xa9 {
			return false
		}
	}
	return true
}

// load reads a box of a stream. One that is longer is left out: it returns nothing then.
func (r *Reader) load(x box, most int64) ([]byte, error) {
	if x.to-x.from > most {
		r.damaged()
		return nil, r.skip(x.to - x.from)
	}
	b, err := sample.Read(r.in, []byte{}, int(x.to-x.from))
	r.pos += int64(len(b))
	if err != nil {
		return nil, err
	}
	return b, nil
}

func (r *Reader) skip(n int64) error {
	for n > 0 {
		done, err := r.in.Discard(int(min(n, 1<<30)))
		r.pos += int64(done)
		if n -= int64(done); err != nil {
			if err == io.EOF && r.pos+n == toTheEnd {
				return err // it had no end
			}
			return cut(err)
		}
	}
	return nil
}

// sampleOrSkip takes the sample that comes next in the data, or passes over what is left of that.
func (r *Reader) sampleOrSkip() error {
	var t *track
	for _, o := range r.taken {
		if p := o.peek(); p != nil && (t == nil || p.at < t.peeked.at) {
			t = o
		}
	}
	if t == nil || t.peeked.at >= r.data {
		if r.data == toTheEnd && !r.movie.fragments {
			return io.EOF
		}
		return r.skip(r.data - r.pos)
	}
	s := *t.peeked
	t.peeked = nil
	switch {
	case s.at < r.pos, s.at > r.data-int64(s.size):
		t.drop()
		r.damaged()
		return nil
	case s.size > sample.Most:
		r.told(convert.TooLong, "")
		return nil
	}
	if err := r.skip(s.at - r.pos); err != nil {
		return err
	}
	b, err := sample.Read(r.in, nil, int(s.size))
	r.pos += int64(len(b))
	if err != nil {
		return err
	}
	s.data = b
	t.held, t.quiet = append(t.held, s), false
	r.stream.held += len(b)
	r.release()
	return nil
}

// release lets samples go that no other track's can come before.
func (r *Reader) release() {
	for {
		t := r.firstHeld()
		if t == nil {
			return
		}
		newest := t.time(t.held[len(t.held)-1].dts)
		late := r.stream.held > heldMost || newest-t.time(t.held[0].dts) > spanMost
		for _, o := range r.taken {
			if len(o.held) > 0 || o.quiet || !r.movie.fragments && o.peek() == nil {
				continue
			}
			if !late {
				return
			}
			o.quiet = true
		}
		r.letGo(t)
	}
}

// flush lets all go that is held.
func (r *Reader) flush() {
	for t := r.firstHeld(); t != nil; t = r.firstHeld() {
		r.letGo(t)
	}
}

// firstHeld is the track whose oldest sample is decoded first, of those that have some; nil for none.
func (r *Reader) firstHeld() (first *track) {
	least := int64(math.MaxInt64)
	for _, t := range r.taken {
		if len(t.held) > 0 {
			if dts := t.time(t.held[0].dts); dts < least {
				first, least = t, dts
			}
		}
	}
	return first
}

func (r *Reader) letGo(t *track) {
	s := t.held[0]
	t.held[0].data = nil
	t.held = t.held[1:]
	r.stream.held -= len(s.data)
	r.emit(t, s, s.data)
}
