package tree

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// rig drives one node by hand.
type rig struct {
	*Node
	t   *testing.T
	now time.Time
}

func place(i int) Place {
	return Place{ID: ID{byte(i), byte(i >> 8), 1}, Addrs: []netip.AddrPort{addr(i)}}
}

func addr(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 7144)
}

func places(is ...int) []Place {
	var ps []Place
	for _, i := range is {
		ps = append(ps, place(i))
	}
	return ps
}

func newRig(t *testing.T, cfg Config) *rig {
	r := &rig{t: t, now: time.Unix(1000, 0)}
	cfg.Self = place(0)
	cfg.Rand = rand.New(rand.NewPCG(1, 2))
	if cfg.Root {
		cfg.Epoch, cfg.Start = Epoch{Ms: 1}, r.now
	}
	r.Node = New(cfg, r.now)
	return r
}

// give hands over an event and returns what is to be done.
func (r *rig) give(ev Event) []Action {
	r.Handle(r.now, ev)
	return r.rest()
}

func (r *rig) rest() []Action {
	var as []Action
	for a, ok := r.Poll(); ok; a, ok = r.Poll() {
		as = append(as, a)
	}
	return as
}

// pass lets time pass, deadline by deadline.
func (r *rig) pass(d time.Duration) []Action {
	end := r.now.Add(d)
	var as []Action
	for !r.Deadline().After(end) {
		if !r.Deadline().After(r.now) {
			r.t.Fatalf("deadline %v, now %v", r.Deadline(), r.now)
		}
		r.now = r.Deadline()
		r.Advance(r.now)
		as = append(as, r.rest()...)
	}
	r.now = end
	return as
}

func first[A Action](as []Action) (A, bool) {
	for _, a := range as {
		if a, ok := a.(A); ok {
			return a, true
		}
	}
	var none A
	return none, false
}

func sent[M Message](as []Action) (M, bool) {
	for _, a := range as {
		if s, ok := a.(Send); ok {
			if m, ok := s.Msg.(M); ok {
				return m, true
			}
		}
	}
	var none M
	return none, false
}

// join makes node i a child on link l that pulls and reports.
func (r *rig) join(l Link, i int, rep Report) {
	r.t.Helper()
	if _, ok := sent[Welcome](r.give(Joined{l, place(i).ID, addr(i), false, false, false, Join{Addrs: place(i).Addrs, Slots: 31}})); !ok {
		r.t.Fatalf("node %d is not welcome", i)
	}
	r.give(Received{l, Pull{}})
	rep.Sent, rep.Slots = 1, 31 // nobody is stronger
	r.give(Received{l, rep})
}

// attach gives the node a parent: node i, with the path and label.
func (r *rig) attach(label Label, path ...int) Link {
	r.t.Helper()
	i := path[len(path)-1]
	as := append(r.rest(), r.give(hints(i))...)
	as = append(as, r.pass(2*retryFirst)...) // the search that found nothing pauses
	d, ok := first[Dial](as)
	if !ok {
		r.t.Fatal("nothing is dialled")
	}
	r.give(Up{d.Link, place(i).ID, addr(i), false, false})
	if f, ok := first[Feed](r.give(Received{d.Link, Welcome{Label: label, Path: places(path...)}})); !ok || f.Link != d.Link {
		r.t.Fatal("not committed")
	}
	return d.Link
}

func TestJoinersAreRefusedAndToldWhy(t *testing.T) {
	fresh := func(e uint64) Label { return Label{Epoch{Ms: 1}, e, 1} }
	for _, test := range []struct {
		name  string
		setup func(r *rig)
		peer  int
		want  Reason
	}{
		{"by one without a parent", func(*rig) {}, 9, ReasonOrphan},
		{"by one whose parent is an orphan", func(r *rig) {
			l := r.attach(fresh(1), 1, 2)
			r.give(Received{l, Heartbeat{Label: fresh(1), Orphan: true}})
		}, 9, ReasonOrphan},
		{"by one whose parent is silent", func(r *rig) {
			r.attach(fresh(1), 1, 2)
			r.pass(3 * heartbeatInterval)
		}, 9, ReasonOrphan},
		{"an ancestor", func(r *rig) { r.attach(fresh(1), 1, 2) }, 1, ReasonLoop},
		{"the parent", func(r *rig) { r.attach(fresh(1), 1, 2) }, 2, ReasonLoop},
		{"when full", func(r *rig) {
			r.attach(fresh(1), 1, 2)
			r.join(2, 7, Report{Room: noRoom})
		}, 9, ReasonFull},
		{"by one that is leaving", func(r *rig) {
			r.attach(fresh(1), 1, 2)
			r.join(2, 7, Report{Room: noRoom})
			r.give(Leave{})
		}, 9, ReasonLeaving},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, Config{Slots: 1})
			test.setup(r)
			as := r.give(Joined{100, place(test.peer).ID, addr(test.peer), false, false, false, Join{Addrs: place(test.peer).Addrs}})
			m, ok := sent[Refer](as)
			if !ok || m.Reason != test.want {
				t.Fatalf("got %+v, want a referral because of %v", as, test.want)
			}
			if c, ok := first[Close](as); !ok || c.Link != 100 || c.End.Reason != test.want {
				t.Errorf("close %+v", c)
			}
		})
	}
}

