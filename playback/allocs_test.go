package playback

import (
	"testing"

	"relay/relay/stream"
)

// What a chunk costs on its way from the ring into a reel is a few allocations: the lists of the
// feed and of the piece, and the channel that wakes readers. What containers make of it is counted
// where they are, and what a viewer costs in [TestSweepAllocatesNothingForAViewer].
func TestAPieceCostsAFewAllocations(t *testing.T) {
	const (
		runs  = 200
		bound = 6
	)
	s := newSource(t, stream.Limits{})
	ts := s.group(0)
	s.flush()
	begun := len(s.chunks())
	for range runs + 1 {
		s.frame(ts, 5000)
		ts += 33
	}
	items, ring := s.chunks(), stream.NewRing(stream.Limits{})
	pass(t, ring, items[:begun])
	items = items[begun:]
	r := newReel(ring, flvForm, true)
	toEnd := func() {
		for {
			if wait, err := r.advance(); err != nil {
				t.Fatal(err)
			} else if wait != nil {
				return
			}
		}
	}
	toEnd()
	made := r.end()
	n := testing.AllocsPerRun(runs, func() {
		pass(t, ring, items[:1])
		items = items[1:]
		toEnd()
	})
	if got := r.end() - made; got != runs+1 {
		t.Fatalf("%d pieces of %d chunks", got, runs+1)
	}
	if n > bound {
		t.Errorf("%v allocations a chunk, want %d at most", n, bound)
	}
}
