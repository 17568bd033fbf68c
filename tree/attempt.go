package tree

import (
	"maps"
	"slices"
	"time"
)

const (
	// dialGrace is how long a place counts as asked while it is only dialled.
	dialGrace = 300 * time.Millisecond
	// hungAfter is when a dial, or a place that has not delivered, gives way to another if there
	// are maxDials: three round trips to the far side of the world.
	hungAfter = 1 * time.Second
	// keptAfter is when a place has not answered because it has the node tried first, or does not
	// answer at all: a trial that gets through takes two round trips, and the question takes one.
	keptAfter = 400 * time.Millisecond
	// attemptTime bounds one place's answer, dial included.
	attemptTime = 4 * time.Second
)

// attempt is one place being asked.
type attempt struct {
	link    Link
	place   Place
	hops    int
	through ID // the node that carries a call there, zero if it was only dialled
	started time.Time
	asked   time.Time // for a slot
	addr    Place     // place, with the address that worked
	near    bool
	called  bool // it was reached by a call
	pulled  bool // chunks are wanted from it already
	ready   bool // it was a standby link
	brought bool // one has come
	due     bool // the node would move there, and waits for that one
	claims  bool // slots were claimed there
	proof   proof
	welcome *Welcome
	since   time.Time // of the welcome
}

// dialling reports whether nobody has answered at the place yet.
func (a *attempt) dialling() bool { return !a.pulled && a.addr.ID.IsZero() }

// kept reports whether a place that was asked for a slot lets the node wait for its answer.
func (a *attempt) kept(now time.Time) bool {
	return !a.asked.IsZero() && a.welcome == nil && now.Sub(a.asked) >= keptAfter
}

// overdue reports whether the place should have delivered by now, or answered over a link that was
// ready.
func (a *attempt) overdue(now time.Time) bool {
	if a.ready && a.welcome == nil {
		return now.Sub(a.started) >= hungAfter
	}
	return a.due && now.Sub(a.since) >= hungAfter
}

// attempts are the places being asked.
type attempts map[Link]*attempt

// sorted returns them in the order of their links.
func (as attempts) sorted() []*attempt {
	if len(as) == 0 { // as a rule
		return nil
	}
	sorted := make([]*attempt, 0, len(as))
	for _, l := range slices.Sorted(maps.Keys(as)) {
		sorted = append(sorted, as[l])
	}
	return sorted
}

// asks reports whether a place is being asked.
func (as attempts) asks(p Place) bool {
	for _, a := range as {
		if a.place.same(p) {
			return true
		}
	}
	return false
}

// reached reports whether another attempt than a has reached the node.
func (as attempts) reached(id ID, a *attempt) bool {
	for _, b := range as {
		if b != a && b.addr.ID == id {
			return true
		}
	}
	return false
}

// awaitsLabel reports whether a welcome is held until its label is new enough.
func (as attempts) awaitsLabel() bool {
	for _, a := range as {
		if a.welcome != nil && !a.due {
			return true
		}
	}
	return false
}

// kept reports whether one of the places lets the node wait.
func (as attempts) kept(now time.Time) bool {
	for _, a := range as {
		if a.kept(now) {
			return true
		}
	}
	return false
}

// claim reports whether slots were claimed at a place that has not answered yet. It may have the node tried first;
// one is enough for that.
func (as attempts) claim() bool {
	for _, a := range as {
		if a.claims && a.welcome == nil {
			return true
		}
	}
	return false
}

// bring reports whether one of the places has delivered.
func (as attempts) bring() bool {
	for _, a := range as {
		if a.brought {
			return true
		}
	}
	return false
}

// open counts the places that may answer, or deliver, soon.
func (as attempts) open(now time.Time) int {
	n := 0
	for _, a := range as {
		if a.overdue(now) || a.dialling() && now.Sub(a.started) >= dialGrace {
			continue
		}
		n++
	}
	return n
}

// hung is the place that has kept the node waiting for longest, nil if none has for too long.
func (as attempts) hung(now time.Time) *attempt {
	var oldest *attempt
	for _, a := range as { // in any order: the least link of the oldest is taken
		if !a.overdue(now) && (!a.dialling() || now.Sub(a.started) < hungAfter) {
			continue
		}
		if oldest == nil || a.started.Before(oldest.started) || a.started.Equal(oldest.started) && a.link < oldest.link {
			oldest = a
		}
	}
	return oldest
}