func TestANodeThatDialsItselfIsToldSoAndForgetsTheAddress(t *testing.T) {
	r := newRig(t, Config{Seeds: []Place{{Addrs: []netip.AddrPort{addr(5)}}}})
	d, ok := first[Dial](r.rest())
	if !ok {
		t.Fatal("the seed is not asked")
	}
	if c, ok := first[Close](r.give(Joined{2, place(0).ID, addr(5), false, false, false, Join{}})); !ok || c.End.Reason != ReasonSelf {
		t.Errorf("accepting end: %+v", c)
	}
	if c, ok := first[Close](r.give(Up{d.Link, place(0).ID, addr(5), false, false})); !ok || c.End.Reason != ReasonSelf {
		t.Errorf("dialling end: %+v", c)
	}
	if d, ok := first[Dial](r.pass(time.Minute)); ok {
		t.Errorf("dialled itself again: %+v", d)
	}
}

func TestAReferralHasNoDeadEndsAndTheNearestFreeSlotFirst(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 6})
	r.join(2, 1, Report{Room: noRoom}) // full all the way down
	r.join(4, 2, Report{Room: allRoom(2)})
	r.join(6, 3, Report{Room: allRoom(0)})
	r.join(8, 4, Report{Room: allRoom(1)})
	// 5 has pulled but not reported, 6 has not pulled: nothing is known of them.
	r.give(Joined{10, place(5).ID, addr(5), false, false, false, Join{Addrs: place(5).Addrs}})
	r.give(Received{10, Pull{}})
	r.give(Joined{12, place(6).ID, addr(6), false, false, false, Join{Addrs: place(6).Addrs}})
	m, ok := sent[Refer](r.give(Joined{14, place(9).ID, addr(9), false, false, false, Join{Addrs: place(9).Addrs}}))
	if !ok || len(m.Places) != 3 {
		t.Fatalf("%+v", m)
	}
	for i, want := range []int{3, 4, 2} {
		if m.Places[i].ID != place(want).ID {
			t.Errorf("place %d is %v, want node %d", i, m.Places[i], want)
		}
	}
}

func TestAReferralLeavesOutChildrenThatDoNotListen(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 1})
	r.give(Joined{2, place(1).ID, addr(1), false, false, false, Join{}})
	r.give(Received{2, Pull{}})
	r.give(Received{2, Report{Sent: 1, Room: allRoom(0)}})
	m, ok := sent[Refer](r.give(Joined{4, place(9).ID, addr(9), false, false, false, Join{Addrs: place(9).Addrs}}))
	if !ok || len(m.Places) != 0 {
		t.Errorf("%+v", m)
	}
}

func TestReferralsAreSpreadAmongEquals(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 4})
	for i := range 4 {
		r.join(Link(2+2*i), 1+i, Report{Room: allRoom(0)})
	}
	got := make(map[ID]int)
	for i := range 400 {
		m, _ := sent[Refer](r.give(Joined{Link(100 + 2*i), place(50 + i).ID, addr(50 + i), false, false, false, Join{Addrs: place(50 + i).Addrs}}))
		got[m.Places[0].ID]++
	}
	for id, n := range got {
		if n != 100 {
			t.Errorf("%v was named first %d times of 400, want 100", id.Short(), n)
		}
	}
}

func TestAReferralNamesEightPlacesAtMost(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 20})
	for i := range 20 {
		r.join(Link(2+2*i), 1+i, Report{Room: allRoom(0)})
	}
	m, ok := sent[Refer](r.give(Joined{100, place(50).ID, addr(50), false, false, false, Join{Addrs: place(50).Addrs}}))
	if !ok || len(m.Places) != MaxRefer {
		t.Errorf("%d places", len(m.Places))
	}
}

