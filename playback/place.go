package playback

import (
	"net"

	"relay/relay/stream"
)

// place is one viewer's place in a reel. It belongs to one goroutine at a time.
type place struct {
	reel  *reel
	start Start
	begun bool   // the viewer has got something
	from  uint64 // index of the piece from which on it may start, with Key
	at    uint64 // index of the piece that comes next, once begun
	mark  mark   // of the piece before

	missed, moves uint64 // chunks that it did not get, and times that it fell behind
	out           net.Buffers
}

func newPlace(r *reel, start Start) *place {
	p := &place{reel: r, start: start}
	if start == Key {
		r.mu.Lock()
		defer r.mu.Unlock()
		for wait, err := r.advance(); wait == nil && err == nil; wait, err = r.advance() {
		}
		p.from = r.end()
	}
	return p
}

// next returns what the viewer gets next, or a channel that is closed when there may be some, or
// why there will be no more. The list is the caller's until the next call, but for one of more than
// maxWriteParts, which must not be changed; its bytes are shared.
func (p *place) next() (net.Buffers, <-chan struct{}, error) {
	r := p.reel
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(p.out) > maxWriteParts {
		p.out = nil // others have it, too, or it was needed once
	}
	clear(p.out)
	for p.out = p.out[:0]; len(p.out) == 0; {
		if p.begun && p.at >= r.first {
			p.collect()
			if len(p.out) > 0 {
				break
			}
		} else if ok, err := p.join(); ok || err != nil {
			if err != nil {
				return nil, nil, err
			}
			continue
		}
		if wait, err := r.advance(); wait != nil || err != nil {
			return nil, wait, err
		}
	}
	return p.out, nil, nil
}

// collect takes pieces that are there, up to what is written at a time. One of a large tag has a
// list of a thousand slices, which all viewers share. It is called with the reel's mu held, as all
// below.
func (p *place) collect() {
	for size := 0; p.at < p.reel.end() && size < maxBatch && len(p.out) < maxBatchParts; p.at++ {
		s := p.reel.at(p.at)
		large := len(s.out) > maxWriteParts
		switch {
		case large && len(p.out) > 0:
			return
		case large:
			p.out = s.out
		default:
			p.out = append(p.out, s.out...)
		}
		size += s.size
		p.pass(s.mark)
	}
}

// pass notes that the viewer has got all up to m.
func (p *place) pass(m mark) {
	p.missed += m.missed - p.mark.missed
	p.moves += m.moves - p.mark.moves
	p.mark = m
}

// join begins, or goes on after the viewer has fallen behind what is held. It reports false if
// there is nothing yet to begin with.
func (p *place) join() (bool, error) {
	r := p.reel
	if p.start == Squash { // at the present
		for {
			wait, err := r.advance()
			if err != nil && (!ended(err) || r.start == nil) {
				return false, err
			}
			if wait != nil || err != nil {
				break
			}
		}
	}
	s := r.startFor(p.start)
	if s == nil || p.start == Key && !p.begun && s.at < p.from {
		return false, nil
	}
	out, err := p.opening(s)
	if err != nil {
		return false, err
	}
	p.out = append(p.out, out...)
	p.skipTo(s)
	p.begun = true
	return true, nil
}

// opening is what the viewer gets in front of the piece to start at, or with Squash in the place
// of all pieces from there on.
func (p *place) opening(s *start) (net.Buffers, error) {
	r, squash := p.reel, p.start == Squash
	if c, ok := r.to.(*flvContainer); ok && p.begun {
		return c.rejoin(p.mark.header, squash), nil
	}
	if squash {
		return r.to.Join(true)
	}
	return r.at(s.at).opening, nil
}

// skipTo puts the viewer in front of the piece to start at, or with Squash behind all there are,
// and counts what it has not got.
func (p *place) skipTo(s *start) {
	r := p.reel
	if p.begun {
		p.moves++
		if had := p.mark.to; had.Epoch == s.from.Epoch && had.Seq < s.from.Seq {
			p.missed += s.from.Seq - had.Seq - 1
		}
	}
	if p.start == Squash {
		p.at = r.end()
		p.mark = mark{r.feed.newest, r.feed.header.Payload(), r.missed, r.moves}
		return
	}
	p.at = s.at
	p.mark = mark{to: stream.Position{Epoch: s.from.Epoch, Seq: s.from.Seq - 1}, missed: r.missed, moves: r.moves}
	if s.at > r.first {
		p.mark.missed, p.mark.moves = r.at(s.at-1).mark.missed, r.at(s.at-1).mark.moves
	}
}

// Gap returns how many chunks the viewer did not get so far, and how often it was moved, as
// [stream.Cursor.Gap] does.
func (p *place) Gap() (missed, moves uint64) { return p.missed, p.moves }
