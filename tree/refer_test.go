package tree

import (
	"slices"
	"testing"
	"time"
)

// sendOn returns where a full node sends joiner i.
func (r *rig) sendOn(l Link, i int, j Join) []int {
	r.t.Helper()
	as := r.ask(l, i, j)
	m, ok := sent[Refer](as)
	if !ok || closed(as, l) != m.Reason {
		r.t.Fatalf("not referred: %+v", as)
	}
	return numbers(m.Places)
}

func TestReferralsAreOrderedByRoomThenByJoinersSentThenByAge(t *testing.T) {
	const strong = 31
	r := newRig(t, Config{Root: true, Slots: 4})
	r.come(2, 1, Join{Slots: strong, Age: 60}, Report{Room: allRoom(0)})
	r.come(4, 2, Join{Slots: strong, Age: 6000}, Report{Room: allRoom(0)})
	r.come(6, 3, Join{Slots: strong, Age: 600}, Report{Room: allRoom(0)})
	r.come(8, 4, Join{Slots: strong, Age: 1 << 20}, Report{Room: allRoom(1)})
	for i, want := range [][]int{{2, 3, 1, 4}, {3, 1, 2, 4}, {1, 2, 3, 4}, {2, 3, 1, 4}} {
		if got := r.sendOn(Link(100+2*i), 50+i, Join{}); !slices.Equal(got, want) {
			t.Errorf("joiner %d is sent to %v, want %v", i+1, got, want)
		}
	}
	r.give(Received{2, Report{Sent: 1, Slots: strong, Room: allRoom(0)}}) // it knows of those sent by now
	if got, want := r.sendOn(200, 60, Join{}), []int{1, 3, 2, 4}; !slices.Equal(got, want) {
		t.Errorf("after a report: %v, want %v", got, want)
	}
}

// All that is below a full node may be below the child that has to move.
func TestAChildThatHasToMoveIsNamedLast(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 2})
	r.come(2, 1, Join{Slots: 2, Age: 6000}, Report{Room: allRoom(0)})
	r.come(4, 2, Join{Slots: 8, Age: 60}, Report{Room: allRoom(3)})
	r.come(6, 3, Join{Slots: 31}, Report{Room: allRoom(5)}) // in place of node 1
	if !r.children.find(2).shedding() {
		t.Fatal("node 1 may stay")
	}
	if got, want := r.sendOn(100, 50, Join{}), []int{2, 3, 1}; !slices.Equal(got, want) {
		t.Errorf("a newcomer is sent to %v, want %v", got, want)
	}
	if got, want := r.sendOn(102, 51, Join{Within: 7}), []int{2, 3}; !slices.Equal(got, want) {
		t.Errorf("one that wants to get nearer is sent to %v, want %v", got, want)
	}
}

func TestAReferralFitsTheJoinersClassAndDepth(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 3})
	r.come(2, 1, Join{Slots: 31}, Report{Room: Room{NoRoom, NoRoom, 1, 0, 0, 0}})
	r.come(4, 2, Join{Slots: 31}, Report{Room: allRoom(3)})
	r.come(6, 3, Join{Slots: 31}, Report{Room: allRoom(2)})
	for i, test := range []struct {
		join Join
		want []int
	}{
		{Join{}, []int{3, 2}},
		{Join{Slots: 2}, []int{1, 3, 2}},
		{Join{Slots: 4, Within: 2}, []int{1}}, // at depth 2 below node 1
		{Join{Slots: 2, Within: 3}, []int{1}},
		{Join{Slots: 2, Within: 4}, []int{1, 3}},
		{Join{Within: 1}, []int{}},
	} {
		if got := r.sendOn(Link(100+2*i), 50+i, test.join); !slices.Equal(got, test.want) {
			t.Errorf("%+v is sent to %v, want %v", test.join, got, test.want)
		}
	}
}