func TestAJoinerIsReachedAtTheAddressItComesFrom(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 4})
	from := netip.MustParseAddrPort("203.0.113.9:50123")
	own := netip.MustParseAddrPort("192.168.1.5:7145")
	w, _ := sent[Welcome](r.give(Joined{2, place(1).ID, from, false, false, false, Join{Addrs: []netip.AddrPort{own}}}))
	if want := netip.MustParseAddrPort("203.0.113.9:7145"); w.Seen != want {
		t.Errorf("told %v, want %v", w.Seen, want)
	}
	if as := r.Info().Children[0].Place.Addrs; len(as) != 2 || as[0] != w.Seen || as[1] != own {
		t.Errorf("kept as %v", as)
	}
}

func TestTheSameNodeOnANewLinkReplacesTheOld(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 1})
	r.join(2, 1, Report{})
	as := r.give(Joined{4, place(1).ID, addr(1), false, false, false, Join{Addrs: place(1).Addrs}})
	if c, ok := first[Close](as); !ok || c.Link != 2 || c.End.Reason != ReasonReplaced {
		t.Errorf("%+v", as)
	}
	if _, ok := sent[Welcome](as); !ok || len(r.Info().Children) != 1 {
		t.Errorf("%+v", as)
	}
}

func TestReportsTellTheNearestFreeSlot(t *testing.T) {
	label := Label{Epoch{Ms: 1}, 1, 1}
	for _, test := range []struct {
		name string
		free []uint8 // FreeDepth of each child
		own  int     // slots beyond those
		want uint8
	}{
		{"own", []uint8{0}, 1, 0},
		{"a child's", []uint8{5, 0, 3}, 0, 1},
		{"none", []uint8{NoRoom, NoRoom}, 0, NoRoom},
		{"too far to count", []uint8{NoRoom - 1}, 0, NoRoom},
	} {
		r := newRig(t, Config{Slots: len(test.free) + test.own})
		l := r.attach(label, 99)
		for i, f := range test.free {
			r.join(Link(2+2*i), 1+i, Report{Room: allRoom(f), Below: 1<<32 - 1})
		}
		r.now = r.now.Add(100 * time.Millisecond)
		as := r.give(Received{l, Heartbeat{Label: label}})
		m, ok := sent[Report](as)
		if !ok || m.Room != allRoom(test.want) || m.Children != uint16(len(test.free)) {
			t.Errorf("%s: %+v", test.name, m)
		}
		if most := uint32(len(test.free)) * (1 + maxBelow); m.Below > most {
			t.Errorf("%s: %d below", test.name, m.Below)
		}
	}
}

func TestAWelcomeThatRisksALoopIsHeldForANewerLabel(t *testing.T) {
	r := newRig(t, Config{Slots: 1})
	up := r.attach(Label{Epoch{Ms: 1}, 5, 1}, 1, 2)
	as := append(r.give(Down{up, ByThem(ReasonClosed)}), r.give(hints(7))...)
	var l Link
	for _, a := range as {
		if d, ok := a.(Dial); ok && d.Place.same(place(7)) {
			l = d.Link
		}
	}
	if l == 0 { // node 1 was asked first; it does not answer
		as = r.pass(hedgeAfter)
		d, ok := first[Dial](as)
		if !ok {
			t.Fatal("no second place is asked")
		}
		l = d.Link
	}
	r.give(Up{l, place(7).ID, addr(7), false, false})
	as = r.give(Received{l, Welcome{Label: Label{Epoch{Ms: 1}, 5, 2}, Path: places(1, 7)}})
	if _, ok := first[Attached](as); ok {
		t.Fatal("committed to an equal that is as deep")
	}
	if f, ok := first[Feed](as); !ok || f.Link != l {
		t.Fatal("an orphan does not take the stream while it waits for the label")
	}
	if _, ok := first[Attached](r.give(Received{l, Heartbeat{Label: Label{Epoch{Ms: 1}, 6, 4}, Orphan: true}})); ok {
		t.Fatal("committed to an orphan")
	}
	r.give(Received{l, Path{places(1, 8, 7)}})
	if f, ok := first[Attached](r.give(Received{l, Heartbeat{Label: Label{Epoch{Ms: 1}, 6, 4}}})); !ok || f.Link != l {
		t.Fatal("did not commit once the label was newer")
	}
	if i := r.Info(); len(i.Path) != 3 || i.Depth != 5 {
		t.Errorf("path %d, depth %d: the way the parent told last is lost", len(i.Path), i.Depth)
	}
}

