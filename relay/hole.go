package relay

import (
	"maps"
	"slices"
	"sync"
	"time"

	"relay/relay/stream"
)

const (
	// holeTime is how long chunks past a hole wait for those that are missing. A node whose next parent does
	// not deliver turns to another one after 0.5 s, and that one answers within a second.
	holeTime = 1500 * time.Millisecond
	// holeBytes bounds what waits: so much comes in that time at 40 Mb/s.
	holeBytes = 8 << 20
	// beginsWithin is how old the newest of what a parent has brought may be, by the newest beat, when a node begins
	// there that has nothing yet.
	beginsWithin = 6 * time.Second
)

// hole is what has come past chunks that are missing, and waits for those. A parent whose history does
// not reach back to where this node is begins later: at its newest key chunk. The one that the node
// has had until then may still bring what lies between, and so may another that is asked meanwhile.
type hole struct {
	mu    sync.Mutex
	kept  map[stream.Position]keptChunk // verified
	bytes int
	since time.Time // when the first of them came
}

// keptChunk is a chunk and the link over which it came.
type keptChunk struct {
	chunk *stream.Chunk
	by    *uplink
}

// keep keeps a chunk back if it would leave a hole, and reports whether it did. Of a hole that no parent's ring
// can reach back over, nothing is waited for.
func (in *intake) keep(now time.Time, c *stream.Chunk, u *uplink) (bool, error) {
	h := &in.hole
	h.mu.Lock()
	defer h.mu.Unlock()
	head := in.ring.Head()
	newest := in.ring.At(head)
	if newest == nil {
		return in.keepOld(now, c, u)
	}
	if c.Epoch() != head.Epoch || c.Seq() <= head.Seq+1 || ms(c.Beat())-ms(newest.Beat()) > ringAge {
		return false, nil
	}
	return true, in.wait(now, c, u)
}

// wait keeps a chunk.
func (in *intake) wait(now time.Time, c *stream.Chunk, u *uplink) error {
	h := &in.hole
	if o, ok := h.kept[c.Position()]; ok {
		if !o.chunk.Same(c) {
			return in.differ(o.chunk, c, u)
		}
		return nil
	}
	before := c.Position()
	before.Seq--
	if _, follows := h.kept[before]; !follows && !c.Has(stream.Key) {
		return stream.ErrGap
	}
	if len(h.kept) == 0 {
		h.kept, h.since = make(map[stream.Position]keptChunk), now
	}
	h.kept[c.Position()] = keptChunk{c.Clone(), u} // the reader reads the next one into the same memory
	if h.bytes += len(c.Frame()); h.bytes > holeBytes {
		in.jump(now)
	}
	return nil
}

// keepOld keeps back what a node that has nothing yet is sent, while that is old: a parent that has what was, and
// sends no more, would have its viewers begin there and stay as late. What has come up to the present is taken,
// from its newest key chunk on. In the meantime another parent may begin at the present.
func (in *intake) keepOld(now time.Time, c *stream.Chunk, u *uplink) (bool, error) {
	old := in.old(c)
	if !old && len(in.hole.kept) == 0 {
		return false, nil
	}
	before := c.Position()
	before.Seq--
	if _, follows := in.hole.kept[before]; !old && !follows {
		return false, nil
	}
	if err := in.wait(now, c, u); err != nil {
		return true, err
	}
	if c.Has(stream.Key) { // it would begin here, so that what waits is a group of pictures, whatever a parent sends
		in.hole.forget(c.Position())
	}
	if !old {
		in.jump(now)
	}
	return true, nil
}

// old reports whether the root had made more when it signed the newest beat, and long after it had made c.
func (in *intake) old(c *stream.Chunk) bool {
	b := in.beat.Load()
	return b != nil && b.Epoch() == c.Epoch() && b.Head() > c.Seq() && ms(b.Ms())-ms(c.Beat()) > beginsWithin
}

// fill goes on with what waited, if the ring has got so far.
func (in *intake) fill(now time.Time) {
	h := &in.hole
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.kept) == 0 {
		return
	}
	next := in.ring.Head()
	next.Seq++
	for b, ok := h.kept[next]; ok && in.bring(now, b) == nil; b, ok = h.kept[next] {
		h.drop(next)
		next.Seq++
	}
	next = in.ring.Head()
	next.Seq++
	h.forget(next)
}

// forget drops what comes before a position.
func (h *hole) forget(from stream.Position) {
	for p := range h.kept {
		if p.Compare(from) < 0 {
			h.drop(p)
		}
	}
}

// bring puts a chunk that has waited into the ring: whoever has sent it has delivered.
func (in *intake) bring(now time.Time, b keptChunk) error {
	err := in.put(now, b)
	if err == nil {
		b.by.proved.Store(true)
	}
	return err
}

// giveUp goes on behind the hole if nobody has filled it in time. It reports whether it did.
func (in *intake) giveUp(now time.Time) bool {
	h := &in.hole
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.kept) == 0 || now.Sub(h.since) < holeTime {
		return false
	}
	in.jump(now)
	return true
}

// jump has the ring go on with all that waited, or begin where a decoder can begin last. What a later header has
// overtaken is lost with the hole.
func (in *intake) jump(now time.Time) {
	all := slices.SortedFunc(maps.Keys(in.hole.kept), stream.Position.Compare)
	begin := 0
	if in.ring.Head().Seq == 0 {
		for i, p := range all {
			if in.hole.kept[p].chunk.Has(stream.Key) {
				begin = i
			}
		}
	}
	for i, p := range all {
		if i >= begin {
			_ = in.bring(now, in.hole.kept[p])
		}
		in.hole.drop(p)
	}
}

func (h *hole) drop(p stream.Position) {
	h.bytes -= len(h.kept[p].chunk.Frame())
	delete(h.kept, p)
}
