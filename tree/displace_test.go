package tree

import (
	"testing"
	"time"
)

func TestAStrongerNodeIsLetInAndTheYoungestOfTheLowestClassIsSentToIt(t *testing.T) {
	for _, test := range []struct {
		name   string
		of     []Join
		joiner Join
		out    int // 0: the joiner is turned away
	}{
		{"a higher class", []Join{{Slots: 2}, {Slots: 1}, {Slots: 2}}, Join{Slots: 2}, 2},
		{"the youngest of two", []Join{{Slots: 1, Age: 50}, {Slots: 1, Age: 40}, {Slots: 9}}, Join{Slots: 4}, 2},
		{"the youngest, though another is as weak and older", []Join{{Age: 900}, {Age: 9000}, {Age: 90}}, Join{Slots: 1}, 3},
		{"the youngest, though it carries most", []Join{{Slots: 1, Age: 900}, {Slots: 1, Age: 90}, {Slots: 1, Age: 9000}}, Join{Slots: 4}, 2},
		{"the same class", []Join{{Slots: 5}, {Slots: 4}, {Slots: 6}}, Join{Slots: 7}, 0},
		{"a lower class", []Join{{Slots: 5}, {Slots: 4}, {Slots: 6}}, Join{Slots: 3, Age: 1 << 20}, 0},
		{"the same class, four times as old", []Join{{Slots: 5, Age: 240}, {Slots: 4, Age: 120}, {Slots: 6, Age: 360}}, Join{Slots: 4, Age: 480}, 2},
		{"the same class, twice as old", []Join{{Slots: 5, Age: 240}, {Slots: 4, Age: 240}, {Slots: 6, Age: 240}}, Join{Slots: 4, Age: 480}, 0},
		{"nobody gives anything", []Join{{}, {}, {}}, Join{Age: 1 << 20}, 0},
	} {
		r := newRig(t, Config{Root: true, Slots: 3})
		for i, j := range test.of {
			// What a child carries does not matter here.
			r.come(Link(2+2*i), 1+i, j, Report{Room: noRoom, Below: []uint32{0, 900, 30}[i]})
		}
		as := r.ask(100, 50, test.joiner)
		if _, in := sent[Welcome](as); in != (test.out != 0) {
			t.Errorf("%s: let in: %v", test.name, in)
			continue
		}
		if _, early := sent[Bye](as); early {
			t.Errorf("%s: somebody is asked to move before the newcomer has pulled", test.name)
		}
		as = r.give(Received{100, Pull{}})
		for i := range test.of {
			ms := sentTo[Bye](as, Link(2+2*i))
			switch {
			case 1+i != test.out:
				if len(ms) != 0 {
					t.Errorf("%s: node %d is asked to move", test.name, 1+i)
				}
			case len(ms) != 1 || ms[0].Reason != ReasonDisplaced || len(ms[0].Places) == 0 || number(ms[0].Places[0]) != 50:
				t.Errorf("%s: node %d is told %+v", test.name, 1+i, ms)
			}
		}
	}
}

func TestSwapsUnderWayAreBounded(t *testing.T) {
	for slots, want := range map[int]int{1: 1, 3: 1, 4: 1, 8: 2, 19: 4} {
		r := newRig(t, Config{Root: true, Slots: slots})
		for i := range slots {
			r.come(Link(2+2*i), 1+i, Join{Slots: 1}, Report{})
		}
		in := 0
		for i := range 20 {
			if _, ok := sent[Welcome](r.ask(Link(100+2*i), 50+i, Join{Slots: 8})); ok {
				in++
			}
		}
		if in != want || len(r.children) != slots+want {
			t.Errorf("%d slots: %d get in, want %d", slots, in, want)
		}
	}
}

func TestOneSwapAfterTheOtherReplacesAllTheWeak(t *testing.T) {
	const slots = 6
	r := newRig(t, Config{Root: true, Slots: slots})
	for i := range slots {
		r.come(Link(2+2*i), 1+i, Join{Slots: 1}, Report{})
	}
	for i := range slots {
		as := r.come(Link(100+2*i), 50+i, Join{Slots: 8}, Report{})
		for k := range slots {
			if l := Link(2 + 2*k); len(sentTo[Bye](as, l)) > 0 {
				r.give(Down{l, ByThem(ReasonMoved)})
			}
		}
		if len(r.children) != slots {
			t.Fatalf("%d children after %d swaps", len(r.children), i+1)
		}
	}
	for _, c := range r.children {
		if c.slots != 8 {
			t.Errorf("node %d is still there", number(c.place))
		}
	}
}

