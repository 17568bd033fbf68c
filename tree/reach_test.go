package tree

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

// probes are the links whose nodes are to be tried.
func probes(as []Action) []Link {
	var ls []Link
	for _, p := range every[Probe](as) {
		ls = append(ls, p.Link)
	}
	return ls
}

// full is a root with two slots, whose children claim eight slots each.
func full(t *testing.T) *rig {
	r := newRig(t, Config{Root: true, Slots: 2, Probes: true})
	for i := range 2 {
		l := Link(2 + 2*i)
		if got := probes(append(r.come(l, 1+i, Join{Slots: 8}, Report{Free: 8}), r.live(heartbeatInterval)...)); !slices.Equal(got, []Link{l}) {
			t.Fatalf("%v are tried, want the child %v", got, l)
		}
	}
	return r
}

// shut has a child found to be closed.
func (r *rig) shut(ls ...Link) {
	for _, l := range ls {
		r.give(Probed{l, Closed})
	}
}

func TestWhoCanServeTakesThePlaceOfAChildThatNobodyGetsThroughTo(t *testing.T) {
	r := full(t)
	r.shut(2, 4)
	as := r.ask(6, 3, Join{Slots: 8})
	if len(sentTo[Welcome](as, 6)) != 0 || !slices.Equal(probes(as), []Link{6}) {
		t.Fatalf("a joiner that is not known is not tried first: %+v", as)
	}
	as = r.give(Probed{6, Open})
	if len(sentTo[Welcome](as, 6)) != 1 {
		t.Fatalf("an open one is not welcome: %+v", as)
	}
	as = r.give(Received{6, Pull{}})
	asked := append(sentTo[Bye](as, 2), sentTo[Bye](as, 4)...)
	if len(asked) != 1 || asked[0].Reason != ReasonDisplaced || number(asked[0].Places[0]) != 3 {
		t.Errorf("nobody is asked to move below it: %+v", as)
	}
}

func TestNobodyMakesRoomForWhomNobodyGetsThroughTo(t *testing.T) {
	for name, answer := range map[string]func(r *rig) []Action{
		"it is closed":            func(r *rig) []Action { return r.give(Probed{6, Closed}) },
		"there is no time to try": func(r *rig) []Action { return r.give(Probed{6, Untried}) },
		"nothing comes for a second": func(r *rig) []Action {
			return r.live(heldTime+heartbeatInterval, r.reports(2, Report{}), r.reports(4, Report{}))
		},
	} {
		r := full(t)
		r.shut(2, 4)
		r.ask(6, 3, Join{Slots: 8})
		as := answer(r)
		if m := sentTo[Refer](as, 6); len(m) != 1 || m[0].Reason != ReasonFull || len(m[0].Places) != 0 {
			t.Errorf("%s: %+v", name, as)
		}
		if n := len(r.Info().Children); n != 2 {
			t.Errorf("%s: %d children", name, n)
		}
	}
}

func TestAFreeSlotIsGivenWithoutATrial(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 2, Probes: true})
	if as := r.ask(2, 1, Join{Slots: 8}); len(sentTo[Welcome](as, 2)) != 1 || len(probes(as)) != 0 {
		t.Errorf("%+v", as)
	}
}

func TestNobodyIsSentToAChildThatIsClosed(t *testing.T) {
	r := full(t)
	r.give(Received{2, Report{Sent: 2, Slots: 8, Free: 8}})
	r.give(Received{4, Report{Sent: 2, Slots: 8, Free: 8}})
	r.shut(2)
	r.give(Probed{4, Open})
	m := sentTo[Refer](r.ask(6, 3, Join{}), 6)
	if len(m) != 1 || len(m[0].Places) != 1 || number(m[0].Places[0]) != 2 {
		t.Fatalf("want the open one alone: %+v", m)
	}
	r.shut(4)
	if room := r.room(r.now, false); room[0] != NoRoom {
		t.Errorf("the tree promises room below closed children: %v", room)
	}
	as := r.live(2*assignInterval, r.reports(2, Report{Slots: 8, Free: 8}), r.reports(4, Report{Slots: 8, Free: 8}))
	for _, b := range append(sentTo[Backups](as, 2), sentTo[Backups](as, 4)...) {
		if len(b.Places) != 0 {
			t.Errorf("they are each other's backups: %+v", b)
		}
	}
}

func TestAChildIsTriedAgain(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 2, Probes: true})
	r.come(2, 1, Join{Slots: 8}, Report{})
	speak := r.reports(2, Report{Slots: 8, Free: 8})
	r.live(heartbeatInterval, speak)
	r.give(Probed{2, Untried})
	if as := r.live(probeRetry-time.Second, speak); len(probes(as)) != 0 {
		t.Error("tried again at once, although there was no time")
	}
	if as := r.live(2*time.Second, speak); !slices.Equal(probes(as), []Link{2}) {
		t.Error("not tried again after a minute")
	}
	quiet := func(d time.Duration) {
		t.Helper()
		if as := r.live(d-time.Second, speak); len(probes(as)) != 0 {
			t.Errorf("tried again before %v", d)
		}
		if as := r.live(2*time.Second, speak); !slices.Equal(probes(as), []Link{2}) {
			t.Errorf("not tried again after %v", d)
		}
	}
	for _, pause := range []time.Duration{probeSoon, 2 * probeSoon, 4 * probeSoon, 8 * probeSoon, 16 * probeSoon, probeAgain, probeAgain} {
		r.give(Probed{2, Closed})
		if got := r.Info().Children[0].Reach; got != Closed {
			t.Errorf("it was not reached, and counts as %v", got)
		}
		quiet(pause)
	}
	r.give(Probed{2, Open})
	if got := r.Info().Children[0].Reach; got != Open {
		t.Errorf("its port is open now, and it counts as %v", got)
	}
	quiet(probeAgain)
	r.give(Probed{2, Closed}) // its router has started again, perhaps
	quiet(probeSoon)
}

