package tree

import (
	"testing"
	"time"
)

// A machine that freezes twice in a row hears of nothing in between: what it gives up
// first, and what comes in the same call, must fit.
func TestAWelcomeFromAFasterPlaceMayComeWhenTheParentWasJustGivenUp(t *testing.T) {
	r := newRig(t, Config{})
	l := r.below(3)
	r.give(Progress{Lag: 900 * time.Millisecond})
	var d Dial
	for i := 0; d.Link == 0; i++ {
		if i == 100 {
			t.Fatal("no faster parent is looked for")
		}
		d, _ = first[Dial](r.live(heartbeatInterval, r.beats(l, Heartbeat{})))
	}
	r.give(Up{d.Link, d.Place.ID, d.Place.first(), false})
	r.now = r.now.Add(time.Second)
	r.Advance(r.now) // stalled: the parent is excused
	r.now = r.now.Add(2 * time.Second)
	as := r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step(), 0}, Path: []Place{d.Place}}})
	if _, ok := first[Orphaned](as); !ok {
		t.Fatalf("the parent is not given up: %+v", as)
	}
	if f, ok := first[Attached](as); !ok || f.Link != d.Link {
		t.Errorf("not attached: %+v", as)
	}
}