func TestAJoinerThatDoesNotTakeTheChildItDisplacedGoesItselfAndDisplacesNobodyForAWhile(t *testing.T) {
	for _, test := range []struct {
		name  string
		takes uint16 // children of the newcomer
		out   Link
	}{
		{"it has room", 7, 100},
		{"it is full", 8, 2},
	} {
		r := newRig(t, Config{Root: true, Slots: 1})
		r.come(2, 1, Join{Slots: 1}, Report{})
		r.come(100, 50, Join{Slots: 8}, Report{})
		live := []func() []Action{r.reports(2, Report{Slots: 1}), r.reports(100, Report{Slots: 8, Children: test.takes})}
		if as := r.live(shedTime-heartbeatInterval, live...); len(every[Close](as)) != 0 {
			t.Fatalf("%s: %+v", test.name, every[Close](as))
		}
		as := r.live(2*heartbeatInterval, live...)
		if closed(as, test.out) != ReasonFull || len(every[Close](as)) != 1 {
			t.Errorf("%s: %+v, want link %d closed", test.name, every[Close](as), test.out)
		}
		if test.out == 2 {
			continue
		}
		if r.children.find(2).shedding() {
			t.Errorf("%s: who was to go is still asked to", test.name)
		}
		admitted := func(l Link, i int) bool {
			_, ok := sent[Welcome](r.ask(l, i, Join{Slots: 8}))
			r.give(Down{l, ByThem(ReasonClosed)})
			return ok
		}
		if admitted(102, 50) {
			t.Errorf("%s: it displaces the same child at once again", test.name)
		}
		if !admitted(104, 51) {
			t.Errorf("%s: others must not pay for it", test.name)
		}
		r.live(shunTime, r.reports(2, Report{Slots: 1}))
		if !admitted(106, 50) {
			t.Errorf("%s: it is never forgiven", test.name)
		}
	}
}

// A joiner may claim many slots to be let in, and report few later: its class follows from
// what it says last.
func TestANodesClassFollowsItsNewestReport(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 1})
	r.come(2, 1, Join{Slots: 16}, Report{})
	if _, ok := sent[Welcome](r.ask(4, 2, Join{Slots: 4})); ok {
		t.Fatal("displaced by a weaker one")
	}
	r.give(Received{2, Report{Sent: 1, Slots: 1}})
	if _, ok := sent[Welcome](r.ask(6, 2, Join{Slots: 4})); !ok {
		t.Error("not displaced by a stronger one")
	}
}

func TestAFarChildMakesRoomForAFarJoiner(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 3})
	r.give(Capacity{3, 1})
	near := func(l Link, i int, j Join) []Action {
		j.Addrs = place(i).Addrs
		as := r.give(Joined{l, place(i).ID, addr(i), true, false, false, j})
		return append(as, append(r.give(Received{l, Pull{}}), r.give(Received{l, Report{Sent: 1, Slots: j.Slots}})...)...)
	}
	near(2, 1, Join{})
	r.come(4, 2, Join{Slots: 2}, Report{})
	if _, ok := sent[Welcome](r.ask(6, 3, Join{Slots: 2})); ok {
		t.Error("a second far child, which the uplink does not carry")
	}
	as := r.come(8, 4, Join{Slots: 4}, Report{})
	if len(sentTo[Bye](as, 4)) != 1 || len(sentTo[Bye](as, 2)) != 0 {
		t.Errorf("%+v", as)
	}
	if _, ok := sent[Welcome](near(10, 5, Join{})); ok {
		t.Error("near, but the slots are taken until the swap is over")
	}
	r.live(heartbeatInterval)
	r.give(Down{4, ByThem(ReasonMoved)})
	r.pass(time.Second)
	if _, ok := sent[Welcome](near(12, 5, Join{})); !ok {
		t.Error("near, and there is a slot")
	}
}
