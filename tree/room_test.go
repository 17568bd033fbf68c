package tree

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestClassesGrowWithTheDoublingsOfSlots(t *testing.T) {
	for slots, want := range map[int]int{-1: 0, 0: 0, 1: 1, 2: 2, 3: 2, 4: 3, 7: 3, 8: 4, 15: 4, 16: 5, 1 << 16: 5} {
		if got := classOf(slots); got != want {
			t.Errorf("%d slots: class %d, want %d", slots, got, want)
		}
	}
}

func TestRoomFromOneLinkFurtherUp(t *testing.T) {
	got := Room{0, 7, NoRoom - 2, NoRoom - 1, NoRoom, NoRoom}.below()
	if want := (Room{1, 8, NoRoom - 1, NoRoom, NoRoom, NoRoom}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// A node's room is the least of its own and its children's, each counted from one link
// further up. In whatever order those are put together, the root has to learn the same.
func TestRoomAddsUpTheSameInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	some := func() (r Room) {
		for i := range r {
			r[i] = []uint8{uint8(rng.IntN(256)), NoRoom - 1, NoRoom}[rng.IntN(3)]
		}
		return r
	}
	for range 1000 {
		a, b, c := some(), some(), some()
		switch {
		case a.or(b) != b.or(a), a.or(a) != a, a.or(b).or(c) != a.or(b.or(c)), a.or(noRoom) != a,
			a.or(b).below() != a.below().or(b.below()):
			t.Fatalf("%v, %v, %v", a, b, c)
		}
		for i := range a {
			if a.below()[i] < a[i] {
				t.Fatalf("%v is nearer from further up", a)
			}
		}
	}
}

func TestANodesOwnRoomIsAFreeSlotOrTheYoungestOfTheLowestClass(t *testing.T) {
	const x = NoRoom
	for _, test := range []struct {
		name     string
		slots    int
		children []int // how many slots each has
		below    Room  // what each says of itself
		after    func(*rig)
		want     Room
	}{
		{"nobody, no slots", 0, nil, noRoom, nil, noRoom},
		{"nobody", 1, nil, noRoom, nil, Room{}},
		{"a slot left", 2, []int{0}, noRoom, nil, Room{}},
		{"one that gives nothing", 1, []int{0}, noRoom, nil, Room{x, 0, 0, 0, 0, 0}},
		{"the weakest of three", 3, []int{9, 2, 5}, noRoom, nil, Room{x, x, x, 0, 0, 0}},
		{"strong ones only", 2, []int{16, 99}, noRoom, nil, noRoom},
		{"strong ones that have room", 2, []int{16, 99}, allRoom(2), nil, allRoom(3)},
		{"its own is nearer", 1, []int{1}, allRoom(4), nil, Room{5, 5, 0, 0, 0, 0}},
		{"too far to count", 1, []int{16}, allRoom(NoRoom - 1), nil, noRoom},
		{"a swap under way", 1, []int{1}, noRoom, func(r *rig) {
			r.come(100, 50, Join{Slots: 4}, Report{Room: noRoom})
		}, noRoom},
		{"fewer slots than children", 2, []int{0, 0}, allRoom(1), func(r *rig) { r.give(Capacity{0, 0}) }, allRoom(2)},
		{"leaving", 2, []int{0}, allRoom(1), func(r *rig) { r.leaveBy = r.now }, noRoom},
	} {
		r := newRig(t, Config{Root: true, Slots: test.slots})
		for i, s := range test.children {
			r.come(Link(2+2*i), 1+i, Join{Slots: uint16(s)}, Report{Room: test.below})
		}
		if test.after != nil {
			test.after(r)
		}
		got := r.room(r.now, false)
		if got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
		for i := range got[1:] {
			if got[i+1] > got[i] {
				t.Errorf("%s: a stronger class has to go further: %v", test.name, got)
			}
		}
	}
}

func TestAnOrphanReportsNoRoomOfItsOwn(t *testing.T) {
	r := newRig(t, Config{Slots: 4})
	l := r.below(2)
	r.come(2, 1, Join{Slots: 1}, Report{Room: allRoom(0)})
	if got := r.room(r.now, false); got != (Room{}) {
		t.Fatalf("attached: %v", got)
	}
	r.give(Down{l, ByThem(ReasonClosed)})
	if got := r.room(r.now, false); got != allRoom(1) {
		t.Errorf("an orphan: %v, want its child's %v", got, allRoom(1))
	}
}

func TestOnlyAChangeOfRoomIsReportedAtOnce(t *testing.T) {
	r := newRig(t, Config{Slots: 1})
	l := r.below(2)
	r.pass(reportSpacing)
	if ms := sentTo[Report](r.come(2, 1, Join{Slots: 8}, Report{Room: allRoom(3)}), l); len(ms) != 1 || ms[0].Free != 0 {
		t.Fatalf("a slot is taken: %+v", ms)
	}
	for _, test := range []struct {
		name string
		room Room
		want int
	}{
		{"a child's room", allRoom(3), 1},
		{"the same again", allRoom(3), 0},
		{"nearer", allRoom(2), 1},
		{"none", noRoom, 1},
	} {
		r.now = r.now.Add(2 * reportSpacing)
		ms := sentTo[Report](r.give(Received{2, Report{Sent: 1, Slots: 8, Room: test.room}}), l)
		if len(ms) != test.want || len(ms) == 1 && ms[0].Room != test.room.below().or(Room{NoRoom, NoRoom, NoRoom, NoRoom, NoRoom, 0}) {
			t.Errorf("%s: %+v, want %d", test.name, ms, test.want)
		}
		r.give(Heard{Link: l})
	}
}

func TestReportsAreTwentyMillisecondsApartHoweverMuchChanges(t *testing.T) {
	r := newRig(t, Config{Slots: 1})
	l := r.below(2)
	r.come(2, 1, Join{Slots: 8}, Report{})
	var last time.Time
	n := 0
	for i := range 1000 {
		r.now = r.now.Add(time.Millisecond)
		as := r.give(Received{2, Report{Sent: 1, Slots: 8, Room: allRoom(uint8(i % 2))}})
		as = append(as, r.give(Received{l, Heartbeat{Label: Label{Epoch{Ms: 1}, r.step(), 1}}})...)
		for range sentTo[Report](as, l) {
			if gap := r.now.Sub(last); gap < reportSpacing {
				t.Fatalf("%v after the one before", gap)
			}
			last = r.now
			n++
		}
	}
	if n < 30 || n > 51 {
		t.Errorf("%d reports in a second", n)
	}
}

func TestAReportComesEveryHalfSecondWhenNothingChanges(t *testing.T) {
	r := newRig(t, Config{Slots: 1})
	l := r.below(2)
	r.live(time.Second, r.beats(l, Heartbeat{}))
	if n := len(sentTo[Report](r.live(10*time.Second, r.beats(l, Heartbeat{})), l)); n < 18 || n > 21 {
		t.Errorf("%d reports in 10 s", n)
	}
}
