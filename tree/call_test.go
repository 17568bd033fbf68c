package tree

import (
	"testing"
	"time"
)

// asks has node i ask for a slot, which knows how to call or does not.
func (r *rig) asks(l Link, i int, calls bool, j Join) []Action {
	return r.give(Joined{l, place(i).ID, addr(i), false, calls, false, j})
}

// callable is what a child reports that nobody can dial, with free slots.
var callable = Report{Sent: 2, Slots: 8, Free: 8, Callable: true}

// fullOf is a root with two slots whose children were tried: the first is found as a says, the second
// as b.
func fullOf(t *testing.T, a, b Reach) *rig {
	r := full(t)
	r.give(Received{2, callable})
	r.give(Received{4, callable})
	r.give(Probed{2, a})
	r.give(Probed{4, b})
	return r
}

func TestANodeThatCanCallIsSentToOneThatNobodyCanDial(t *testing.T) {
	for name, c := range map[string]struct {
		a, b  Reach
		calls bool
		want  []int // in this order
		mark  Marks
	}{
		"both closed":                  {Closed, Closed, false, nil, 0},
		"and it can call":              {Closed, Open, true, []int{2, 1}, 0b10},
		"who is dialled comes first":   {Open, Closed, true, []int{1, 2}, 0b10},
		"and is all there is for some": {Closed, Open, false, []int{2}, 0},
	} {
		r := fullOf(t, c.a, c.b)
		m := sentTo[Refer](r.asks(6, 3, c.calls, Join{Slots: 0}), 6)
		if len(m) != 1 {
			t.Errorf("%s: %+v", name, m)
			continue
		}
		got := numbers(m[0].Places)
		if len(got) != len(c.want) || m[0].Called != c.mark {
			t.Errorf("%s: sent to %v, marked %b, want %v, %b", name, got, m[0].Called, c.want, c.mark)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: sent to %v, want %v", name, got, c.want)
			}
		}
	}
	// A node that does not answer calls is a leaf, whoever asks.
	r := full(t)
	for _, l := range []Link{2, 4} {
		r.give(Received{l, Report{Sent: 2, Slots: 8, Free: 8}})
		r.shut(l)
	}
	if m := sentTo[Refer](r.asks(6, 3, true, Join{}), 6); len(m) != 1 || len(m[0].Places) != 0 {
		t.Errorf("sent to nodes that answer no calls: %+v", m)
	}
}

func TestThereIsRoomBelowANodeThatIsCalledForThoseThatCanCall(t *testing.T) {
	r := fullOf(t, Closed, Closed)
	if open, called := r.room(r.now, false), r.room(r.now, true); open[0] != NoRoom || called[0] != 1 {
		t.Errorf("%v, and %v for who can call", open, called)
	}
	hb := sentTo[Heartbeat](r.pass(heartbeatInterval), 2)
	if len(hb) == 0 || hb[0].Best[0] != NoRoom || hb[0].BestCalled.Or(hb[0].Best)[0] != 1 {
		t.Errorf("%+v", hb)
	}
	// It gives half of what it would if it were dialled, and keeps its place before one that
	// gives nothing.
	if c := r.children.find(2); c.class() != classOf(4) || c.known() != Punchable {
		t.Errorf("class %d, %v", c.class(), c.known())
	}
}

// TestPlacesThatAreDialledAreNotCrowdedOut names at most half of a list that way while there are
// others, as a joiner's calls may not get through.
func TestPlacesThatAreDialledAreNotCrowdedOut(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 12, Probes: true})
	for i := range 12 {
		l := Link(2 + 2*i)
		r.come(l, 1+i, Join{Slots: 8}, Report{})
		rep := callable
		reach := Closed
		if i >= 9 { // these are dialled, and their room is further down
			reach = Open
			rep.Free, rep.Room, rep.Called = 0, allRoom(3), CalledRoom{true, allRoom(3)}
		}
		r.give(Received{l, rep})
		r.give(Probed{l, reach})
	}
	m := sentTo[Refer](r.asks(100, 50, true, Join{}), 100)
	if len(m) != 1 || len(m[0].Places) != MaxRefer {
		t.Fatalf("%+v", m)
	}
	dialled := 0
	for i := range m[0].Places {
		if !m[0].Called.Has(i) {
			dialled++
		}
	}
	if dialled != 3 {
		t.Errorf("%d are dialled, want all 3: %v %b", dialled, numbers(m[0].Places), m[0].Called)
	}
}

