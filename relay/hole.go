package relay

import (
	"math"
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
	kept  map[uint64]keptChunk // by number, verified, all of one epoch
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
	if _, ok := h.kept[c.Seq()]; ok {
		return true, nil
	}
	if _, follows := h.kept[c.Seq()-1]; !follows && !c.Has(stream.Key) {
		return false, stream.ErrGap
	}
	if len(h.kept) == 0 {
		h.kept, h.since = make(map[uint64]keptChunk), now
	}
	h.kept[c.Seq()] = keptChunk{c.Clone(), u} // the reader reads the next one into the same memory
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
	head := in.ring.Head()
	for b, ok := h.kept[head.Seq+1]; ok && in.put(now, b) == nil; b, ok = h.kept[head.Seq+1] {
		head = in.ring.Head()
	}
	for seq, b := range h.kept {
		if b.chunk.Position().Compare(head) <= 0 {
			h.drop(seq)
		}
	}
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
	for h := &in.hole; len(h.kept) > 0; {
		seq := uint64(math.MaxUint64) // the lowest, and all that follow it
		for s := range h.kept {
			seq = min(seq, s)
		}
		for b, ok := h.kept[seq]; ok; b, ok = h.kept[seq] {
			_ = in.put(now, b)
			h.drop(seq)
			seq++
		}
	}
}

func (h *hole) drop(seq uint64) {
	h.bytes -= len(h.kept[seq].chunk.Frame())
	delete(h.kept, seq)
}