func TestTheWayUpIsNamedFirstIfItLeadsNearer(t *testing.T) {
	const x = NoRoom
	for _, test := range []struct {
		name                string
		child, parent, root uint8
		within              uint8
		want                int // first
	}{
		{"a child takes it", 0, x, x, 0, 1},
		{"the root takes it", 0, x, 0, 0, 100},
		{"the parent takes it", 0, 0, x, 0, 102},
		{"the parent itself is what the root knows", 0, 0, 2, 0, 102},
		{"somewhere else as near as the root knows", 0, 1, 2, 0, 100},
		{"somewhere else, but no nearer", 0, x, 4, 0, 1},
		{"below the parent, no nearer", 0, 2, x, 0, 1},
		{"no child, but another way", x, x, 9, 0, 100},
		{"nothing anywhere: up", x, x, x, 0, 100},
		{"near enough", 2, x, 3, 4, 100},
		{"too deep to be of use", x, x, 4, 4, 0},
	} {
		r := newRig(t, Config{Slots: 1})
		up := r.below(3)
		r.come(2, 1, Join{Slots: 31}, Report{Room: allRoom(test.child)})
		hb := quiet(2)
		hb.Best, hb.Room = allRoom(test.root), allRoom(test.parent)
		r.beats(up, hb)()
		got := append(r.sendOn(100, 50, Join{Within: test.within}), 0)
		if got[0] != test.want {
			t.Errorf("%s: sent to %v, want node %d first", test.name, got, test.want)
		}
	}
}

func TestAChildThatClaimsFreeSlotsAndTakesNobodyIsNotNamedForAMinute(t *testing.T) {
	liar := Report{Room: allRoom(0), Free: 3}
	for _, test := range []struct {
		name  string
		every time.Duration
		says  func(i int) Report
		want  bool // that it is left out
	}{
		{"four over 5 s that are not taken", 2 * second, func(int) Report { return liar }, true},
		{"many at once that are not taken", 100 * time.Millisecond, func(int) Report { return liar }, false},
		{"it has one more now and then", 2 * second, func(i int) Report {
			rep := liar
			rep.Children = uint16(i / 2)
			return rep
		}, false},
		{"it never said that the slots are its own", 2 * second, func(int) Report { return Report{Room: allRoom(1)} }, false},
	} {
		r := newRig(t, Config{Root: true, Slots: 1})
		r.come(2, 1, Join{Slots: 31}, test.says(0))
		named := func(i int) bool { return len(r.sendOn(Link(100+2*i), 50+i, Join{})) > 0 }
		for i := range 10 {
			if !named(i) {
				break
			}
			rep := test.says(i)
			rep.Slots = 31
			r.live(test.every, r.reports(2, rep))
		}
		if named(20) == test.want {
			t.Errorf("%s: left out: %v", test.name, !test.want)
		}
		if !test.want {
			continue
		}
		if r.room(r.now, false) != (Room{NoRoom, NoRoom, NoRoom, NoRoom, NoRoom, NoRoom}) {
			t.Errorf("%s: its room is still told of", test.name)
		}
		liar.Slots = 31
		r.live(claimDoubt, r.reports(2, liar))
		if !named(21) {
			t.Errorf("%s: it is never named again", test.name)
		}
	}
}

// lookFor lets a node look for a parent among its seeds, and returns the nodes that were
// asked, in order. answer says what comes of each dial.
func lookFor(t *testing.T, seeds []int, d time.Duration, answer func(r *rig, d Dial) []Action) (*rig, []int) {
	r := newRig(t, Config{Seeds: places(seeds...)})
	var asked []int
	as := r.rest()
	for end := r.now.Add(d); ; {
		for len(as) > 0 {
			a := as[0]
			as = as[1:]
			if d, ok := a.(Dial); ok {
				asked = append(asked, number(d.Place))
				as = append(as, answer(r, d)...)
			}
		}
		if !r.now.Before(end) {
			return r, asked
		}
		as = r.pass(10 * time.Millisecond)
	}
}

// refers is a place that answers with a referral.
func (r *rig) refers(d Dial, to ...int) []Action {
	as := r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
	return append(as, r.give(Received{d.Link, Refer{ReasonFull, places(to...), 0}})...)
}

func nobody(r *rig, d Dial) []Action { return r.give(Down{d.Link, Lost(ReasonUnreachable)}) }

func howOften(asked []int, i int) int {
	n := 0
	for _, a := range asked {
		if a == i {
			n++
		}
	}
	return n
}

func TestANodeThatRefersToItselfIsShunned(t *testing.T) {
	_, asked := lookFor(t, []int{7, 8}, shunTime-second, func(r *rig, d Dial) []Action {
		if number(d.Place) == 7 {
			return r.refers(d, 9, 7)
		}
		return r.refers(d)
	})
	if n := howOften(asked, 7); n != 1 {
		t.Errorf("asked %d times", n)
	}
	if howOften(asked, 9) != 0 || howOften(asked, 8) < 10 {
		t.Error("its places are asked, or the others are not")
	}
}