func TestChildrenThatHaveNotPulledYetHearOfANewPathToo(t *testing.T) {
	label := Label{Epoch{Ms: 1}, 1, 1}
	r := newRig(t, Config{Slots: 2})
	l := r.attach(label, 1, 2)
	r.give(Joined{2, place(9).ID, addr(9), false, false, false, Join{Addrs: place(9).Addrs}})
	r.give(Received{l, Path{places(1, 5, 2)}})
	m, ok := sent[Path](r.pass(heartbeatInterval))
	if !ok || len(m.Path) != 4 {
		t.Errorf("%+v", m)
	}
}

func TestATorrentOfPathsGoesNoFurtherThanOnePerHeartbeat(t *testing.T) {
	label := Label{Epoch{Ms: 1}, 1, 1}
	r := newRig(t, Config{Slots: 2})
	l := r.attach(label, 1, 2)
	r.join(2, 9, Report{})
	r.pass(heartbeatInterval)
	n := 0
	for i := range 1000 {
		r.now = r.now.Add(100 * time.Microsecond)
		for _, a := range r.give(Received{l, Path{places(1, 5+i%2, 2)}}) {
			if s, ok := a.(Send); ok {
				if _, ok := s.Msg.(Path); ok {
					n++
				}
			}
		}
	}
	if n < 1 || n > 3 {
		t.Errorf("%d paths passed on in 100 ms", n)
	}
}

func TestAMachineThatIsAlwaysLateStillLosesADeadParent(t *testing.T) {
	r := newRig(t, Config{})
	r.attach(Label{Epoch{Ms: 1}, 1, 1}, 1, 2)
	for range 50 {
		r.now = r.Deadline().Add(2 * heartbeatInterval)
		r.Advance(r.now)
		if _, ok := first[Orphaned](r.rest()); ok {
			return
		}
	}
	t.Error("a dead parent is kept for ever")
}

func TestWhoOnlyListensIsWokenLaterAndSuspectsNoLater(t *testing.T) {
	r := newRig(t, Config{Slots: 1})
	l := r.attach(Label{Epoch{Ms: 1}, 1, 1}, 1, 2)
	r.rest()
	r.give(Heard{Link: l})
	heard, later := r.now, 0
	for r.Info().Attached {
		d := r.Slack()
		if d > 0 {
			later++
		}
		r.now = r.Deadline().Add(d)
		r.Advance(r.now)
	}
	if got := r.now.Sub(heard); later < 2 || got != 3*heartbeatInterval {
		t.Errorf("woken later %d times, suspected after %v, want %v", later, got, 3*heartbeatInterval)
	}
	if d := r.Slack(); d != 0 {
		t.Errorf("woken %v later, although it looks for a parent", d)
	}
}

func TestBytesThatCameEarlierAreNoSignOfLifeNow(t *testing.T) {
	r := newRig(t, Config{})
	l := r.attach(Label{Epoch{Ms: 1}, 1, 1}, 1, 2)
	begun := r.now
	r.pass(140 * time.Millisecond)
	r.give(Heard{Link: l, At: begun.Add(100 * time.Millisecond)})
	r.give(Heard{Link: l, At: begun.Add(20 * time.Millisecond)}) // older than what it knows
	for _, tt := range []struct {
		at   time.Duration
		want bool
	}{{249 * time.Millisecond, true}, {250 * time.Millisecond, false}} {
		if r.pass(begun.Add(tt.at).Sub(r.now)); r.Info().Attached != tt.want {
			t.Errorf("%v after the last bytes: attached %v", tt.at-100*time.Millisecond, !tt.want)
		}
	}
	r.give(Heard{Link: l, At: begun.Add(90 * time.Millisecond)})
	if r.Info().Attached {
		t.Error("bytes of the time before end the suspicion")
	}
}

func TestAnExcuseDoesNotForgetWhatWasJustHeard(t *testing.T) {
	r := newRig(t, Config{})
	l := r.attach(Label{Epoch{Ms: 1}, 1, 1}, 1, 2)
	r.now = r.now.Add(time.Second) // stalled
	r.give(Heard{Link: l})
	r.now = r.Deadline().Add(60 * time.Millisecond) // and again, a little
	r.give(Heard{Link: l})
	r.pass(140 * time.Millisecond)
	if !r.Info().Attached {
		t.Error("suspected 140 ms after it was heard")
	}
}

