package tree

import (
	"slices"
	"testing"
	"time"
)

// has is an opening of node i.
func has(i int, free, down uint8) Opening { return Opening{place(i), free, down} }

// comeMany has so many come just now that it is a crowd.
func (r *rig) comeMany() { r.crowd = crowd{r.now, r.now, r.now} }

// A full node names those below its children that have free slots, the nearest first, ahead of the
// children that lead there.
func TestAFullNodeNamesWhoHasFreeSlotsBelow(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 2})
	r.come(2, 1, Join{Slots: 4}, Report{Room: allRoom(2), Openings: []Opening{has(21, 3, 2), has(22, 3, 1)}})
	r.come(4, 2, Join{Slots: 4}, Report{Room: noRoom, Openings: []Opening{has(31, 3, 1)}})
	for i := range crowdOf - 1 {
		if got := r.sendOn(Link(90+2*i), 60+i, Join{}); !slices.Equal(got, []int{1}) {
			t.Errorf("before there is a crowd one is sent to %v", got)
		}
	}
	if got := r.sendOn(100, 50, Join{}); !slices.Contains([]int{22, 31}, got[0]) || !slices.Contains([]int{22, 31}, got[1]) || !slices.Equal(got[2:], []int{21, 1}) {
		t.Errorf("a newcomer is sent to %v", got)
	}
	if got := r.sendOn(102, 51, Join{Within: 4}); slices.Contains(got, 22) || slices.Contains(got, 31) {
		t.Errorf("one that wants to get nearer to the root is sent to %v", got)
	}
}

// A slot to which a newcomer was sent counts as taken for a while.
func TestASlotIsNamedToOneNewcomerAtATime(t *testing.T) {
	r := newRig(t, Config{Root: true, Slots: 1})
	r.come(2, 1, Join{Slots: 4}, Report{Room: allRoom(2), Openings: []Opening{has(21, 1, 1), has(22, 2, 1)}})
	r.comeMany()
	var firsts []int
	for i := range 4 {
		firsts = append(firsts, r.sendOn(Link(100+2*i), 50+i, Join{})[0])
	}
	if slices.Sort(firsts[:3]); !slices.Equal(firsts[:3], []int{21, 22, 22}) || firsts[3] != 1 {
		t.Errorf("the first that newcomers are sent to: %v", firsts)
	}
	r.pass(bookedFor)
	r.comeMany()
	if got := r.sendOn(200, 60, Join{})[0]; got == 1 {
		t.Errorf("after %v one is sent to %d", bookedFor, got)
	}
}

// A child that lies does not fill the list that newcomers are sent, nor what the parent is told.
func TestAChildFillsNoListWithOpenings(t *testing.T) {
	r := newRig(t, Config{Slots: 3})
	l := r.attach(Label{Epoch{Ms: 1}, 1, 0}, 1)
	r.live(heartbeatInterval, r.beats(l, quiet(0)))
	r.come(2, 2, Join{Slots: 4}, Report{Room: allRoom(1), Openings: []Opening{has(21, 255, 0), has(22, 255, 0), has(23, 255, 0), has(24, 255, 0), has(25, 9, 0)}})
	r.come(4, 3, Join{Slots: 4}, Report{Room: allRoom(3), Openings: []Opening{has(31, 1, 3)}})
	as := r.come(6, 4, Join{Slots: 4}, Report{Room: allRoom(3), Free: 2, Openings: []Opening{has(1, 1, 1), has(3, 1, 1), {Free: 1}}})
	as = append(as, r.live(time.Second, r.beats(l, quiet(0)))...)
	reports := sentTo[Report](as, l)
	of := reports[len(reports)-1].Openings
	var ids []int
	for _, o := range of {
		ids = append(ids, number(o.Place))
		if o.Free > MaxFree {
			t.Errorf("%d slots are told of", o.Free)
		}
	}
	if slices.Sort(ids); !slices.Equal(ids, []int{4, 21, 22, 31}) {
		t.Errorf("the parent is told of %v", ids)
	}
	r.comeMany()
	if got := r.sendOn(100, 50, Join{})[:3]; !slices.Contains(got, 31) || !slices.Contains(got, 4) {
		t.Errorf("a newcomer is sent to %v", got)
	}
}

