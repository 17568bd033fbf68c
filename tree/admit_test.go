package tree

import (
	"slices"
	"testing"
	"time"
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

// guest gives node i a standby link.
func (r *rig) guest(l Link, i int) Reason {
	r.t.Helper()
	as := r.ask(l, i, Join{Slots: 4, Standby: true})
	if _, ok := sent[Welcome](as); ok {
		return ReasonNone
	}
	m, ok := sent[Refer](as)
	if !ok || closed(as, l) != m.Reason {
		r.t.Fatalf("neither welcome nor referred: %+v", as)
	}
	return m.Reason
}

func TestAStandbyLinkTakesNoSlot(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 2})
	for i := range 10 {
		if why := r.guest(Link(2+2*i), 1+i); why != ReasonNone {
			t.Fatal(why)
		}
	}
	if i := r.Info(); i.Guests != 10 || len(i.Children) != 0 || r.room(r.now, false) != (Room{}) || r.ownReport(r.now).Free != 2 {
		t.Errorf("%+v", i)
	}
	r.come(100, 50, Join{}, Report{})
	r.come(102, 51, Join{}, Report{})
}

func TestAGuestHearsOnceASecondAndIsDroppedWhenItSaysNothing(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 2})
	r.guest(2, 1)
	if n := len(sentTo[Heartbeat](r.live(20*time.Second, r.reports(2, Report{})), 2)); n < 19 || n > 21 {
		t.Errorf("%d heartbeats in 20 s", n)
	}
	r.pass(childSilence - heartbeatInterval)
	if r.Info().Guests != 1 {
		t.Fatal("dropped too early")
	}
	if why := closed(r.pass(2*heartbeatInterval), 2); why != ReasonSilent {
		t.Errorf("closed because of %v", why)
	}
}

func TestANodeHasAtMostThirtyTwoGuestsAndNoneIfItGivesNoSlots(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 1})
	for i := range maxGuests {
		if why := r.guest(Link(2+2*i), 1+i); why != ReasonNone {
			t.Fatal(why)
		}
	}
	if why := r.guest(100, 50); why != ReasonFull {
		t.Errorf("one more: %v", why)
	}
	if why := r.guest(102, 1); why != ReasonNone {
		t.Errorf("one of them on a new link: %v", why)
	}
	if why := newRig(t, Config{Root: true}).guest(2, 1); why != ReasonFull {
		t.Errorf("without slots: %v", why)
	}
}

func TestAGuestThatPullsIsLetInOverTheSlotsUpToABound(t *testing.T) {
	for slots, most := range map[int]int{1: 3, 2: 4, 3: 6, 8: 16} {
		r := newRig(t, Config{Root: true, Slots: slots})
		for i := range slots {
			r.come(Link(2+2*i), 1+i, Join{Slots: 1}, Report{})
		}
		for i := range 20 {
			l := Link(100 + 2*i)
			r.guest(l, 50+i)
			as := r.give(Received{l, Pull{Have: Position{Seq: 7}}})
			serve, in := first[Serve](as)
			if _, welcome := sent[Welcome](as); in != welcome || in && serve != (Serve{l, Position{Seq: 7}}) {
				t.Fatalf("%+v", as)
			}
			if want := slots+i < most; in != want {
				t.Errorf("%d slots: child %d is let in: %v", slots, slots+i+1, in)
			}
			if m, ok := sent[Refer](as); !in && (!ok || m.Reason != ReasonFull || closed(as, l) != ReasonFull) {
				t.Errorf("%d slots: child %d: %+v", slots, slots+i+1, as)
			}
		}
		if n := len(r.children); n != most {
			t.Errorf("%d slots: %d children, want %d", slots, n, most)
		}
	}
}

