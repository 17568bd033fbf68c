package tree

import "time"

// Some nodes let nobody in, but get through to a node that at that moment tries to get through
// to them. Whoever names such a node, and has a link to it, carries the call. Places of this kind
// are *called*, all others are dialled.

// Marks says which places of a list are called: bit i stands for the i-th.
type Marks uint8

// Has reports whether the i-th place is called.
func (m Marks) Has(i int) bool { return i < 8 && m&(1<<i) != 0 }

// CalledRoom is the room for joiners that can call. Its zero value says no more than the room
// for all does.
type CalledRoom struct {
	Known bool
	Room  Room
}

// Or returns what is known, or else the room for all.
func (c CalledRoom) Or(all Room) Room {
	if c.Known {
		return c.Room
	}
	return all
}

// room is where a joiner would be taken at and below the sender.
func (r Report) room(calls bool) Room {
	if calls {
		return r.Called.Or(r.Room)
	}
	return r.Room
}

// rooms are the room of a parent and of the whole tree.
type rooms struct{ here, best Room }

// rooms returns what a heartbeat tells a joiner.
func (hb Heartbeat) rooms(calls bool) rooms {
	if calls {
		return rooms{hb.Called.Or(hb.Room), hb.BestCalled.Or(hb.Best)}
	}
	return rooms{hb.Room, hb.Best}
}

// callable reports whether others can be sent to a child by a call.
func (c *child) callable() bool {
	return c.trial.reach == Closed && c.report.Callable && len(c.place.Addrs) > 0
}

// canCall reports whether a child can be sent to others that it has to call. A newcomer may find out
// that it cannot.
func (c *child) canCall() bool { return c.calls && (!c.reported || c.report.Callable) }

// leads reports whether a joiner can be sent to a child.
func (c *child) leads(calls bool) bool { return c.reachable() || calls && c.callable() }

// named is a list of places for another node.
type named struct {
	places []Place
	called Marks
}

func (l *named) add(p Place, called bool) {
	if called {
		l.called |= 1 << len(l.places)
	}
	l.places = append(l.places, p)
}

func (l *named) has(p Place) bool {
	for _, q := range l.places {
		if q.same(p) {
			return true
		}
	}
	return false
}

// first puts a place in front that is dialled, in place of where it was.
func (l *named) first(p Place) named {
	out := named{}
	out.add(p, false)
	for i, q := range l.places {
		if !q.same(p) && len(out.places) < MaxRefer {
			out.add(q, l.called.Has(i))
		}
	}
	return out
}

// calling reports whether a node can be sent to its child's parent by a call: the link between
// the two was made by one.
func (n *Node) calling(p Place) bool { return n.up != nil && n.up.called && n.up.place.same(p) }

// calledInVain reports whether a node without a parent has called everybody of whom it was told that
// they are called, and none of the calls got through. What its own router does is not known then, if
// one node alone could be dialled; but for as long as those are left alone it is as one that cannot
// call, and somebody may make room for it.
func (n *Node) calledInVain(now time.Time) bool { return n.up == nil && n.book.allAway(now) }

// clearWay gives up a guest's standby link before the guest is called, to be the parent: two nodes that
// meet half-way can have but one connection. A guest that has come another way keeps it, so that who
// says of a node that it is called does not cost that its link.
func (n *Node) clearWay(p Place) {
	if g := n.guests.ofID(p.ID); g != nil && g.met {
		n.dropGuest(g, ByUs(ReasonReplaced))
	}
}

// known is what is known of a child's reach.
func (c *child) known() Reach {
	if c.callable() {
		return Punchable
	}
	return c.trial.reach
}

// called is 1 if others are sent to it by a call, and else 0.
func (c *child) called() int {
	if c.reachable() {
		return 0
	}
	return 1
}
