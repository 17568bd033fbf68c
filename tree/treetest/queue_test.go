package treetest

import (
	"math/rand/v2"
	"testing"
)

func TestEventsComeInOrderOfTimeThenOfScheduling(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	var q queue
	now, n := int64(0), uint64(0)
	last := map[int64]uint64{} // newest number seen of each time
	for range 20_000 {
		if r.IntN(3) > 0 {
			n++
			q.push(now+r.Int64N(50), event{seq: n})
			continue
		}
		at, ok := q.next()
		if !ok {
			continue
		}
		ev := q.pop()
		if at < now {
			t.Fatalf("an event of %d comes at %d", at, now)
		}
		now = at
		if ev.seq <= last[at] {
			t.Fatalf("at %d: event %d after %d", at, ev.seq, last[at])
		}
		last[at] = ev.seq
	}
	for range q.heap {
		q.pop()
	}
	if _, ok := q.next(); ok || len(q.free) != len(q.slots) {
		t.Error("events are left over")
	}
}
