package tree

import (
	"testing"
	"time"
)

func TestAnOrphanThatCarriesOthersGetsInOverTheSlotsAndTheWeakestMoves(t *testing.T) {
	for _, test := range []struct {
		name  string
		below uint32
		in    bool
	}{
		{"it carries more than the weakest child", 40, true},
		{"it carries as many", 5, false},
		{"it carries nobody", 0, false},
	} {
		r := newRig(t, Config{Root: true, Slots: 2})
		r.come(2, 1, Join{Slots: 4}, Report{Room: noRoom, Below: 5})
		r.come(4, 2, Join{Slots: 4}, Report{Room: noRoom, Below: 9})
		_, in := sent[Welcome](r.ask(6, 3, Join{Slots: 4, Below: test.below}))
		if in != test.in {
			t.Errorf("%s: let in: %v", test.name, in)
			continue
		}
		if !in {
			continue
		}
		as := r.give(Received{6, Pull{}})
		if ms := sentTo[Bye](as, 2); len(ms) != 1 || ms[0].Reason != ReasonDisplaced {
			t.Errorf("%s: the child that carries least is told %+v", test.name, ms)
		}
		if _, more := sent[Welcome](r.ask(8, 4, Join{Slots: 4, Below: 100})); more {
			t.Errorf("%s: a second one over half of the emergency slots is let in", test.name)
		}
	}
}

func TestANodeThatHasHadNoChunkLetsNobodyInUntilOneHasCome(t *testing.T) {
	r := newRig(t, Config{Slots: 4})
	l := r.below(2)
	r.give(Progress{Barren: true})
	if m, ok := sent[Refer](r.ask(2, 1, Join{})); !ok || m.Reason != ReasonOrphan {
		t.Errorf("a joiner is answered %+v", m)
	}
	if _, ok := sent[Welcome](r.ask(4, 2, Join{Standby: true})); !ok {
		t.Error("a link to be kept ready is refused")
	}
	if m, ok := sent[Refer](r.give(Received{4, Pull{}})); !ok || m.Reason != ReasonOrphan {
		t.Errorf("its pull is answered %+v", m)
	}
	rep, ok := sent[Report](r.live(time.Second, r.beats(l, Heartbeat{Label: Label{H: 1}})))
	if !ok || rep.Free != 0 || rep.Room != noRoom {
		t.Errorf("reports %+v", rep)
	}
	r.give(Progress{})
	if _, ok := sent[Welcome](r.ask(6, 3, Join{})); !ok {
		t.Error("refuses although it has chunks now")
	}
}

// However long stronger joiners keep coming, EmergencyTime after the first of them all
// children that were asked to move are gone, and there are no more children than slots.
func TestSwapsBeginOnlyInTheFirstSecondOverTheSlots(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 8})
	for i := range 8 {
		r.come(Link(2+2*i), 1+i, Join{Slots: 1}, Report{})
	}
	over := time.Time{}
	for i := 0; i < 300; i++ {
		r.ask(Link(100+2*i), 100+i, Join{Slots: 20})
		r.give(Received{Link(100 + 2*i), Pull{}})
		for _, c := range r.children { // nobody moves, everybody goes on reporting
			rep := c.report
			rep.Sent, rep.Slots = 1, uint16(c.slots)
			r.give(Received{c.link, rep})
		}
		r.pass(100 * time.Millisecond)
		switch {
		case len(r.children) <= 8:
			over = time.Time{}
		case over.IsZero():
			over = r.now
		case r.now.Sub(over) > EmergencyTime+200*time.Millisecond:
			t.Fatalf("%d children in 8 slots for %v", len(r.children), r.now.Sub(over))
		}
	}
}

func TestALateParentIsLeftForAStandbyWithoutAFreeSlotOnlyIfASearchFoundNobody(t *testing.T) {
	for _, test := range []struct {
		name   string
		room   Room
		failed int
		want   bool
	}{
		{"a free slot", Room{}, 0, true},
		{"none", noRoom, 0, false},
		{"none, and nobody was found", noRoom, 1, true},
	} {
		r := newRig(t, Config{})
		r.below(2)
		r.give(Progress{Lag: 900 * time.Millisecond})
		r.search.want, r.late.failed = wantFaster, test.failed
		if got := r.fits(&standby{ready: true, room: test.room}); got != test.want {
			t.Errorf("%s: used: %v", test.name, got)
		}
	}
}
