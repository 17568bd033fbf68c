package tree

import (
	"testing"
)

func TestAChildThatIsDroppedForAnotherIsDroppedOnce(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 1})
	r.come(2, 1, Join{Slots: 1}, Report{})
	if m := sentTo[Bye](r.come(4, 2, Join{Slots: 8}, Report{}), 2); len(m) != 1 || number(m[0].Places[0]) != 2 {
		t.Fatalf("node 1 is not asked to move to node 2: %+v", m)
	}
	// Node 2 says nothing from now on; its silence and node 1's time end together.
	r.live(shedTime-childSilence+heartbeatInterval, r.reports(2, Report{Slots: 1}))
	r.give(Received{4, Report{Sent: 1, Slots: 8}})
	r.live(childSilence-2*heartbeatInterval, r.reports(2, Report{Slots: 1}))
	r.now = r.now.Add(2 * heartbeatInterval)
	r.Advance(r.now)
	n := 0
	for _, c := range every[Close](r.rest()) {
		if c.Link == 4 {
			n++
		}
	}
	if n != 1 {
		t.Errorf("closed %d times, want once", n)
	}
}
