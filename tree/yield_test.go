package tree

import (
	"testing"
	"time"
)

// fullOfCallable is a root whose two places are held by nodes that nobody can dial, one of which could go
// below the other.
func fullOfCallable(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, Config{Root: true, Slots: 2, Probes: true})
	for i, slots := range []uint16{8, 0} {
		l := Link(2 + 2*i)
		r.asks(l, 1+i, true, Join{Addrs: place(1 + i).Addrs, Slots: slots})
		r.give(Received{l, Pull{}})
		r.give(Received{l, Report{Sent: 1, Slots: slots, Free: slots, Callable: true, Room: roomOf(slots), Called: CalledRoom{true, roomOf(slots)}}})
		r.live(heartbeatInterval)
		r.give(Probed{l, Closed})
	}
	return r
}

// TestAChildThatCanCallYieldsToAJoinerThatCannot has a root whose two places are held by nodes that
// nobody can dial, one of which could go below the other.
func TestAChildThatCanCallYieldsToAJoinerThatCannot(t *testing.T) {
	r := fullOfCallable(t)
	if room := r.room(r.now, false); room[0] != 0 {
		t.Errorf("no room is told of: %v", room)
	}
	if as := r.asks(6, 3, true, Join{}); len(sentTo[Welcome](as, 6)) != 0 {
		t.Errorf("somebody yields to one that could call the other: %+v", as)
	}
	as := r.asks(8, 4, false, Join{})
	if len(sentTo[Welcome](as, 8)) != 1 {
		t.Fatalf("nobody yields: %+v", as)
	}
	as = r.give(Received{8, Pull{}})
	bye := sentTo[Bye](as, 4)
	if len(bye) != 1 || bye[0].Reason != ReasonDisplaced || len(bye[0].Places) != 1 || number(bye[0].Places[0]) != 1 || bye[0].Called != 1 {
		t.Fatalf("the one without slots is not sent to the other: %+v", as)
	}
	if as := r.asks(10, 5, false, Join{}); len(sentTo[Welcome](as, 10)) != 0 {
		t.Errorf("two places are exchanged at a time: %+v", as)
	}

	// It could not move: then it stays, and the other goes and does not come back for a while.
	speak := []func() []Action{
		r.reports(2, Report{Slots: 8, Free: 8, Callable: true}), r.reports(4, Report{Callable: true}), r.reports(8, Report{}),
	}
	as = r.live(shedTime+2*heartbeatInterval, speak...)
	if closed(as, 8) != ReasonFull || closed(as, 4) != ReasonNone {
		t.Errorf("the joiner's link ends with %v, the other's with %v", closed(as, 8), closed(as, 4))
	}
	if as := r.asks(12, 4, false, Join{}); len(sentTo[Welcome](as, 12)) != 0 {
		t.Errorf("the same one is let in again: %+v", as)
	}

	// If it has, all three have a place.
	r = fullOfCallable(t)
	r.asks(8, 4, false, Join{})
	r.give(Received{8, Pull{}})
	r.give(Received{4, Bye{Reason: ReasonMoved}})
	as = r.live(shedTime+time.Second, r.reports(2, Report{Slots: 8, Free: 7, Callable: true}), r.reports(8, Report{}))
	if n := len(r.Info().Children); n != 2 || closed(as, 8) != ReasonNone {
		t.Errorf("%d children: %+v", n, as)
	}
}

// fullRoot is a root whose two places are held by nodes that nobody can dial, one of which could go below
// the other; speak has them go on reporting.
func fullRoot(t *testing.T) (r *rig, speak []func() []Action) {
	t.Helper()
	r = newRig(t, Config{Root: true, Slots: 2, Probes: true})
	speak = []func() []Action{
		r.reports(2, Report{Slots: 8, Free: 8, Callable: true, Called: CalledRoom{true, roomOf(8)}}), r.reports(4, Report{Callable: true}),
	}
	for i, slots := range []uint16{8, 0} {
		l := Link(2 + 2*i)
		r.asks(l, 1+i, true, Join{Addrs: place(1 + i).Addrs, Slots: slots})
		r.give(Received{l, Pull{}})
		r.live(heartbeatInterval, speak[i])
		r.give(Probed{l, Closed})
	}
	return r, speak
}

// yieldsTo has a joiner come that cannot call, and reports whether somebody is asked to make room for it.
func (r *rig) yieldsTo(l Link, i int) bool {
	r.asks(l, i, false, Join{})
	return len(sentTo[Bye](r.give(Received{l, Pull{}}), 4)) == 1
}

func TestAChildStaysIfTheOneForWhomItYieldsHasGone(t *testing.T) {
	r, speak := fullRoot(t)
	if !r.yieldsTo(8, 4) {
		t.Fatal("nobody yields")
	}
	r.give(Down{8, ByThem(ReasonClosed)})
	if as := r.live(EmergencyTime+time.Second, speak...); closed(as, 4) != ReasonNone {
		t.Errorf("it has to go for nobody: %v", closed(as, 4))
	}
}

// TestAfterAChildHasMovedOthersYieldAgain has one find no place a few times, and then move.
func TestAfterAChildHasMovedOthersYieldAgain(t *testing.T) {
	r, speak := fullRoot(t)
	for i := range 3 {
		l := Link(8 + 2*i)
		if !r.yieldsTo(l, 4+i) {
			t.Fatalf("nobody yields for joiner %d", i)
		}
		r.live(shedTime+2*heartbeatInterval, append(speak, r.reports(l, Report{}))...)
		r.live(yieldAgain<<i, speak...)
	}
	if r.yields.pause != yieldAgain<<2 {
		t.Errorf("after three in vain they pause for %v", r.yields.pause)
	}
	if !r.yieldsTo(20, 10) {
		t.Fatal("nobody yields")
	}
	r.give(Received{4, Bye{Reason: ReasonMoved}})
	if r.yields.pause != 0 {
		t.Errorf("after one has moved they pause for %v", r.yields.pause)
	}
}

