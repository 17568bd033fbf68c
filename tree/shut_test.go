package tree

import (
	"testing"
	"time"
)

// A source that nobody dials has slots, and nobody is sent to it for them.
func TestARootThatNobodyDialsHasRoomForNobody(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 3, Probes: true})
	r.come(2, 1, Join{Slots: 4}, Report{Room: noRoom})
	told := func(as []Action) (room Room, path []Place) {
		t.Helper()
		hbs := sentTo[Heartbeat](as, 2)
		if len(hbs) == 0 {
			t.Fatalf("the child hears nothing: %+v", as)
		}
		for _, p := range sentTo[Path](as, 2) {
			path = p.Path
		}
		return hbs[len(hbs)-1].Best, path
	}
	if room, _ := told(r.live(2 * heartbeatInterval)); room != (Room{}) {
		t.Errorf("before it is known, the room is %v", room)
	}
	r.give(Shut{true})
	room, path := told(r.live(2 * heartbeatInterval))
	if room != noRoom {
		t.Errorf("the room is %v", room)
	}
	if len(path) != 1 || path[0].ID != place(0).ID || len(path[0].Addrs) != 0 {
		t.Errorf("the children pass on the path %v", path)
	}
	if as := r.ask(4, 2, Join{}); len(sentTo[Welcome](as, 4)) != 1 {
		t.Errorf("who gets there all the same is not welcome: %+v", as)
	}

	r.give(Shut{false})
	if room, path := told(r.live(2 * heartbeatInterval)); room != (Room{}) || len(path) != 1 || len(path[0].Addrs) == 0 {
		t.Errorf("when it is known to be dialled, the room is %v, the path %v", room, path)
	}
}

// A full node has a joiner wait until it has been tried, if it claims slots. One that knows what will
// come of it claims none, but where they can be had.
func TestANodeThatNobodyDialsClaimsSlotsInItsOwnNetworksAlone(t *testing.T) {
	for _, c := range []struct {
		shut, near bool
		want       uint16
	}{{false, false, 7}, {false, true, 7}, {true, false, 0}, {true, true, 7}} {
		r := newRig(t, Config{Slots: 7})
		r.give(Shut{c.shut})
		r.give(hints(1))
		d, _ := first[Dial](r.pass(2 * retryFirst))
		as := r.give(Up{d.Link, place(1).ID, addr(1), c.near, false})
		if j, ok := sent[Join](as); !ok || j.Slots != c.want {
			t.Errorf("shut %v, near %v: it claims %d slots, want %d: %+v", c.shut, c.near, j.Slots, c.want, as)
		}
	}
}

// A place that does not answer has the joiner tried first, and others would. A newcomer claims slots at one at a
// time, and at none after it has waited for long.
func TestANewcomerClaimsSlotsAtOnePlaceAtATime(t *testing.T) {
	for _, c := range []struct {
		name    string
		waits   time.Duration
		answers bool // the first place does then
		want    uint16
	}{
		{"it waits", heartbeatInterval, false, 0},
		{"it was refused at once", heartbeatInterval, true, 7},
		{"it was refused after a trial", keptAfter, true, 0},
	} {
		r := newRig(t, Config{Slots: 7, Seeds: []Place{place(1), place(2)}})
		a, _ := first[Dial](r.rest())
		b, ok := first[Dial](r.pass(hedgeAfter))
		if !ok {
			t.Fatal("nobody else is asked")
		}
		as := r.give(Up{a.Link, a.Place.ID, a.Place.first(), false, false})
		if j, ok := sent[Join](as); !ok || j.Slots != 7 {
			t.Errorf("%s: it claims %d slots at the first place: %+v", c.name, j.Slots, as)
		}
		r.live(c.waits)
		if c.answers {
			r.give(Received{a.Link, Refer{Reason: ReasonFull}})
		}
		as = r.give(Up{b.Link, b.Place.ID, b.Place.first(), false, false})
		if j, ok := sent[Join](as); !ok || j.Slots != c.want {
			t.Errorf("%s: it claims %d slots, want %d: %+v", c.name, j.Slots, c.want, as)
		}
	}
}

// What is known to work as its parent's address is not told of a parent that is dialled at none.
func TestAParentWithoutAnAddressIsPassedOnWithoutOne(t *testing.T) {
	r := newRig(t, Config{Slots: 3})
	l := r.attach(Label{Epoch{Ms: 1}, 1, 0}, 1)
	r.come(2, 2, Join{Slots: 1}, Report{Room: noRoom})
	r.give(Received{l, Path{[]Place{{ID: place(1).ID}}}})
	ps := sentTo[Path](r.live(2*heartbeatInterval, r.beats(l, quiet(0))), 2)
	if len(ps) == 0 || len(ps[len(ps)-1].Path[0].Addrs) != 0 {
		t.Errorf("the child hears of %v", ps)
	}
}
