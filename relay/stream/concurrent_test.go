package stream

import (
	"errors"
	"sync"
	"testing"
)

// TestManyReadersOfOneWriter has readers of every kind read while the writer
// writes, for the race detector, and checks what each must see.
func TestManyReadersOfOneWriter(t *testing.T) {
	const (
		readers = 64
		tags    = 3000
		group   = 50
	)
	m := newMaker(t)
	r := m.ringOf(Limits{Bytes: 32 << 10}) // so small that some fall behind
	w := m.newTestWriter(t, r)
	begun := make(chan struct{})
	var all sync.WaitGroup
	for i := range readers {
		all.Go(func() {
			c := r.Cursor()
			if i%2 == 1 {
				<-begun
				c = r.Resume(Position{m.epoch, uint64(i)})
			}
			var last, missed uint64
			first := true
			for {
				it, err := c.Next(t.Context())
				if errors.Is(err, ErrClosed) {
					break
				}
				if err != nil {
					t.Error(err)
					return
				}
				seq := it.Chunk.Seq()
				switch {
				case it.Jump && !it.Chunk.Has(Key):
					t.Errorf("reader %d: a jump to chunk %d, which is no key", i, seq)
				case !first && seq-last-1 != it.Missed, !first && it.Jump != (it.Missed > 0):
					t.Errorf("reader %d: chunk %d after %d with %d missed, jump %v", i, seq, last, it.Missed, it.Jump)
				}
				missed += it.Missed
				last, first = seq, false
			}
			if got, _ := c.Gap(); got != missed {
				t.Errorf("reader %d: gap %d, want %d", i, got, missed)
			}
			if last != tags {
				t.Errorf("reader %d ended at chunk %d", i, last)
			}
		})
	}
	for i := range tags {
		f := EndsChunk
		if i%group == 0 {
			f |= StartHere
		}
		if err := w.WriteTag(randBytes(m.rnd, 200), f); err != nil {
			t.Error(err)
			break
		}
		if i == group {
			close(begun)
		}
		if i%100 == 0 {
			r.Stats()
			w.Beat()
		}
	}
	r.Close()
	all.Wait()
}
