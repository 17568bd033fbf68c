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
	if newest == nil || c.Epoch() != head.Epoch || c.Seq() <= head.Seq+1 || ms(c.Beat())-ms(newest.Beat()) > ringAge {
		return false, nil
	}
	if o, ok := h.kept[c.Position()]; ok {
		if !o.chunk.Same(c) {
			return true, in.differ(o.chunk, c, u)
		}
		return true, nil
	}
	before := c.Position()
	before.Seq--
	if _, follows := h.kept[before]; !follows && !c.Has(stream.Key) {
		return false, stream.ErrGap
	}
	if len(h.kept) == 0 {
		h.kept, h.since = make(map[stream.Position]keptChunk), now
	}
	h.kept[c.Position()] = keptChunk{c.Clone(), u} // the reader reads the next one into the same memory
	if h.bytes += len(c.Frame()); h.bytes > holeBytes {
		in.jump(now)
	}
	return true, nil
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
	for p := range h.kept {
		if p.Compare(in.ring.Head()) <= 0 {
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

// jump has the ring go on with all that waited. What a later header has overtaken is lost with the hole.
func (in *intake) jump(now time.Time) {
	for _, p := range slices.SortedStableFunc(maps.Keys(in.hole.kept), stream.Position.Compare) {
		_ = in.bring(now, in.hole.kept[p])
		in.hole.drop(p)
	}
}

func (h *hole) drop(p stream.Position) {
	h.bytes -= len(h.kept[p].chunk.Frame())
	delete(h.kept, p)
}
