package stream

import "context"

// Cursor is one reader's place in a ring. It belongs to one goroutine.
type Cursor struct {
	ring *Ring

	at      uint64   // index of the entry to read next
	waitKey bool     // nothing to start at yet: take the first key chunk
	last    Position // the newest chunk delivered, zero before the first
	gap     uint64   // numbers skipped so far
	moves   uint64   // times the reader fell behind and was moved
}

// Item is one chunk as a reader gets it.
type Item struct {
	Chunk  *Chunk
	Header *Header // the header the chunk needs; the same pointer until it changes
	// Jump is set on the first item and whenever the chunk does not follow the
	// one before: after a gap, or in a new epoch. The chunk is then a key chunk,
	// unless the reader itself asked to resume there.
	Jump bool
	// Missed is how many chunks the reader did not get just before this one. It
	// is not known across epochs, and 0 then.
	Missed uint64
}

// Cursor returns a reader that starts at the newest key chunk, or at the next one
// to come if none is held.
func (r *Ring) Cursor() *Cursor {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &Cursor{ring: r}
	c.toKey()
	return c
}

// Ahead returns a reader that starts at the next key chunk to come.
func (r *Ring) Ahead() *Cursor {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &Cursor{ring: r, at: r.first + uint64(len(r.entries)), waitKey: true}
}

// Resume returns a reader that has everything up to and including have. It goes
// on at the chunk after that if the ring holds it, and otherwise starts at the
// newest key chunk; the first item's Missed then says how much it lacks.
func (r *Ring) Resume(have Position) *Cursor {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &Cursor{ring: r, last: have}
	head := r.head()
	next := Position{have.Epoch, have.Seq + 1}
	switch {
	case have == Position{}:
		c.toKey()
	case have.Compare(head) >= 0: // as new as the ring or ahead of it
		c.at = r.first + uint64(len(r.entries))
	default:
		c.at = r.find(next)
		if r.entries[c.at-r.first].chunk.Position() != next {
			c.toKey()
		}
	}
	return c
}

// Since returns a reader of all that the ring holds behind a position, from the next chunk on, or from
// the first key chunk if that does not follow.
func (r *Ring) Since(have Position) *Cursor {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &Cursor{ring: r, at: r.find(Position{have.Epoch, have.Seq + 1}), last: have, waitKey: true}
}

func (c *Cursor) toKey() {
	k, ok := c.ring.newestKey()
	if ok && c.ring.entries[k-c.ring.first].chunk.Position().Compare(c.last) > 0 {
		c.at, c.waitKey = k, false
		return
	}
	c.at, c.waitKey = c.ring.first+uint64(len(c.ring.entries)), true
}

// Poll returns the next item, or a channel that is closed when there may be one.
// At the end of a closed ring it returns [ErrClosed].
func (c *Cursor) Poll() (Item, <-chan struct{}, error) {
	r := c.ring
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.at < r.first {
		c.toKey()
		c.moves++
	}
	for ; c.at-r.first < uint64(len(r.entries)); c.at++ {
		e := r.entries[c.at-r.first]
		p := e.chunk.Position()
		if p.Compare(c.last) <= 0 {
			continue // a reader that resumed ahead of this ring
		}
		follows := p.Epoch == c.last.Epoch && p.Seq == c.last.Seq+1
		if !follows && !e.chunk.Has(Key) && (c.waitKey || c.last != Position{}) {
			continue
		}
		it := Item{Chunk: e.chunk, Header: e.header, Jump: !follows}
		if p.Epoch == c.last.Epoch {
			it.Missed = p.Seq - c.last.Seq - 1
			c.gap += it.Missed
		}
		c.waitKey = false
		c.last = p
		c.at++
		r.taken = max(r.taken, c.at)
		return it, nil, nil
	}
	if r.closed {
		return Item{}, nil, ErrClosed
	}
	if r.notify == nil {
		r.notify = make(chan struct{})
	}
	return Item{}, r.notify, nil
}

// Next waits for the next item. It ends with ctx's cause or [ErrClosed].
func (c *Cursor) Next(ctx context.Context) (Item, error) {
	for {
		it, wait, err := c.Poll()
		if err != nil || wait == nil {
			return it, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return Item{}, context.Cause(ctx)
		}
	}
}

// Past returns how many of the chunks that the ring has received lie behind the
// reader: it got them, or they are of no use to it. The ring's [Counts] say of how many.
func (c *Cursor) Past() uint64 { return c.at }

// Gap returns how many chunks the reader did not get so far, and how often it
// fell so far behind that it was moved to the newest key chunk.
func (c *Cursor) Gap() (missed, moves uint64) { return c.gap, c.moves }