func TestAPullIsTurnedDownWhereItWouldNotHelp(t *testing.T) {
	for _, test := range []struct {
		name  string
		after func(r *rig, up Link)
		want  Reason
	}{
		{"it is served", func(*rig, Link) {}, ReasonNone},
		{"an orphan for a moment", func(r *rig, up Link) { r.give(Down{up, ByThem(ReasonClosed)}); r.pass(900 * time.Millisecond) }, ReasonNone},
		{"an orphan for long", func(r *rig, up Link) { r.give(Down{up, ByThem(ReasonClosed)}); r.pass(1100 * time.Millisecond) }, ReasonOrphan},
		{"no slots any more", func(r *rig, _ Link) { r.give(Capacity{}) }, ReasonFull},
		{"the puller is above by now", func(r *rig, up Link) { r.give(Received{up, Path{places(100, 1, 101)}}) }, ReasonLoop},
	} {
		r := newRig(t, Config{Slots: 1})
		up := r.below(2)
		r.guest(2, 1)
		test.after(r, up)
		as := r.give(Received{2, Pull{}})
		if _, ok := first[Serve](as); ok != (test.want == ReasonNone) || closed(as, 2) != test.want {
			t.Errorf("%s: %+v, want %v", test.name, as, test.want)
		}
	}
}

func TestTheWeakestChildIsAskedToMoveWhenAGuestThatPulledIsOneTooMany(t *testing.T) {
	weak := Report{Room: noRoom}
	for _, test := range []struct {
		name string
		of   []Join // the newcomer has 4 slots
		with []uint32
		want int // 50 is the newcomer
	}{
		{"the lowest class", []Join{{Slots: 9}, {Slots: 2}, {Slots: 5}}, []uint32{0, 0, 0}, 2},
		{"the one that carries least", []Join{{Slots: 4}, {Slots: 4}, {Slots: 4}}, []uint32{40, 9, 80}, 50},
		{"the youngest", []Join{{Slots: 2, Age: 9}, {Slots: 2, Age: 3}, {Slots: 2, Age: 5}}, []uint32{1, 1, 1}, 2},
	} {
		r := newRig(t, Config{Root: true, Slots: 3})
		for i, j := range test.of {
			weak.Below = test.with[i]
			r.come(Link(2+2*i), 1+i, j, weak)
		}
		r.guest(100, 50)
		as := r.give(Received{100, Pull{}})
		var asked []int
		for _, c := range r.children {
			if ms := sentTo[Bye](as, c.link); len(ms) == 1 && ms[0].Reason == ReasonDisplaced {
				asked = append(asked, number(c.place))
			}
		}
		if !slices.Equal(asked, []int{test.want}) {
			t.Errorf("%s: %v are asked, want %d", test.name, asked, test.want)
		}
	}
}

func TestNobodyServesTooManyForLongerThanEmergencyTime(t *testing.T) {
	for _, slots := range []int{1, 3, 8} {
		r := newRig(t, Config{Root: true, Slots: slots})
		var speak []func() []Action
		for i := range slots {
			l := Link(2 + 2*i)
			r.come(l, 1+i, Join{Slots: 1}, Report{})
			speak = append(speak, r.reports(l, Report{Slots: 1}))
		}
		for i := range EmergencySlots(slots) {
			l := Link(100 + 2*i)
			r.guest(l, 50+i)
			r.give(Received{l, Pull{}})
			speak = append(speak, r.reports(l, Report{Slots: 4}))
		}
		if n := len(r.children); n != slots+EmergencySlots(slots) {
			t.Fatalf("%d slots: %d children", slots, n)
		}
		r.live(shedTime-heartbeatInterval, speak...)
		if n := len(r.children); n != slots+EmergencySlots(slots) {
			t.Errorf("%d slots: %d children are cut before their time", slots, slots+EmergencySlots(slots)-n)
		}
		r.live(EmergencyTime-shedTime, speak...)
		if n := len(r.children); n != slots {
			t.Errorf("%d slots: %d children after %v", slots, n, EmergencyTime-heartbeatInterval)
		}
	}
}

// A child whose parent froze comes by its standby link, is one too many, and is asked to move. When the frozen one
// is given up there is a slot for it.
func TestAChildThatWasAskedToMoveStaysIfASlotHasBecomeFreeMeanwhile(t *testing.T) {
	for _, freed := range []bool{true, false} {
		r := newRig(t, Config{Root: true, Slots: 1})
		r.come(2, 1, Join{Slots: 8}, Report{Slots: 8})
		frozen := r.reports(2, Report{Slots: 8})
		r.guest(4, 2)
		if _, asked := sent[Bye](r.give(Received{4, Pull{}})); !asked {
			t.Fatal("nobody is asked to move")
		}
		speak := []func() []Action{r.reports(4, Report{Slots: 4})}
		if !freed {
			speak = append(speak, frozen)
		}
		as := r.live(2*EmergencyTime, speak...)
		if left := len(r.children); left != 1 || (closed(as, 4) == ReasonNone) != freed {
			t.Errorf("a slot is free: %v; %d children, closed because of %v", freed, left, closed(as, 4))
		}
	}
}

