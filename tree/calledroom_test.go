package tree

import "testing"

// calls is the report of a child that nobody can dial and that can be called.
func calls(slots, free uint16) Report {
	room := noRoom
	if free > 0 {
		room = Room{}
	}
	return Report{Sent: 1, Slots: slots, Free: free, Callable: true, Room: noRoom, Called: CalledRoom{true, room}}
}

// TestAChildIsToldOfTheRoomThatIsNotItsOwn has a node tell one child of a free slot at the other, and
// that other of none.
func TestAChildIsToldOfTheRoomThatIsNotItsOwn(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 2, Probes: true})
	for i, free := range []uint16{4, 0} {
		l := Link(2 + 2*i)
		r.asks(l, 1+i, true, Join{Addrs: place(1 + i).Addrs, Slots: 4})
		r.give(Received{l, Pull{}})
		r.give(Received{l, calls(4, free)})
		r.live(heartbeatInterval)
		r.give(Probed{l, Closed})
	}
	as := r.live(2 * heartbeatInterval)
	for l, want := range map[Link]uint8{2: NoRoom, 4: 1} {
		hbs := sentTo[Heartbeat](as, l)
		if len(hbs) == 0 {
			t.Fatalf("link %d hears nothing", l)
		}
		hb := hbs[len(hbs)-1]
		if hb.Called.Room[0] != want || hb.BestCalled.Room[0] != 1 {
			t.Errorf("link %d is told of room %d here and %d in all, want %d and 1", l, hb.Called.Room[0], hb.BestCalled.Room[0], want)
		}
	}
}