// A newcomer that comes back, while the child says what it said before, has its openings left out, and
// nothing else.
func TestOpeningsAreDoubtedAfterAJoinerWasSentThereInVain(t *testing.T) {
	report := Report{Room: allRoom(1), Below: 3, Openings: []Opening{has(21, 8, 1)}}
	grown, other := report, report
	grown.Below, other.Openings = 4, []Opening{has(21, 7, 1)}
	for _, c := range []struct {
		name  string
		now   Report
		named bool
	}{{"nothing has changed", report, false}, {"somebody has come there", grown, true}, {"it tells of fewer slots", other, true}} {
		r := newRig(t, Config{Root: true, Slots: 1})
		r.come(2, 1, Join{Slots: 4}, report)
		r.comeMany()
		r.sendOn(100, 50, Join{})
		r.live(time.Second, r.reports(2, c.now))
		r.comeMany()
		r.sendOn(102, 50, Join{})
		got := r.sendOn(104, 51, Join{})
		if slices.Contains(got, 21) != c.named || !slices.Contains(got, 1) {
			t.Errorf("%s: the next is sent to %v", c.name, got)
		}
		r.live(claimDoubt, r.reports(2, report))
		r.comeMany()
		if got := r.sendOn(106, 52, Join{}); !slices.Contains(got, 21) {
			t.Errorf("%s: a minute later one is sent to %v", c.name, got)
		}
	}
}

// Only those that others get through to are told of.
func TestOpeningsAreThoseThatWereReached(t *testing.T) {
	for reach, want := range map[Reach]bool{Open: true, Closed: false, Untried: false} {
		r := newRig(t, Config{Probes: true, Slots: 2})
		l := r.attach(Label{Epoch{Ms: 1}, 1, 0}, 1)
		as := r.come(2, 2, Join{Slots: 4}, Report{Room: allRoom(0), Free: 4})
		as = append(as, r.give(Probed{2, reach})...)
		as = append(as, r.live(time.Second, r.beats(l, quiet(0)), r.reports(2, Report{Room: allRoom(0), Free: 4, Slots: 4}))...)
		reports := sentTo[Report](as, l)
		if got := len(reports[len(reports)-1].Openings) == 1; got != want {
			t.Errorf("%v: told of %v", reach, reports[len(reports)-1].Openings)
		}
	}
}

// A child can have neither its parent told of, nor who is above that, nor another child, nor nobody, nor one without
// an address.
func TestWhoIsNotBelowAChildIsNoOpeningThere(t *testing.T) {
	r := newRig(t, Config{Slots: 2})
	l := r.attach(Label{Epoch{Ms: 1}, 1, 0}, 1)
	r.live(heartbeatInterval, r.beats(l, quiet(0)))
	r.come(2, 2, Join{Slots: 4}, Report{Room: allRoom(1)})
	self := Opening{r.cfg.Self, 1, 1}
	for _, o := range []Opening{self, has(1, 1, 1), has(2, 1, 1), {Free: 1, Down: 1}, {Place: Place{ID: place(21).ID}, Free: 1, Down: 1}} {
		as := r.come(4, 3, Join{Slots: 4}, Report{Room: allRoom(1), Openings: []Opening{o}})
		as = append(as, r.live(time.Second, r.beats(l, quiet(0)))...)
		for _, told := range sentTo[Report](as, l) {
			if len(told.Openings) > 0 {
				t.Errorf("a child names %+v, and the parent is told of it", o)
			}
		}
		r.give(Down{4, ByThem(ReasonClosed)})
	}
}
