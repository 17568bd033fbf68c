package tree

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// told returns each child's newest backups, and how many lists were sent.
func told(as []Action, r *rig) (of map[int][]int, lists int) {
	of = make(map[int][]int)
	for _, a := range every[Send](as) {
		if m, ok := a.Msg.(Backups); ok {
			lists++
			if c := r.children.find(a.Link); c != nil {
				of[number(c.place)] = numbers(m.Places)
			}
		}
	}
	return of, lists
}

// family gives the node a parent, the uncles from 200 on, and children from 1 on.
func family(t *testing.T, uncles int, children []Join, free func(i int) uint16) (r *rig, up Link) {
	r = newRig(t, Config{Slots: len(children)})
	up = r.below(3)
	var ps []Place
	for i := range uncles {
		ps = append(ps, place(200+i))
	}
	for i, j := range children {
		r.come(Link(2+2*i), 1+i, j, Report{Room: noRoom, Free: free(i)})
	}
	r.give(Received{up, Backups{ps, 0}})
	return r, up
}

func none(int) uint16 { return 0 }

func TestSiblingsHaveDifferentFirstBackupsIfThereAreEnough(t *testing.T) {
	for uncles := range MaxBackups + 1 {
		for n := 1; n <= 8; n++ {
			r, _ := family(t, uncles, make([]Join, n), none)
			of, _ := told(r.pass(heartbeatInterval), r)
			first := make(map[int]int)
			for i := range n {
				ps := of[1+i]
				if want := min(assignedPerChild, uncles+1); len(ps) != want {
					t.Fatalf("%d uncles, %d children: child %d is told of %v, want %d", uncles, n, 1+i, ps, want)
				}
				first[ps[0]]++
			}
			places := uncles + 1 // and the grandparent
			if want := min(n, places); len(first) != want {
				t.Errorf("%d uncles, %d children: %d different first backups, want %d", uncles, n, len(first), want)
			}
			for p, load := range first {
				if load > (n+places-1)/places+1 {
					t.Errorf("%d uncles, %d children: %d of them go to node %d first", uncles, n, load, p)
				}
			}
		}
	}
}

func TestAChildIsToldOfStrongerSiblingsOnly(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		of := make([]Join, 1+rng.IntN(12))
		free := make([]uint16, len(of))
		for i := range of {
			of[i] = Join{Slots: uint16(rng.IntN(20)), Age: rng.Uint32N(4) * 100}
			free[i] = uint16(rng.IntN(1 + int(of[i].Slots)))
		}
		r, _ := family(t, rng.IntN(3), of, func(i int) uint16 { return free[i] })
		lists, _ := told(r.pass(heartbeatInterval), r)
		siblings := 0
		for i, j := range of {
			for _, p := range lists[1+i] {
				if p >= 100 {
					continue
				}
				siblings++
				s := of[p-1]
				stronger := cmp.Or(
					cmp.Compare(classOf(int(s.Slots)), classOf(int(j.Slots))), cmp.Compare(s.Age, j.Age), cmp.Compare(i, p-1),
				)
				if p == 1+i || stronger <= 0 || free[p-1] == 0 {
					t.Errorf("seed %d: child %d, %+v, is told of %d, %+v with %d slots free", seed, 1+i, j, p, s, free[p-1])
				}
			}
		}
		if len(of) > 9 && siblings == 0 {
			t.Errorf("seed %d: of %d nobody is told of a sibling", seed, len(of))
		}
	}
}

func TestTheRootsChildrenAreEachOthersBackups(t *testing.T) {
	for _, free := range []uint16{0, 2} { // there is nobody else
		r := newRig(t, Config{Root: true, Slots: 3})
		for i := range 3 {
			r.come(Link(2+2*i), 1+i, Join{Slots: uint16(4 * i)}, Report{Room: noRoom, Free: min(free, uint16(4*i))})
		}
		of, _ := told(r.pass(assignInterval+heartbeatInterval), r)
		// Node 1 gives nothing.
		for child, want := range map[int][]int{1: {2, 3}, 2: {3}, 3: {2}} {
			slices.Sort(of[child])
			if !slices.Equal(of[child], want) {
				t.Errorf("%d slots free: child %d is told of %v, want %v", free, child, of[child], want)
			}
		}
	}
}

