package stream

import "time"

// Backlog is what a ring holds beyond a position.
type Backlog struct {
	Chunks int
	Bytes  int           // of their frames
	Span   time.Duration // from the beat at the position to the newest chunk's
}

// Backlog returns what the ring holds after c, or all of it if c is nil. The span of
// a reader in an earlier epoch is counted from the newest one's beginning.
func (r *Ring) Backlog(c *Chunk) Backlog {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.entries)
	if n == 0 {
		return Backlog{}
	}
	i := 0
	if c != nil {
		i = int(r.find(Position{c.epoch, c.seq + 1}) - r.first)
	}
	if i == n {
		return Backlog{}
	}
	newest := r.entries[n-1].chunk
	from := r.entries[i].chunk.beat
	if c != nil && c.epoch == newest.epoch {
		from = c.beat
	} else if r.entries[i].chunk.epoch != newest.epoch {
		from = 0 // the newest epoch's zero
	}
	b := Backlog{Chunks: n - i, Span: time.Duration(newest.beat-min(from, newest.beat)) * time.Millisecond}
	for _, e := range r.entries[i:] {
		b.Bytes += len(e.chunk.frame)
	}
	return b
}
