package tree

import (
	"cmp"
	"time"
)

// swaps is how many children over its slots a node takes while weaker children make room
// for stronger ones.
func swaps(slots int) int {
	if slots <= 0 {
		return 0
	}
	return max(1, slots/4)
}

// maySwap reports whether a node that has more children than slots may take one more that
// is stronger. It may for swapTime, so that all children that were asked to move are gone
// before EmergencyTime is over.
func (n *Node) maySwap(now time.Time) bool {
	return n.overAt.IsZero() || now.Sub(n.overAt) < swapTime
}

// mayExceed reports whether a node may take one more child than it has slots. It may while a child
// that is asked to move for it has shedLeast for that.
func (n *Node) mayExceed(now time.Time) bool {
	return n.overAt.IsZero() || now.Sub(n.overAt) <= EmergencyTime-shedLeast
}

// shedBy is when a child that was asked to move is cut.
func (n *Node) shedBy(c *child) time.Time {
	lasts := shedTime
	if !n.overAt.IsZero() {
		lasts = min(lasts, max(shedLeast, n.overAt.Add(EmergencyTime).Sub(c.shedAt)))
	}
	return c.shedAt.Add(lasts)
}

// noteOver notes since when there are more children than slots.
func (n *Node) noteOver(now time.Time) {
	switch over := len(n.children) > n.cfg.Slots; {
	case !over:
		n.overAt = time.Time{}
	case n.overAt.IsZero():
		n.overAt = now
	}
}

// shed asks the weakest children to move on, if there are more than slots.
func (n *Node) shed(now time.Time) {
	n.noteOver(now)
	if !n.leaveBy.IsZero() {
		return
	}
	for {
		going, goingFar := 0, 0
		for _, c := range n.children {
			if c.shedding() || !c.pulling {
				going++
				if !c.near {
					goingFar++
				}
			}
		}
		far := n.children.far()-goingFar > n.far
		if len(n.children)-going <= n.cfg.Slots && !far {
			return
		}
		w, x := n.agreed(far)
		if w == nil {
			w = n.least(far, n.waited(weaker))
		}
		if w == nil {
			return
		}
		w.shedAt = now
		l := n.betterFor(now, w, 0)
		if x != nil && x.reachable() {
			w.shedFor = x.place.ID
			l = l.first(x.place)
		}
		if x != nil && x.yielded {
			w.yield(x)
		}
		n.send(w.link, Bye{ReasonDisplaced, l.places, l.called})
	}
}

// waited is an order in which those come last for whom another child was asked to move. If that one
// stays, they go in its place, and would have gone for two.
func (n *Node) waited(order func(a, b *child) int) func(a, b *child) int {
	awaits := func(c *child) int {
		for _, w := range n.children {
			if w.shedding() && w.shedFor == c.place.ID {
				return 1
			}
		}
		return 0
	}
	return func(a, b *child) int { return cmp.Or(awaits(a)-awaits(b), order(a, b)) }
}

// agreed returns a child w that was to make room for another, and that other, x, once x has
// come.
func (n *Node) agreed(far bool) (w, x *child) {
	for _, x := range n.children {
		if !x.pulling || x.instead == 0 {
			continue
		}
		w := n.children.find(x.instead)
		x.instead = 0
		if w != nil && w.pulling && !w.shedding() && !(far && w.near) {
			return w, x
		}
	}
	return nil, nil
}

// expireChildren drops the children that are silent, that did not pull, or that were asked
// to move and have not. If such a child should have moved below another that has slots
// left, that other is dropped instead: it got its place for slots that it does not give. One that yields
// stays likewise. All stay for whom there are slots, since others have gone.
func (n *Node) expireChildren(now time.Time) {
	for _, c := range n.children {
		switch {
		case n.children.find(c.link) != c: // it was dropped in place of one before it
		case !c.pulling && now.Sub(c.since) >= admissionTime:
			n.lapses = n.lapses.note(now, c.from)
			n.dropChild(c, ByUs(ReasonSilent))
		case now.Sub(c.heard) >= n.times.childSilence:
			n.dropChild(c, ByUs(ReasonSilent))
		case c.shedding() && !now.Before(n.shedBy(c)):
			if len(n.children) <= n.cfg.Slots && n.children.far() <= n.far { // others have gone
				c.shedAt, c.shedFor, c.yields = time.Time{}, ID{}, false
				continue
			}
			x := n.children.ofID(c.shedFor)
			if x != nil && (c.yields || int(x.report.Children) < x.slots) {
				if c.yields {
					n.yields.failed(now)
				}
				c.shedAt, c.shedFor, c.yields = time.Time{}, ID{}, false
				n.distrust(now, x.place.ID, shunTime)
				n.dropChild(x, ByUs(ReasonFull))
				continue
			}
			n.dropChild(c, ByUs(ReasonFull))
		}
	}
	for _, g := range n.guests {
		if now.Sub(g.heard) >= n.times.childSilence {
			n.dropGuest(g, ByUs(ReasonSilent))
		}
	}
}

func (n *Node) dropChild(c *child, e End) {
	n.children = n.children.without(c)
	n.changed = true
	n.do(Close{c.link, e})
}

func (n *Node) dropGuest(g *child, e End) {
	n.guests = n.guests.without(g)
	n.do(Close{g.link, e})
}

// distrust keeps a node from displacing children here for a while.
func (n *Node) distrust(now time.Time, id ID, lasts time.Duration) {
	if n.distrusts == nil {
		n.distrusts = make(map[ID]time.Time)
	}
	for d, until := range n.distrusts { // in any order: nothing is told to anyone
		if !now.Before(until) {
			delete(n.distrusts, d)
		}
	}
	if len(n.distrusts) < distrusted {
		n.distrusts[id] = now.Add(lasts)
	}
}

func (n *Node) isDistrusted(now time.Time, id ID) bool { return now.Before(n.distrusts[id]) }