// However long orphans keep pulling their links, EmergencyTime after the first of them there are no
// more children than slots, and all that were asked to move had time for it.
func TestOrphansThatKeepComingDoNotProlongTheEmergency(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 4})
	var speak []func() []Action
	asked := make(map[Link]time.Time)
	for i := range 4 {
		r.come(Link(2+2*i), 1+i, Join{Slots: 1}, Report{})
		speak = append(speak, r.reports(Link(2+2*i), Report{Slots: 1}))
	}
	over, most, late := time.Time{}, time.Duration(0), 0
	for i := range 60 {
		l := Link(100 + 2*i)
		r.guest(l, 50+i)
		as := r.give(Received{l, Pull{}})
		if m, ok := sent[Refer](as); ok && m.Reason == ReasonFull && r.now.Sub(over) > EmergencyTime-shedLeast {
			late++
		}
		speak = append(speak, r.reports(l, Report{Slots: 1}))
		for range 10 {
			as = append(as, r.live(heartbeatInterval, speak...)...)
			for _, c := range r.children {
				if c.shedding() {
					asked[c.link] = c.shedAt
				}
			}
			for _, c := range every[Close](as) {
				if at, ok := asked[c.Link]; ok && r.now.Sub(at) < shedLeast {
					t.Fatalf("link %d is cut %v after it was asked to move", c.Link, r.now.Sub(at))
				}
			}
			as = nil
			switch {
			case len(r.children) <= 4:
				over = time.Time{}
			case over.IsZero():
				over = r.now
			default:
				most = max(most, r.now.Sub(over))
			}
		}
	}
	if most > EmergencyTime || most < EmergencyTime-time.Second {
		t.Errorf("more children than slots for %v", most)
	}
	if late == 0 {
		t.Error("nobody came too late")
	}
}

func TestWhenCapacityShrinksTheWeakestAreAskedAndCut(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 4})
	var speak []func() []Action
	for i, s := range []uint16{4, 1, 8, 2} {
		l := Link(2 + 2*i)
		r.come(l, 1+i, Join{Slots: s}, Report{})
		speak = append(speak, r.reports(l, Report{Slots: s}))
	}
	r.give(Capacity{2, 2})
	as := r.live(EmergencyTime, speak...)
	for l, want := range map[Link]int{2: 0, 4: 1, 6: 0, 8: 1} {
		if n := len(sentTo[Bye](as, l)); n != want || (closed(as, l) == ReasonFull) != (want == 1) {
			t.Errorf("link %d is asked %d times, closed because of %v", l, n, closed(as, l))
		}
	}
}

func TestOneOriginHasAtMostFourStandbyLinks(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 4})
	for i := range 8 {
		as := r.give(Joined{Link(2 + 2*i), place(1 + i).ID, addr(99), false, false, false, Join{Addrs: place(1 + i).Addrs, Standby: true}})
		if _, ok := sent[Welcome](as); ok != (i < maxUnpulled) || !ok && closed(as, Link(2+2*i)) != ReasonBusy {
			t.Errorf("link %d: %+v", i+1, as)
		}
	}
}

func TestTheDeepestNodeTakesNobodyBelowIt(t *testing.T) {
	for depth, want := range map[int]Reason{MaxPath - 2: ReasonNone, MaxPath - 1: ReasonOrphan} {
		r := newRig(t, Config{Slots: 4})
		r.below(depth)
		if why := r.guest(2, 1); why != want {
			t.Errorf("depth %d, a standby link: %v, want %v", depth, why, want)
		}
		if why := r.knock(4, 2, "10.9.9.9:1"); why != want {
			t.Errorf("depth %d, a slot: %v, want %v", depth, why, want)
		}
	}
}