// sent has a newcomer ask node 100, which sends it to node 7.
func sentOn(t *testing.T, calls bool, called Marks) (*rig, Dial, []Action) {
	t.Helper()
	r := newRig(t, Config{Slots: 2, Seeds: places(100), Calls: calls})
	d, ok := r.dial(time.Second)
	if !ok {
		t.Fatal("nobody is dialled")
	}
	r.give(Up{d.Link, place(100).ID, addr(100), false, false})
	as := r.give(Received{d.Link, Refer{ReasonFull, places(7), called}})
	next, _ := first[Dial](as)
	return r, next, as
}

func TestWhoWasNamedWithAMarkIsCalledThroughWhoNamedIt(t *testing.T) {
	if _, d, as := sentOn(t, true, 1); number(d.Place) != 7 || d.Through != place(100).ID {
		t.Errorf("%+v", as)
	}
	if _, d, as := sentOn(t, true, 0); number(d.Place) != 7 || !d.Through.IsZero() {
		t.Errorf("without a mark: %+v", as)
	}
	if _, d, as := sentOn(t, false, 1); d.Link != 0 {
		t.Errorf("a node that cannot call: %+v", as)
	}
}

// A node of the invite is dialled whoever says that it has to be called: it may be all that is left.
func TestAMarkDoesNotTakeASeedAway(t *testing.T) {
	for _, calls := range []bool{false, true} {
		r := newRig(t, Config{Slots: 2, Seeds: places(7), Calls: calls})
		d, ok := r.dial(time.Second)
		if !ok || number(d.Place) != 7 {
			t.Fatalf("%+v", d)
		}
		r.book.mark(r.now, places(7), 1, place(101).ID)
		r.pass(carriedFor)
		r.give(Down{d.Link, Lost(ReasonUnreachable)})
		if d, ok := r.dial(avoidMost); !ok || number(d.Place) != 7 || !d.Through.IsZero() {
			t.Errorf("can call: %v; then %+v is dialled", calls, d)
		}
	}
}

// TestACallThatDoesNotGetThroughIsNobodysFault has the node that named it not be blamed, and the
// place be left alone for a while, unless another node can carry a call to it.
func TestACallThatDoesNotGetThroughIsNobodysFault(t *testing.T) {
	r, _, _ := sentOn(t, true, 1)
	r.pass(attemptTime) // routers drop what they do not let in
	if e := r.book.find(place(7)); e == nil || !e.avoid.Equal(r.now.Add(distrustTime)) || !e.away {
		t.Fatalf("nothing comes of it: %+v", e)
	}
	r, d, _ := sentOn(t, true, 1)
	r.give(Down{d.Link, Lost(ReasonUnreachable)})
	e := r.book.find(place(7))
	if e == nil || !e.avoid.Equal(r.now.Add(distrustTime)) {
		t.Fatalf("%+v", e)
	}
	if by := r.book.find(place(100)); by.namedDead != 0 {
		t.Errorf("who named it has named %d dead places", by.namedDead)
	}
	r.book.mark(r.now, places(7), 1, place(100).ID)
	if !e.avoid.After(r.now) {
		t.Error("it is called the same way at once")
	}
	r.book.mark(r.now, places(7), 1, place(101).ID)
	if e.avoid.After(r.now) || e.through != place(101).ID {
		t.Errorf("it is not called another way: %+v", e)
	}
	r.book.mark(r.now, places(7), 0, place(102).ID)
	if !e.through.IsZero() {
		t.Error("it is called though it can be dialled")
	}
}

// TestACallThatNobodyCarriesSaysNothingOfTheWay has the node that named a place die before it has carried the call
// there: this node can still call, asks others as one that can, and calls the place as soon as one of them names it.
func TestACallThatNobodyCarriesSaysNothingOfTheWay(t *testing.T) {
	r, d, _ := sentOn(t, true, 1)
	as := r.give(Uncalled{d.Link})
	e := r.book.find(place(7))
	if e == nil || e.away || r.calledInVain(r.now) {
		t.Fatalf("%+v", e)
	}
	if r.mayCall(r.now, e) {
		t.Error("who has not carried the call is asked to once more")
	}
	for _, d := range append(every[Dial](as), every[Dial](r.pass(carriedFor))...) {
		if number(d.Place) == 7 {
			t.Errorf("%+v", d)
		}
	}
	r.book.mark(r.now, places(7), 1, place(101).ID)
	if e.avoid.After(r.now) || !r.mayCall(r.now, e) {
		t.Errorf("it is not called another way: %+v", *e.dealings)
	}
	// While it was under way, another one has said that it carries calls there.
	r, d, _ = sentOn(t, true, 1)
	r.book.mark(r.now, places(7), 1, place(101).ID)
	r.give(Uncalled{d.Link})
	if e := r.book.find(place(7)); e.avoid.After(r.now) || e.through != place(101).ID || !r.mayCall(r.now, e) {
		t.Errorf("the other way is given up, too: %+v", *e.dealings)
	}
}

