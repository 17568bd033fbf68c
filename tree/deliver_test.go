package tree

import (
	"slices"
	"testing"
	"time"
)

// atThird is a node that has a parent, takes a stream, and is asked to move to node 50, who
// is at that depth and has welcomed it. It returns the parent's link and the one to node 50.
func atThird(t *testing.T, flows bool, depth uint16) (r *rig, up, next Link, as []Action) {
	t.Helper()
	r = newRig(t, Config{})
	up = r.below(3)
	r.give(Progress{Flows: flows})
	as = r.give(Received{up, Bye{ReasonDisplaced, places(50), 0}})
	d, ok := first[Dial](as)
	if !ok || number(d.Place) != 50 {
		t.Fatalf("node 50 is not dialled: %+v", as)
	}
	return r, up, d.Link, r.welcomes(d, depth)
}

// welcomes lets the place that is dialled say that it is at that depth, and has a slot.
func (r *rig) welcomes(d Dial, depth uint16) []Action {
	r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
	return r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step(), depth}, Path: append(places(100), d.Place)}})
}

func TestANodeThatIsServedMovesOnceTheNewPlaceDelivers(t *testing.T) {
	r, up, next, as := atThird(t, true, 2)
	if f, ok := first[Feed](as); !ok || f.Link != next {
		t.Fatalf("the stream is not asked for: %+v", as)
	}
	as = append(as, r.live(8*heartbeatInterval, r.beats(up, quiet(2)), r.beats(next, quiet(2)))...)
	if _, ok := first[Attached](as); ok || closed(as, up) != ReasonNone {
		t.Fatal("the node has left a parent that serves it for a place that has sent nothing")
	}
	if n := len(every[Feed](as)); n != 1 {
		t.Errorf("the stream is asked for %d times", n)
	}
	as = r.give(Delivered{next})
	if a, ok := first[Attached](as); !ok || a.Link != next || closed(as, up) != ReasonMoved {
		t.Errorf("the node has not moved: %+v", as)
	}
}

func TestAPlaceThatDoesNotDeliverIsLeftForAnother(t *testing.T) {
	r, up, next, _ := atThird(t, true, 2)
	r.give(hints(60))
	speak := []func() []Action{r.beats(up, quiet(2)), r.beats(next, quiet(2))}
	other, ok := r.dial(deliverAfter+heartbeatInterval, speak...)
	if !ok {
		t.Fatal("nobody else is asked")
	}
	r.welcomes(other, 2)
	as := r.live(r.times.infeasible-deliverAfter+heartbeatInterval, append(speak, r.beats(other.Link, quiet(2)))...)
	if closed(as, next) != ReasonSilent {
		t.Errorf("the place is given up: %v", closed(as, next))
	}
	if closed(as, up) != ReasonNone || r.search.wrongLabel() {
		t.Error("that has cost the node its parent or its label")
	}
	if a, ok := first[Attached](r.give(Delivered{other.Link})); !ok || a.Link != other.Link {
		t.Error("the node has not moved to the one that delivers")
	}
}

func TestNobodyHasToDeliverWhatThereIsNot(t *testing.T) {
	_, _, next, as := atThird(t, false, 2)
	if a, ok := first[Attached](as); !ok || a.Link != next {
		t.Errorf("while nothing is sent, the node does not move: %+v", as)
	}

	r, up, next, _ := atThird(t, true, 2)
	r.give(Progress{Flows: false})
	if a, ok := first[Attached](r.live(2*heartbeatInterval, r.beats(up, quiet(2)))); !ok || a.Link != next {
		t.Error("when the encoder pauses, the node does not move")
	}
}

func TestANodeWithoutAParentTakesThePlaceThatItWaitsFor(t *testing.T) {
	r, up, next, _ := atThird(t, true, 2)
	if a, ok := first[Attached](r.give(Down{up, ByThem(ReasonClosed)})); !ok || a.Link != next {
		t.Error("an orphan waits for a chunk before it commits")
	}
}

// orphanBelow is a node whose parent was lost while the stream flowed, and that has another now
// which has sent nothing.
func orphanBelow(t *testing.T) (r *rig, next Link) {
	t.Helper()
	r, up, next, _ := atThird(t, true, 2)
	r.give(hints(60))
	if a, ok := first[Attached](r.give(Down{up, ByThem(ReasonClosed)})); !ok || a.Link != next {
		t.Fatal("an orphan waits for a chunk before it commits")
	}
	return r, next
}