func TestTheOldestOfTheStrongestChildrenGetsTheNodesOwnParent(t *testing.T) {
	for _, test := range []struct {
		children []Join
		heir     int
	}{
		{[]Join{{Slots: 1}, {Slots: 9}, {Slots: 2}}, 2},
		{[]Join{{Slots: 4, Age: 10}, {Slots: 7, Age: 20}, {Slots: 5, Age: 15}}, 2},
		{[]Join{{Slots: 3, Age: 9999}, {Slots: 0, Age: 99999}, {Slots: 4}}, 3},
		{[]Join{{}, {}, {}}, 1},
	} {
		r, _ := family(t, 3, test.children, func(i int) uint16 { return test.children[i].Slots })
		of, _ := told(r.pass(heartbeatInterval), r)
		for child, ps := range of {
			if parent := ps[0] == 102; parent != (child == test.heir) {
				t.Errorf("%+v: child %d is told of %v", test.children, child, ps)
			}
		}
	}
}

func TestBackupsStayWhileTheyAreValidAndChangeWhenOneIsGone(t *testing.T) {
	of := []Join{{Slots: 8}, {Slots: 4}, {Slots: 2}}
	r, up := family(t, 0, of, func(i int) uint16 { return of[i].Slots })
	live := []func() []Action{r.beats(up, Heartbeat{})}
	for i, j := range of {
		live = append(live, r.reports(Link(2+2*i), Report{Slots: j.Slots, Free: j.Slots, Room: noRoom}))
	}
	was, n := told(r.pass(heartbeatInterval), r)
	if n != 3 || !slices.Contains(was[3], 2) || !slices.Contains(was[2], 1) {
		t.Fatalf("%v", was)
	}
	// Another child with room would be a better choice, but a valid list is kept.
	r.give(Capacity{4, 4})
	r.come(20, 9, Join{Slots: 31}, Report{Free: 31, Room: noRoom})
	live = append(live, r.reports(20, Report{Slots: 31, Free: 31, Room: noRoom}))
	if is, _ := told(r.live(assignKeep-2*time.Second, live...), r); len(is) != 1 || is[9] == nil {
		t.Errorf("while all holds: %v", is)
	}
	r.give(Down{4, ByThem(ReasonClosed)})
	is, _ := told(r.live(assignInterval+heartbeatInterval, live...), r)
	if ps := is[3]; len(ps) == 0 || slices.Contains(ps, 2) {
		t.Errorf("node 2 is gone, and its sibling is told of %v", ps)
	}
	if is[1] != nil {
		t.Errorf("a child is told again that has not lost anything: %v", is[1])
	}
}

func TestBackupsAreChosenAgainAfterHalfAMinute(t *testing.T) {
	r, up := family(t, 0, []Join{{}, {}}, none)
	was, _ := told(r.pass(heartbeatInterval), r)
	r.give(Received{up, Backups{places(200), 0}})
	live := []func() []Action{r.beats(up, Heartbeat{}), r.reports(2, Report{}), r.reports(4, Report{})}
	if is, n := told(r.live(assignKeep-2*heartbeatInterval, live...), r); n != 0 {
		t.Errorf("%v, then %v", was, is)
	}
	if is, n := told(r.live(assignInterval+2*heartbeatInterval, live...), r); n != 2 || len(is[1]) != 2 || len(is[2]) != 2 || is[1][0] == is[2][0] {
		t.Errorf("%v, then %v", was, is)
	}
}

func TestBackupsAreThoseThatCanBeReachedAndStay(t *testing.T) {
	for _, test := range []struct {
		name  string
		after func(*rig)
		want  bool
	}{
		{"free slots", func(*rig) {}, true},
		{"full", func(r *rig) { r.give(Received{2, Report{Sent: 1, Slots: 8}}) }, false},
		{"not listening", func(r *rig) { r.children.find(2).place.Addrs = nil }, false},
		{"asked to move", func(r *rig) { r.give(Capacity{1, 1}) }, false},
	} {
		r, up := family(t, 0, []Join{{Slots: 8}, {Slots: 4}}, func(int) uint16 { return 2 })
		r.children.find(4).report.Below = 1 << 20 // not the one that is asked to move
		r.children.find(2).slots, r.children.find(4).slots = 4, 4
		r.children.find(2).born = r.now.Add(-time.Hour)
		test.after(r)
		of, _ := told(r.live(assignInterval+heartbeatInterval, r.beats(up, Heartbeat{})), r)
		if got := slices.Contains(of[2], 1); got != test.want {
			t.Errorf("%s: %v", test.name, of)
		}
	}
}

func ExampleEmergencySlots() {
	for _, slots := range []int{0, 1, 2, 8} {
		fmt.Println(slots, EmergencySlots(slots))
	}
	// Output:
	// 0 0
	// 1 2
	// 2 2
	// 8 8
}