func TestANodeThatNamesFourDeadPlacesInARowIsLeftAloneForAMinute(t *testing.T) {
	for _, test := range []struct {
		name  string
		named []int // above 20: they live, and are full
		d     time.Duration
		lo    int // how often it is asked
		hi    int
	}{
		{"four", []int{11, 12, 13, 14}, distrustTime - second, 1, 1},
		{"four, a minute ago", []int{11, 12, 13, 14}, distrustTime + 5*second, 2, 2},
		{"four that are full", []int{21, 22, 23, 24}, distrustTime - second, 10, 100},
		{"nobody", nil, distrustTime - second, 10, 100},
	} {
		_, asked := lookFor(t, []int{7}, test.d, func(r *rig, d Dial) []Action {
			switch i := number(d.Place); {
			case i == 7:
				return r.refers(d, test.named...)
			case i > 20:
				return r.refers(d)
			}
			return nobody(r, d)
		})
		if n := howOften(asked, 7); n < test.lo || n > test.hi {
			t.Errorf("%s: asked %d times, want %d to %d", test.name, n, test.lo, test.hi)
		}
	}
}

func TestAPlaceThatWorksClearsTheNodeThatNamedIt(t *testing.T) {
	b := book{}
	b.add(places(7), rankSeed, 0)
	b.add(places(11, 12, 13, 14, 15), rankReferred, 1)
	b.namedBy(places(11, 12, 13, 14, 15), place(7).ID)
	now := time.Unix(1000, 0)
	for _, i := range []int{11, 12, 13} {
		b.failed(now, place(i), ReasonUnreachable)
	}
	b.worked(place(14))
	b.failed(now, place(15), ReasonUnreachable)
	if e := b.find(place(7)); e.namedDead != 1 || now.Before(e.avoid) {
		t.Errorf("blamed for %d, avoided: %v", e.namedDead, now.Before(e.avoid))
	}
}

func TestEveryThirdPlaceAskedIsNotOneOfThoseJustNamed(t *testing.T) {
	seeds := []int{7, 201, 202, 203, 204, 205, 206}
	next := 10
	_, asked := lookFor(t, seeds, 0, func(r *rig, d Dial) []Action {
		if i := number(d.Place); i > 200 {
			return r.refers(d)
		}
		var ps []int // liars, each of whom knows eight more
		for range MaxRefer {
			next++
			ps = append(ps, next)
		}
		return r.refers(d, ps...)
	})
	if len(asked) < 30 {
		t.Fatalf("asked %v", asked)
	}
	begun := false
	for i, a := range asked[:15] {
		begun = begun || a == 7
		if i%otherEvery == otherEvery-1 && a > 7 && a < 200 {
			t.Errorf("place %d asked is node %d, which a liar named: %v", i+1, a, asked[:15])
		}
	}
	if !begun {
		t.Errorf("no liar was asked: %v", asked[:15])
	}
}

func TestAPlaceThatIsOnlyDialledHoldsNobodyUp(t *testing.T) {
	var seeds []int
	for i := range 20 {
		seeds = append(seeds, 11+i)
	}
	var at []time.Duration
	r, _ := lookFor(t, seeds, 2500*time.Millisecond, func(r *rig, _ Dial) []Action {
		at = append(at, r.now.Sub(time.Unix(1000, 0)))
		if n := len(r.search.attempts); n > maxDials {
			t.Errorf("%d at once", n)
		}
		return nil
	})
	// Each dial counts as one of the maxAttempts for dialGrace, and as one of the maxDials until it is older than a
	// second and the next is due.
	if len(at) != len(seeds) || len(r.search.attempts) != maxDials {
		t.Fatalf("dialled at %v, want all of %d", at, len(seeds))
	}
	for i, d := range at {
		turn := i % maxDials
		want := time.Duration(i/maxDials)*hungAfter + time.Duration(turn/maxAttempts)*dialGrace + time.Duration(turn%maxAttempts)*hurryAfter
		if d < want || d > want+10*time.Millisecond {
			t.Errorf("place %d is dialled after %v, want %v", i+1, d, want)
		}
	}
}

func TestAtMostThreePlacesThatAnsweredADialAreWaitedFor(t *testing.T) {
	var seeds []int
	for i := range 20 {
		seeds = append(seeds, 11+i)
	}
	r, asked := lookFor(t, seeds, attemptTime-20*time.Millisecond, func(r *rig, d Dial) []Action {
		return r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
	})
	if len(asked) != maxAttempts {
		t.Errorf("asked %v, want %d", asked, maxAttempts)
	}
	r.pass(heartbeatInterval)
	if as := r.pass(time.Millisecond); len(r.search.attempts) > maxAttempts {
		t.Errorf("%+v", as)
	}
}