func TestHeldJoinersAreBounded(t *testing.T) {
	r := full(t)
	r.shut(2, 4)
	for i := range maxHeld {
		if as := r.ask(Link(100+2*i), 10+i, Join{Slots: 8}); len(sentTo[Refer](as, Link(100+2*i))) != 0 {
			t.Fatalf("joiner %d is turned away", i)
		}
	}
	if as := r.ask(200, 50, Join{Slots: 8}); len(sentTo[Refer](as, 200)) != 1 {
		t.Errorf("one more is not turned away: %+v", as)
	}
	r.give(Down{100, Lost(ReasonClosed)})
	r.give(Down{102, Lost(ReasonClosed)})
	for i, want := range []int{0, 1} {
		l := Link(190 + 2*i)
		j := Joined{l, place(60 + i).ID, addr(17), false, false, false, Join{Slots: 8, Addrs: place(60 + i).Addrs}} // of node 17, which is held too
		if got := len(sentTo[Refer](r.give(j), l)); got != want {
			t.Errorf("joiner %d from one address: %d referrals, want %d", 2+i, got, want)
		}
	}
	r.give(Down{190, Lost(ReasonClosed)})
	if as := r.give(Probed{100, Open}); len(as) != 0 {
		t.Errorf("one that has gone: %+v", as)
	}
	r.ask(202, 51, Join{Slots: 8})
	if why := closed(r.ask(204, 51, Join{Slots: 8}), 202); why != ReasonReplaced {
		t.Errorf("one that came back on another link: %v", why)
	}
	as := r.give(Leave{})
	for _, h := range every[Send](as) {
		if m, ok := h.Msg.(Refer); ok && m.Reason != ReasonLeaving {
			t.Errorf("%+v", m)
		}
	}
	if len(r.held) != 0 {
		t.Errorf("%d are held by a node that has left", len(r.held))
	}
}

func TestAClosedChildIsTriedAtThePortThatItsRouterHasOpened(t *testing.T) {
	r := full(t)
	r.shut(2)
	at := func(i int, port uint16) netip.AddrPort { return netip.AddrPortFrom(addr(i).Addr(), port) }
	hear := func(i int, addrs ...netip.AddrPort) []Action {
		return append(r.give(Candidates{[]Candidate{{Place: Place{place(i).ID, addrs}}}}), r.live(heartbeatInterval, r.reports(2, Report{}), r.reports(4, Report{}))...)
	}
	if as := hear(1, at(9, 7150), place(1).Addrs[0]); len(probes(as)) != 0 {
		t.Errorf("it is tried where it was not seen, or once more: %+v", probes(as))
	}
	if as := hear(2, at(2, 7150)); len(probes(as)) != 0 {
		t.Error("one that counts as before is tried")
	}
	as := hear(1, at(1, 7150))
	p, ok := first[Probe](as)
	if !ok || p.Link != 2 || p.Place.Addrs[0] != at(1, 7150) || len(p.Place.Addrs) > MaxAddrs {
		t.Fatalf("it is tried at %v", p.Place)
	}
	r.give(Probed{2, Closed})
	if as := hear(1, at(1, 7150)); len(probes(as)) != 0 {
		t.Error("the same again has it tried again")
	}
	// Whoever tells of one port after the other has it tried no sooner, and takes none of its own.
	for port := range uint16(50) {
		if as := hear(1, at(1, 8000+port)); len(probes(as)) > 1 {
			t.Errorf("%d trials", len(probes(as)))
		}
	}
	if c := r.children.find(2); !slices.Contains(c.place.Addrs, place(1).Addrs[0]) || len(c.place.Addrs) > 2 {
		t.Errorf("it is left with %v", c.place.Addrs)
	}
}

// Children with a standby link come all at once when their parent is gone. Those behind them must not be
// sent to them.
func TestAGuestThatIsTakenInIsTriedBeforeAnybodyIsSentThere(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 2, Probes: true})
	r.ask(2, 1, Join{Slots: 4, Standby: true})
	if _, ok := first[Probe](r.give(Received{2, Pull{}})); !ok {
		t.Error("it is not tried at once")
	}
	r.give(Received{2, Report{Sent: 1, Slots: 4, Free: 4}})
	r.ask(4, 2, Join{})
	r.give(Received{4, Pull{}})
	if m := sentTo[Refer](r.ask(6, 3, Join{}), 6); len(m) != 1 || len(m[0].Places) != 0 {
		t.Errorf("a joiner is sent to %+v", m)
	}
}
