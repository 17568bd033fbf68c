package playback

import (
	"errors"
	"net"
	"sync"
	"time"

	"relay/ingest/flv"
	"relay/relay/stream"
)

const (
	// maxOwn bounds what a reel holds that shares no bytes with the ring, in bytes: 10 s of
	// 12 Mb/s. A viewer who is further behind goes on at the present.
	maxOwn = 16 << 20
	// maxCatchUp bounds the tags since a place to start that a viewer catches up with, in
	// bytes. Where places to start are further apart, a viewer waits for the next.
	maxCatchUp = 24 << 20
)

// reel is a channel's media in one form, made once for all its viewers. A viewer is a place in it,
// and what has been made is held as long as the ring holds what it was made of. It is safe for
// concurrent use; whoever comes to its end makes the next piece.
type reel struct {
	ring *stream.Ring
	form Form
	// alone says that there is one viewer only, who has taken all when a piece is made.
	alone bool

	mu     sync.Mutex
	feed   *feed
	to     Container
	pieces []piece // the newest is always held
	first  uint64  // index of pieces[0] since the reel was made
	own    int     // bytes of pieces that are not shared with the ring
	start  *start  // the newest place to start, nil if there was none
	missed uint64  // chunks that the feed has jumped over
	moves  uint64  // times that it fell behind the ring
	err    error   // why there will be no more pieces
	gather gather
}

// gather has pieces be made no sooner than a time after the one before, for a [Form] that wants that.
type gather struct {
	due  time.Time
	over chan struct{} // is closed when that has come
}

// wait returns what is closed when the next piece may be made, nil if that is now.
func (g *gather) wait(now time.Time) <-chan struct{} {
	d := g.due.Sub(now)
	if d <= 0 {
		g.over = nil
		return nil
	}
	if g.over == nil {
		over := make(chan struct{})
		time.AfterFunc(d, func() { close(over) })
		g.over = over
	}
	return g.over
}

// piece is what a batch of tags has become. It is immutable.
type piece struct {
	out     net.Buffers
	size    int
	own     int // bytes that are not shared with the ring
	start   bool
	opening net.Buffers // what goes in front of it for who starts here
	mark    mark
}

// start is a place to start.
type start struct {
	at    uint64          // index of the piece
	from  stream.Position // its first chunk
	since int             // bytes of tags from there on
}

// mark is what a viewer has behind it who has got a piece.
type mark struct {
	to            stream.Position
	header        []byte // payload of the header in force
	missed, moves uint64 // of the reel
}

// gapped reports whether a reader that had all up to before has not got all up to m.
func (m mark) gapped(before mark) bool { return m.missed != before.missed || m.moves != before.moves }

// newReel returns a reel that begins at the newest place to start. It is for viewers who want the
// stream as it was sent, or for those who do not.
func newReel(ring *stream.Ring, form Form, asSent bool) *reel {
	r := &reel{ring: ring, form: form, feed: newFeed(ring, asSent || form.AsSigned), to: form.New()}
	r.feed.tags.asSigned = form.AsSigned
	return r
}

// newOwnReel returns one for one viewer, of chunks that come from elsewhere, or from the ring behind what the
// viewer has.
func newOwnReel(ring *stream.Ring, form Form, from chunks) *reel {
	_, resumes := from.(*stream.Cursor)
	r := &reel{ring: ring, form: form, alone: true, feed: &feed{cursor: from, asSent: resumes || form.AsSigned, starts: resumes}, to: form.New()}
	r.feed.tags.asSigned = form.AsSigned
	return r
}

// end is the index of the piece that comes next. It is called with mu held, as all below.
func (r *reel) end() uint64 { return r.first + uint64(len(r.pieces)) }

// at returns the piece of an index that is held.
func (r *reel) at(i uint64) *piece { return &r.pieces[i-r.first] }

// advance makes the next piece, or returns a channel that is closed when there may be one.
func (r *reel) advance() (<-chan struct{}, error) {
	for n := r.end(); r.end() == n; {
		if r.err != nil {
			return nil, r.err
		}
		if r.form.Gather > 0 {
			if wait := r.gather.wait(time.Now()); wait != nil {
				return wait, nil
			}
		}
		batch, wait, err := r.feed.next()
		if wait != nil {
			return wait, nil
		}
		if r.form.Gather > 0 && r.feed.taken {
			r.gather.due = time.Now().Add(r.form.Gather)
		}
		p := piece{start: batch.Start}
		if err == nil {
			if c, ok := r.to.(Headed); ok {
				c.Head(r.feed.header.Epoch(), r.feed.header.Payload())
			}
			if p.start {
				p.opening, err = r.to.Join(false)
			}
		}
		if err == nil {
			p.out, err = r.to.Convert(batch)
		}
		if r.err = err; err == nil {
			r.add(p, batch)
		}
	}
	return nil, nil
}

func (r *reel) add(p piece, made flv.Batch) {
	r.missed, r.moves = r.feed.cursor.Gap()
	if p.start {
		r.start = &start{at: r.end(), from: r.feed.start}
	}
	if r.start != nil {
		for _, n := range made.Lens {
			r.start.since += n
		}
	}
	if len(p.out) == 0 && !p.start {
		return
	}
	p.mark = mark{r.feed.newest, r.feed.header.Payload(), r.missed, r.moves}
	for _, b := range p.out {
		p.size += len(b)
	}
	switch {
	case r.form.Whole:
		p.own = p.size
	case r.form.Joins:
		p.own = joined(made)
	}
	r.pieces = append(r.pieces, p)
	r.own += p.own
	r.trim()
}

// trim forgets pieces that are no longer in the ring, or are too many.
func (r *reel) trim() {
	oldest := r.ring.Oldest()
	for len(r.pieces) > 1 && (r.alone || r.pieces[0].mark.to.Compare(oldest) < 0 || r.own > maxOwn) {
		r.own -= r.pieces[0].own
		r.pieces[0] = piece{}
		r.pieces = r.pieces[1:]
		r.first++
	}
}

// joined is how many bytes of a batch are in tags of several slices.
func joined(b flv.Batch) (n int) {
	if b.Header {
		b.Parts, b.Header = b.Parts[1:], false
	}
	for pieces := range b.Pieces() {
		if len(pieces) > 1 {
			for _, p := range pieces {
				n += len(p)
			}
		}
	}
	return n
}

// tidy is trim, for who holds no lock.
func (r *reel) tidy() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trim()
}

// startFor returns the newest place to start for who begins as told, nil if there is none.
func (r *reel) startFor(how Start) *start {
	s := r.start
	if s == nil || how == Squash && s.since > maxCatchUp || how != Squash && s.at < r.first {
		return nil
	}
	return s
}

// ended reports whether err says that no more media will come, and not that the form cannot carry
// it.
func ended(err error) bool { return errors.Is(err, stream.ErrClosed) }