func TestASuspicionDoesNotWaitForThePauseOfAnEarlierSearch(t *testing.T) {
	label := Label{Epoch{Ms: 1}, 1, 1}
	r := newRig(t, Config{})
	l := r.attach(label, 1, 2)
	// The label stands still, so it looks around; node 1 is full. The pauses grow.
	for range 200 {
		for _, a := range append(r.give(Received{l, Heartbeat{Label: label}}), r.pass(heartbeatInterval)...) {
			if d, ok := a.(Dial); ok {
				r.give(Up{d.Link, place(1).ID, addr(1), false, false})
				r.give(Received{d.Link, Refer{Reason: ReasonFull}})
			}
		}
	}
	if _, ok := first[Dial](r.pass(3*heartbeatInterval + time.Millisecond)); !ok {
		t.Error("a silent parent did not make it dial at once")
	}
}

func TestASeedThatAReferralNamedKeepsItsRank(t *testing.T) {
	b := book{rand: rand.New(rand.NewPCG(1, 2))}
	b.add(places(1), rankSeed, 0)
	b.add(places(2), rankHint, 0)
	b.add(places(1), rankReferred, 1)
	b.round()
	if e := b.next(time.Time{}, func(*bookEntry) bool { return false }); !e.place.same(place(1)) || e.rank != rankSeed {
		t.Errorf("asks %v at rank %v first", e.place, e.rank)
	}
	for i := range 2 * maxBook {
		b.add(places(100+i), rankOther, 0)
	}
	if len(b.entries) != maxBook || b.find(place(1)) == nil {
		t.Errorf("%d places, seed kept: %v", len(b.entries), b.find(place(1)) != nil)
	}
}

func TestADeadPlaceIsAvoidedTwiceAsLongEachTime(t *testing.T) {
	b := book{rand: rand.New(rand.NewPCG(1, 2))}
	b.add(places(1), rankSeed, 0)
	now := time.Unix(0, 0)
	for _, want := range []time.Duration{250, 500, 1000, 2000, 4000, 8000, 10000, 10000} {
		b.failed(now, place(1), ReasonUnreachable)
		if got := b.entries[0].avoid.Sub(now); got != want*time.Millisecond {
			t.Errorf("avoided for %v, want %v ms", got, int64(want))
		}
	}
	b.worked(place(1))
	b.failed(now, place(1), ReasonForged)
	if got := b.entries[0].avoid.Sub(now); got != shunTime {
		t.Errorf("a forger is shunned for %v", got)
	}
	b.worked(place(1))
	b.failed(now, place(1), ReasonFull)
	if e := b.entries[0]; e.fails != 0 || !e.avoid.IsZero() {
		t.Error("a full place counts as dead")
	}
}

func TestALiarCannotTakeAGoodAddressAway(t *testing.T) {
	b := book{rand: rand.New(rand.NewPCG(1, 2))}
	b.add(places(1), rankSeed, 0)
	for i := range 9 {
		b.add([]Place{{ID: place(1).ID, Addrs: []netip.AddrPort{addr(100 + i)}}}, rankReferred, 1)
	}
	if as := b.entries[0].place.Addrs; as[0] != addr(1) || len(as) != MaxAddrs {
		t.Errorf("%v", as)
	}
}

func TestCallsThatComeEarlyOrTwiceDoNoHarm(t *testing.T) {
	r := newRig(t, Config{Slots: 1})
	l := r.attach(Label{Epoch{Ms: 1}, 1, 1}, 1, 2)
	r.rest()
	for _, ev := range []Event{
		Up{999, place(9).ID, addr(9), false, false},
		Received{999, Heartbeat{}},
		Received{998, Pull{}},
		Received{998, Report{}},
		Heard{Link: 999},
		Down{999, ByThem(ReasonClosed)},
		Received{999, Welcome{}},
		Received{999, Refer{}},
		Received{999, Path{}},
		Received{998, Bye{}},
		Received{l, Welcome{}},
		Received{l, Refer{}},
		Received{l, Pull{}},
		Received{l, Report{}},
	} {
		for _, a := range r.give(ev) {
			if c, ok := a.(Close); !ok || c.Link != 999 {
				t.Errorf("%T%+v: %T%+v", ev, ev, a, a)
			}
		}
		r.Advance(r.now)
		if as := r.rest(); len(as) != 0 {
			t.Errorf("after %T%+v: %+v", ev, ev, as)
		}
	}
	if !r.Info().Attached {
		t.Error("the parent is gone")
	}
}

// hints are candidates of which nothing but the place is known.
func hints(is ...int) Candidates {
	var ev Candidates
	for _, p := range places(is...) {
		ev.Of = append(ev.Of, Candidate{Place: p, Depth: -1})
	}
	return ev
}

// allRoom is the same for every class.
func allRoom(d uint8) Room { return Room{d, d, d, d, d, d} }