func TestAnOrphanLooksOnWhileItsNewParentDoesNotDeliver(t *testing.T) {
	r, up := orphanBelow(t)
	speak := r.beats(up, quiet(2))
	if _, ok := r.dial(deliverAfter-2*heartbeatInterval, speak); ok {
		t.Fatal("the new parent is left no time")
	}
	other, ok := r.dial(3*heartbeatInterval, speak)
	if !ok {
		t.Fatal("nobody else is asked")
	}
	r.give(Progress{}) // the newest chunk was long ago
	as := r.welcomes(other, 2)
	if _, ok := first[Attached](as); ok {
		t.Fatal("the node moves to a second one that has sent nothing")
	}
	as = r.give(Delivered{other.Link})
	if a, ok := first[Attached](as); !ok || a.Link != other.Link || closed(as, up) != ReasonMoved {
		t.Fatalf("the node does not move to the one that delivers: %+v", as)
	}
	r.give(Down{other.Link, ByThem(ReasonClosed)})
	if again, ok := r.dial(distrustTime / 2); ok && number(again.Place) == 50 {
		t.Error("the one that did not deliver is asked again")
	}
}

func TestAnOrphanStaysBelowANewParentThatDelivers(t *testing.T) {
	r, up := orphanBelow(t)
	r.give(Delivered{up})
	if _, ok := r.dial(2*deliverAfter, r.beats(up, quiet(2))); ok {
		t.Error("another is asked")
	}
}

func TestNobodyLooksOnForAStreamThatCeasedLongAgo(t *testing.T) {
	r, up, next, _ := atThird(t, false, 2)
	r.give(hints(60))
	r.give(Down{up, ByThem(ReasonClosed)})
	if d, ok := r.dial(2*deliverAfter, r.beats(next, quiet(2))); ok {
		t.Errorf("%v is asked", d.Place)
	}
	r, next = orphanBelow(t)
	r.live(flowedFor, r.beats(next, quiet(2)))
	if r.search.want != wantNothing {
		t.Errorf("after %v it still looks for %d", flowedFor, r.search.want)
	}
}

// A chunk may have come before the label is new enough.
func TestAPlaceThatDeliversIsTakenOnceItsLabelIsNewEnough(t *testing.T) {
	r, up, next, _ := atThird(t, true, 3)
	r.live(4*heartbeatInterval, r.beats(up, quiet(2))) // the node's own label is newer than the welcome's
	as := r.give(Delivered{next})
	if _, ok := first[Attached](as); ok {
		t.Fatal("the node moves to a place whose label is old")
	}
	label := r.at.Label
	r.live(2*heartbeatInterval, r.beats(up, quiet(2)))
	if r.at.Label != label {
		t.Error("its own label runs away from the one that it waits for")
	}
	if a, ok := first[Attached](r.live(4*heartbeatInterval, r.beats(up, quiet(2)), r.beats(next, quiet(3)))); !ok || a.Link != next {
		t.Error("the node does not move")
	}
}

func TestANewcomerAsksOthersWhileAPlaceDoesNotDeliver(t *testing.T) {
	r := newRig(t, Config{Seeds: places(1, 2)})
	d, ok := first[Dial](append(r.rest(), r.give(Progress{Barren: true})...))
	if !ok {
		t.Fatal("nobody is dialled")
	}
	if _, ok := first[Attached](r.welcomes(d, 1)); ok {
		t.Fatal("the newcomer commits to a place that has sent nothing")
	}
	second, ok := r.dial(deliverAfter+heartbeatInterval, r.beats(d.Link, quiet(1)))
	if !ok {
		t.Fatal("nobody else is asked")
	}
	r.welcomes(second, 1)
	if a, ok := first[Attached](r.give(Delivered{second.Link})); !ok || a.Link != second.Link {
		t.Error("the newcomer does not take the one that delivers")
	}
}

func TestANewcomerTakesASlowPlaceIfThereIsNoOther(t *testing.T) {
	r := newRig(t, Config{Seeds: places(1)})
	d, ok := first[Dial](append(r.rest(), r.give(Progress{Barren: true})...))
	if !ok {
		t.Fatal("nobody is dialled")
	}
	r.welcomes(d, 1)
	as := r.live(r.times.infeasible+heartbeatInterval, r.beats(d.Link, quiet(1)))
	if a, ok := first[Attached](as); !ok || a.Link != d.Link {
		t.Errorf("the newcomer has no parent: %+v", as)
	}
}

func TestWhomAWelcomeNamedIsAskedThoughThePlaceFails(t *testing.T) {
	r := newRig(t, Config{})
	r.give(Progress{Barren: true})
	r.give(hints(50))
	d, ok := r.dial(time.Second)
	if !ok {
		t.Fatal("nobody is dialled")
	}
	r.give(Up{d.Link, d.Place.ID, d.Place.first(), false, false})
	r.give(Received{d.Link, Welcome{Label: Label{Epoch{Ms: 1}, r.step(), 2}, Path: append(places(100, 101), d.Place), Others: places(60)}})
	as := append(r.give(Down{d.Link, ByUs(ReasonForged)}), r.live(time.Second)...)
	var asked []int
	for _, d := range every[Dial](as) {
		asked = append(asked, number(d.Place))
	}
	for _, named := range []int{60, 100, 101} {
		if !slices.Contains(asked, named) {
			t.Errorf("%v are asked, not %d", asked, named)
		}
	}
}