// TestNobodyIsAskedToMoveForWhomAnotherYields has an orphan come over the slots while a child yields: if
// that finds no place, the one for whom it yielded goes, and must not have gone for the orphan.
func TestNobodyIsAskedToMoveForWhomAnotherYields(t *testing.T) {
	r, speak := fullRoot(t)
	speak = append(speak, r.reports(8, Report{}), r.reports(20, Report{Slots: 8, Children: 1, Below: 1, Room: noRoom}))
	r.asks(20, 7, true, Join{Addrs: place(7).Addrs, Slots: 8, Standby: true})
	r.asks(8, 4, false, Join{})
	if bye := sentTo[Bye](r.give(Received{8, Pull{}}), 4); len(bye) != 1 {
		t.Fatal("nobody yields")
	}
	r.live(7*time.Second, speak...)
	as := r.give(Received{20, Pull{}})
	if len(sentTo[Welcome](as, 20)) != 1 || len(sentTo[Bye](as, 8)) != 0 || len(sentTo[Bye](as, 2))+len(sentTo[Bye](as, 20)) != 1 {
		t.Errorf("an orphan comes: %+v", as)
	}
	r.live(EmergencyTime-7*time.Second, speak...)
	if n := len(r.Info().Children); n != 2 {
		t.Errorf("%d children in 2 slots after %v", n, EmergencyTime)
	}
}

// TestAChildYieldsForAPlaceElsewhereInTheTree has a node whose one child can be called, and that knows
// of places for it or of none.
func TestAChildYieldsForAPlaceElsewhereInTheTree(t *testing.T) {
	free := Room{}
	for name, c := range map[string]struct {
		parent, tree Room // what the parent tells of its own room and of the tree's
		own          uint16
		yields       bool
	}{
		"beside the node": {free, free, 4, true},
		"nowhere":         {noRoom, noRoom, 0, false},
		"nearer to the root than the child's own":  {noRoom, free, 4, true},
		"below itself alone, for all that is told": {noRoom, Room{2, 2, 2, 2, 2, 2}, 4, false},
		"further down, and it has none":            {noRoom, Room{5, 5, 5, 5, 5, 5}, 0, true},
	} {
		r := newRig(t, Config{Slots: 1, Probes: true})
		up := r.below(1)
		r.asks(2, 1, true, Join{Addrs: place(1).Addrs, Slots: 4})
		r.give(Received{2, Pull{}})
		beat := r.beats(up, Heartbeat{Label: Label{H: 0}, Best: noRoom, Room: noRoom, BestCalled: CalledRoom{true, c.tree}, Called: CalledRoom{true, c.parent}})
		speak := []func() []Action{beat, r.reports(2, calls(4, c.own))}
		r.live(2*heartbeatInterval, speak...)
		r.give(Probed{2, Closed})
		r.live(2*heartbeatInterval, speak...)
		as := r.asks(4, 2, false, Join{})
		if got := len(sentTo[Welcome](as, 4)) == 1; got != c.yields {
			t.Errorf("%s: yields %v", name, got)
		}
		if !c.yields {
			continue
		}
		as = r.give(Received{4, Pull{}})
		if len(sentTo[Bye](as, 2)) != 1 {
			t.Fatalf("%s: the child is not asked to move: %+v", name, as)
		}
		// It finds none: then nobody yields for a while.
		as = r.live(shedTime+2*heartbeatInterval, append(speak, r.reports(4, Report{}))...)
		if closed(as, 4) != ReasonFull || closed(as, 2) != ReasonNone {
			t.Errorf("%s: the joiner's link ends with %v, the child's with %v", name, closed(as, 4), closed(as, 2))
		}
		if as := r.asks(6, 3, false, Join{}); len(sentTo[Welcome](as, 6)) != 0 {
			t.Errorf("%s: it is asked again at once", name)
		}
		r.live(yieldAgain, speak...)
		if as := r.asks(8, 4, false, Join{}); len(sentTo[Welcome](as, 8)) != 1 {
			t.Errorf("%s: it is not asked again after %v", name, yieldAgain)
		}
	}
}

// roomOf is the room of a node with free slots.
func roomOf(slots uint16) Room {
	if slots == 0 {
		return noRoom
	}
	return Room{}
}

// A child yields to a joiner, and then one more comes over the slots. The joiner is not asked to move for
// that one, though it is the weakest: it goes anyway if the child stays, and whoever is asked then would be
// asked too late.
func TestWhoOthersYieldToIsAskedToMoveLast(t *testing.T) {
	r := fullOfCallable(t)
	r.asks(8, 4, false, Join{})
	if as := r.give(Received{8, Pull{}}); len(sentTo[Bye](as, 4)) != 1 {
		t.Fatalf("nobody yields: %+v", as)
	}
	r.ask(10, 5, Join{Slots: 1, Age: 900, Standby: true})
	as := r.give(Received{10, Pull{}})
	if len(sentTo[Bye](as, 8)) != 0 || len(sentTo[Bye](as, 10)) != 1 {
		t.Errorf("not the one that came last is asked: %+v", as)
	}
}
