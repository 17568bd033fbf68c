package tree

import "time"

// A joiner that cannot call has fewer places than one that can. Where it has none, a child that can
// go below a node that is called makes room for it, if there is one: it *yields*.

// yielding is the child that would make room for a joiner that cannot call, nil if none would.
func (n *Node) yielding(now time.Time, j *child) *child {
	if j.canCall() || j.near || len(n.children)-n.cfg.Slots >= swaps(n.cfg.Slots) || n.isDistrusted(now, j.place.ID) || !n.maySwap(now) {
		return nil
	}
	for _, c := range n.children {
		if c.reachable() && c.reported && c.pulling && c.report.Room[j.class()] != NoRoom {
			return nil // it is sent there
		}
	}
	return n.mayYield(now)
}

// mayYield is a child that has another place, which it would have to call: the one that is moved most
// easily. It is nil if there is none.
func (n *Node) mayYield(now time.Time) *child {
	var below [Classes][2]*child // of those that can take one of a class, two: one may be the child itself
	for _, q := range n.children {
		if !q.callable() || !q.pulling || q.shedding() || q.claim.doubted(now) {
			continue
		}
		for class, room := range q.report.room(true) {
			switch b := &below[class]; {
			case room == NoRoom:
			case b[0] == nil:
				b[0] = q
			case b[1] == nil:
				b[1] = q
			}
		}
	}
	var w *child
	for _, c := range n.children {
		if !c.pulling || c.shedding() || c.near || !c.canCall() || c.trial.reach != Closed || w != nil && weaker(c, w) > 0 {
			continue
		}
		if b := below[c.class()]; b[0] != nil && (b[0] != c || b[1] != nil) {
			w = c
		}
	}
	return w
}

// yield notes that w was asked to move for a joiner that has nowhere else to go. If it cannot, it
// stays, and the joiner goes.
func (w *child) yield(to *child) { w.shedFor, w.yields = to.place.ID, true }