func TestBackupsAreCalledBeforeTheyAreNeeded(t *testing.T) {
	// The parent marks them for a child that can call, and leaves them out for one that cannot.
	for _, calls := range []bool{true, false} {
		r := newRig(t, Config{Root: true, Slots: 3, Probes: true})
		r.come(2, 1, Join{Slots: 8}, Report{})
		r.asks(4, 2, calls, Join{Addrs: place(2).Addrs, Slots: 1})
		r.give(Received{4, Pull{}})
		r.give(Received{2, callable})
		r.shut(2)
		var told []Backups
		for range 3 {
			told = append(told, sentTo[Backups](r.live(assignInterval, r.reports(2, callable), r.reports(4, Report{Slots: 1, Callable: calls})), 4)...)
		}
		marked := false
		for _, b := range told {
			for i, p := range b.Places {
				if number(p) == 1 {
					marked = b.Called.Has(i)
				}
			}
		}
		if marked != calls {
			t.Errorf("can call: %v; marked: %v; %+v", calls, marked, told)
		}
	}
	// The child keeps a link ready that a call has made.
	r := newRig(t, Config{Slots: 2, Calls: true})
	up := r.below(1)
	r.give(Received{up, Backups{places(7), 1}})
	d, ok := r.dial(time.Second, r.beats(up, quiet(0)))
	if !ok || number(d.Place) != 7 || d.Through != place(100).ID {
		t.Errorf("%+v", d)
	}
}

func TestAnOlderNodesRoomIsThatForAll(t *testing.T) {
	rep := Report{Room: allRoom(2)}
	if rep.room(true) != allRoom(2) || rep.room(false) != allRoom(2) {
		t.Errorf("%v %v", rep.room(true), rep.room(false))
	}
	hb := Heartbeat{Best: allRoom(3), Room: allRoom(1)}
	if got := hb.rooms(true); got.best != allRoom(3) || got.here != allRoom(1) {
		t.Errorf("%+v", got)
	}
}

func TestOfCallsThatNobodyCarriesNothingFollows(t *testing.T) {
	r, d, _ := sentOn(t, true, 1)
	r.give(Calls{false}) // it has learnt that its router is not of that sort
	r.give(Down{d.Link, Lost(ReasonUnreachable)})
	for _, d := range every[Dial](r.live(2 * distrustTime)) {
		if number(d.Place) == 7 {
			t.Fatalf("%+v", d)
		}
	}
}

// TestNobodyIsSentToAChildThatIsBeingTried has a joiner come in the three seconds that it takes to
// find out that nobody gets through to a child.
func TestNobodyIsSentToAChildThatIsBeingTried(t *testing.T) {
	r := full(t) // both are being tried
	if m := sentTo[Refer](r.asks(6, 3, false, Join{}), 6); len(m) != 1 || len(m[0].Places) != 0 {
		t.Errorf("%+v", m)
	}
	r.give(Probed{2, Open})
	if m := sentTo[Refer](r.asks(8, 4, false, Join{}), 8); len(m) != 1 || len(m[0].Places) != 1 || number(m[0].Places[0]) != 1 {
		t.Errorf("%+v", m)
	}
	r.give(Probed{4, Untried}) // there was no time: it counts for what it says
	if m := sentTo[Refer](r.asks(10, 5, false, Join{}), 10); len(m) != 1 || len(m[0].Places) != 2 {
		t.Errorf("%+v", m)
	}
}

// TestACallNeedsALinkToWhoCarriesIt has a node ask a place again when who named it is long gone.
func TestACallNeedsALinkToWhoCarriesIt(t *testing.T) {
	r, d, _ := sentOn(t, true, 1)
	r.give(Down{d.Link, ByThem(ReasonFull)}) // it lives, and may be asked again
	e := r.book.find(place(7))
	if !r.mayCall(r.now, e) || r.mayCall(r.now.Add(carriedFor), e) {
		t.Error("the link on which it was named is kept for 5 s")
	}
	r.cfg.Calls = false
	if r.mayCall(r.now, e) {
		t.Error("a node that cannot call does")
	}
	r.cfg.Calls = true
	up := r.attach(Label{Epoch{Ms: 1}, 1, 0}, 100)
	r.live(2*carriedFor, r.beats(up, quiet(0)))
	if !r.mayCall(r.now, e) {
		t.Error("its parent carries calls for as long as it is that")
	}
}

