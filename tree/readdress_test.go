package tree

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

var moved = Readdressed{Addrs: []netip.AddrPort{netip.MustParseAddrPort("192.168.9.9:7144")}}

func TestChildrenHearOfTheRootsNewAddress(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 2})
	r.come(2, 9, Join{Slots: 1}, Report{})
	as := append(r.give(moved), r.pass(heartbeatInterval)...)
	m, ok := sent[Path](as)
	if !ok || len(m.Path) != 1 || !slices.Equal(m.Path[0].Addrs, moved.Addrs) {
		t.Errorf("the children are told %+v", m)
	}
	w, ok := sent[Welcome](r.ask(4, 8, Join{}))
	if !ok || !slices.Equal(w.Path[0].Addrs, moved.Addrs) {
		t.Errorf("a newcomer is told %+v", w)
	}
}

func TestTheNextParentHearsOfTheNewAddress(t *testing.T) {
	r := newRig(t, Config{Slots: 2})
	up := r.below(1)
	r.give(moved)
	d, ok := first[Dial](r.give(Down{up, Lost(ReasonClosed)}))
	if !ok {
		d, ok = first[Dial](append(r.give(hints(7)), r.pass(time.Second)...))
	}
	if !ok {
		t.Fatal("nobody is asked")
	}
	if j, ok := sent[Join](r.give(Up{d.Link, place(7).ID, addr(7), false, false})); !ok || !slices.Equal(j.Addrs, moved.Addrs) {
		t.Errorf("it hears %+v", j)
	}
}

func TestWhoFailedInTheOldNetworkIsAskedAgainAtOnce(t *testing.T) {
	r := newRig(t, Config{Slots: 1, Seeds: places(1)})
	d, ok := first[Dial](r.rest())
	for range 8 { // until it is left alone for seconds
		if !ok {
			t.Fatal("the seed is not asked")
		}
		d, ok = first[Dial](append(r.give(Down{d.Link, Lost(ReasonUnreachable)}), r.pass(20*time.Second)...))
	}
	r.give(Down{d.Link, Lost(ReasonUnreachable)})
	if d, ok = first[Dial](r.give(moved)); !ok || !d.Place.same(place(1)) {
		t.Fatal("the seed is left alone in the new network, too")
	}
	as := r.give(moved) // again, while the dial hangs
	if closed(as, d.Link) == ReasonNone {
		t.Error("a dial that began in the old network goes on")
	}
	if again, ok := first[Dial](as); !ok || !again.Place.same(place(1)) {
		t.Error("no other takes its place")
	}
}

func TestWhoBrokeTheRulesIsNotForgivenInANewNetwork(t *testing.T) {
	now := time.Unix(1000, 0)
	var b book
	b.add(places(1, 2, 3), rankHint, 0)
	b.failed(now, place(1), ReasonForged)
	b.failed(now, place(2), ReasonUnreachable)
	b.avoid(place(3), now.Add(distrustTime))
	b.forgive(now)
	for i, want := range map[int]bool{1: true, 2: false, 3: true} {
		if got := now.Before(b.find(place(i)).avoid); got != want {
			t.Errorf("place %d is left alone: %v", i, got)
		}
	}
}

// The parent has lost its address, and comes from another.
func TestASilentParentThatOffersItselfIsTakenAtOnce(t *testing.T) {
	elsewhere := Place{place(100).ID, []netip.AddrPort{netip.MustParseAddrPort("192.168.9.9:40000")}}
	r := newRig(t, Config{})
	up := r.below(1)
	if as := r.give(Offered{elsewhere.ID}); len(every[Dial](as)) != 0 || closed(as, up) != ReasonNone {
		t.Fatalf("a parent that is well is left: %+v", as)
	}
	r.pass(r.times.silence + heartbeatInterval)
	as := r.give(Offered{elsewhere.ID})
	d, ok := first[Dial](as)
	if !ok || d.Place.ID != elsewhere.ID || closed(as, up) != ReasonSilent {
		t.Fatalf("%+v", as)
	}
	if a, ok := first[Attached](r.welcomes(d, 0)); !ok || a.Link != d.Link {
		t.Error("it is not taken")
	}
}

// A dial to where the node was would hang for as long as a dial may.
func TestAnOfferReplacesTheDialToAnOldAddress(t *testing.T) {
	r := newRig(t, Config{Seeds: places(1)})
	d, ok := first[Dial](r.rest())
	if !ok {
		t.Fatal("nobody is dialled")
	}
	as := r.give(Offered{place(1).ID})
	again, ok := first[Dial](as)
	if !ok || again.Link == d.Link || again.Place.ID != place(1).ID || closed(as, d.Link) != ReasonNotNeeded {
		t.Errorf("%+v", as)
	}
}

func TestADialGoesOnWhileARouterOpensThePort(t *testing.T) {
	r := newRig(t, Config{Slots: 1, Seeds: places(1)})
	d, ok := first[Dial](r.rest())
	if !ok {
		t.Fatal("the seed is not asked")
	}
	stayed := Readdressed{Addrs: moved.Addrs, Stayed: true}
	as := r.give(stayed)
	if again, ok := first[Dial](as); ok || closed(as, d.Link) != ReasonNone {
		t.Errorf("it is given up, and %+v begins", again)
	}
	if j, ok := sent[Join](r.give(Up{d.Link, place(1).ID, addr(1), false, false})); !ok || !slices.Equal(j.Addrs, moved.Addrs) {
		t.Errorf("the seed hears %+v", j)
	}
}

// A parent that has forged is cut, and the way to the root still leads through it.
func TestAnOfferDoesNotForgiveWhoBrokeTheRules(t *testing.T) {
	r := newRig(t, Config{})
	up := r.below(1)
	r.give(Down{up, ByUs(ReasonForged)})
	if as := append(r.give(Offered{place(100).ID}), r.pass(5*second)...); len(every[Dial](as)) != 0 {
		t.Errorf("it is asked again: %+v", every[Dial](as))
	}
}

// Nobody can dial where an offer comes from, so nobody is told of it.
func TestTheAddressOfAnOfferIsToldToNobody(t *testing.T) {
	r := newRig(t, Config{Slots: 2})
	r.rest()
	d, ok := first[Dial](r.give(Offered{place(7).ID}))
	if !ok || len(d.Place.Addrs) != 0 {
		t.Fatalf("%+v", d)
	}
	r.give(Up{d.Link, place(7).ID, netip.AddrPort{}, false, false})
	r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, 1, 0}, Path: places(7)}})
	w, ok := sent[Welcome](r.ask(2, 8, Join{}))
	if !ok || !slices.Equal(w.Path[0].Addrs, place(7).Addrs) {
		t.Errorf("a child is told %+v", w.Path)
	}
	for _, p := range w.Others {
		if len(p.Addrs) == 0 {
			t.Errorf("a child is sent to %+v", p)
		}
	}
}