// TestWhoseCallsAllMissJoinsAsOneThatCannotCall has a newcomer be sent to one node, to which it does not
// get through, by the only one that it can dial.
func TestWhoseCallsAllMissJoinsAsOneThatCannotCall(t *testing.T) {
	r, d, _ := sentOn(t, true, 1)
	r.give(Down{d.Link, Lost(ReasonUnreachable)})
	asks := func(most time.Duration) (Join, bool) {
		t.Helper()
		d, ok := r.dial(most)
		if !ok || number(d.Place) != 100 {
			t.Fatalf("%+v is dialled", d)
		}
		j, ok := sent[Join](r.give(Up{d.Link, place(100).ID, addr(100), false, false}))
		r.give(Received{d.Link, Refer{Reason: ReasonFull}})
		return j, ok
	}
	if j, ok := asks(time.Second); !ok || !j.NoCalls {
		t.Errorf("%+v", j)
	}
	// It may try again after a while.
	r.now = r.now.Add(distrustTime)
	if r.calledInVain(r.now) {
		t.Error("it gives up for good")
	}
	// Nobody was called, or somebody may be.
	if r, _, _ := sentOn(t, true, 0); r.calledInVain(r.now) {
		t.Error("nobody was called")
	}
	r, d, _ = sentOn(t, true, 1)
	r.book.add(places(8), rankReferred, 0)
	r.book.mark(r.now, places(8), 1, place(100).ID)
	r.give(Down{d.Link, Lost(ReasonUnreachable)})
	if r.calledInVain(r.now) {
		t.Error("another may be called")
	}
}

// TestAGuestMakesWayWhenItIsCalled has a node keep a link ready to this one, which then has to go there:
// two that meet half-way have one connection. A guest that has dialled keeps its own.
func TestAGuestMakesWayWhenItIsCalled(t *testing.T) {
	for _, met := range []bool{true, false} {
		r := newRig(t, Config{Slots: 2, Calls: true})
		up := r.below(1)
		r.give(Joined{2, place(7).ID, addr(7), false, true, met, Join{Addrs: place(7).Addrs, Slots: 8, Standby: true}})
		r.give(Received{up, Backups{places(7), 1}})
		d, ok := r.dial(time.Second, r.beats(up, quiet(0)), r.reports(2, callable))
		if ok == met {
			t.Errorf("met %v: it calls a guest to keep a link ready: %v", met, ok)
		}
		if ok { // it has none
			r.give(Down{d.Link, Lost(ReasonUnreachable)})
		}
		as := r.give(Received{up, Bye{ReasonDisplaced, places(7), 1}})
		d, ok = first[Dial](as)
		why := ReasonNone
		if met {
			why = ReasonReplaced
		}
		if !ok || number(d.Place) != 7 || d.Through != place(100).ID || closed(as, 2) != why {
			t.Errorf("met %v: %+v", met, as)
		}
	}
}

// TestWhoHasToMoveUsesALinkThatIsReady has a node keep one to the only place that its parent names.
func TestWhoHasToMoveUsesALinkThatIsReady(t *testing.T) {
	for _, c := range []struct {
		free bool
		to   int
	}{{true, 7}, {false, 7}, {true, 8}} {
		free := c.free
		r := newRig(t, Config{Slots: 2, Calls: true})
		up := r.below(1)
		r.give(Received{up, Backups{places(7), 1}})
		d, ok := r.dial(time.Second, r.beats(up, quiet(0)))
		if !ok {
			t.Fatal("nobody is dialled")
		}
		r.give(Up{d.Link, place(7).ID, addr(7), false, true})
		r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step(), 1}, Path: []Place{place(100), place(7)}}})
		hb := quiet(1)
		if free {
			hb.Room = Room{}
		}
		r.live(time.Second, r.beats(up, quiet(0)), r.beats(d.Link, hb))
		f, ok := first[Feed](r.give(Received{up, Bye{ReasonDisplaced, places(c.to), 1}}))
		if ok != (free && c.to == 7) || ok && f.Link != d.Link {
			t.Errorf("a slot is free: %v; sent to %d; %+v", free, c.to, f)
		}
	}
}
