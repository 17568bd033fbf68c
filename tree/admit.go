package tree

import (
	"net/netip"
	"slices"
	"time"
)

const (
	// EmergencyTime is how long a node may serve more children than it has slots.
	EmergencyTime = 10 * time.Second
	// shedTime is how long a child that was asked to move on is served: what is left
	// of EmergencyTime covers the ask.
	shedTime = 9 * time.Second
	// swapTime is the rest of it.
	swapTime = EmergencyTime - shedTime
	// maxGuests bounds standby links: each is an idle connection.
	maxGuests = 32
	// orphanGrace is how long a node without a parent lets those in that have a
	// standby link to it: it has backups itself, and needs a moment to get there.
	orphanGrace = 1 * time.Second
	// distrusted bounds the displacers remembered that did not take whom they
	// displaced.
	distrusted = 256
)

// EmergencySlots is how many children over its slots a node may serve for
// EmergencyTime: as many again, for an uplink that is planned with headroom; none
// for a node that gives nothing.
func EmergencySlots(slots int) int {
	if slots <= 0 {
		return 0
	}
	return max(2, slots)
}

// swaps is how many children over its slots a node takes to have stronger ones in
// place of weaker, while those move.
func swaps(slots int) int {
	if slots <= 0 {
		return 0
	}
	return max(1, slots/4)
}

// joined decides on a node that asks to be a child.
func (n *Node) joined(now time.Time, ev Joined) {
	if ev.Peer == n.cfg.Self.ID {
		n.do(Close{ev.Link, ReasonSelf})
		return
	}
	j := n.newChild(now, ev)
	if ev.Join.Standby {
		n.joinedStandby(now, j)
		return
	}
	if c := n.children.ofID(ev.Peer); c != nil { // it came back before its old link was seen to end
		n.dropChild(c, ReasonReplaced)
	}
	if g := n.guests.ofID(ev.Peer); g != nil {
		n.dropGuest(g, ReasonReplaced)
	}
	within := int(ev.Join.Within)
	switch {
	case !n.leaveBy.IsZero():
		n.refuse(now, j, ReasonLeaving, within)
	case n.above(ev.Peer):
		n.refuse(now, j, ReasonLoop, within)
	case !n.attached() || n.barren || len(n.path)+1 >= MaxPath:
		n.refuse(now, j, ReasonOrphan, within)
	case n.busyWith(now, j):
		n.refuse(now, j, ReasonBusy, within)
	case within > 0 && n.depth()+1 > within, !n.free(j) && n.victim(now, j) == nil && !n.rescues(j):
		n.refuse(now, j, ReasonFull, within)
	default:
		if v := n.victim(now, j); v != nil && !n.free(j) {
			j.instead = v.link
		}
		n.children = n.children.add(j)
		n.changed = true
		n.welcome(now, j, seenAt(ev))
	}
}

// joinedStandby decides on a link that is to be kept ready.
func (n *Node) joinedStandby(now time.Time, j *child) {
	if g := n.guests.ofID(j.place.ID); g != nil {
		n.dropGuest(g, ReasonReplaced)
	}
	switch {
	case !n.leaveBy.IsZero():
		n.refuse(now, j, ReasonLeaving, 0)
	case n.above(j.place.ID):
		n.refuse(now, j, ReasonLoop, 0)
	case n.children.ofID(j.place.ID) != nil:
		n.refuse(now, j, ReasonNotNeeded, 0)
	case n.guests.of(j.from) >= maxUnpulled:
		n.refuse(now, j, ReasonBusy, 0)
	case n.cfg.Slots <= 0 || len(n.guests) >= maxGuests:
		n.refuse(now, j, ReasonFull, 0)
	case n.at.Epoch == Epoch{}, len(n.path)+1 >= MaxPath:
		n.refuse(now, j, ReasonOrphan, 0)
	default:
		n.guests = n.guests.add(j)
		n.welcome(now, j, j.place.first())
	}
}

func (n *Node) welcome(now time.Time, c *child, seen netip.AddrPort) {
	n.send(c.link, Welcome{
		Label:  n.label(now),
		Lag:    n.lagTold(),
		Path:   n.ownPath(),
		Others: n.elsewhere(now, c.place),
		Seen:   seen,
	})
}

// free reports whether there is a slot for the joiner.
func (n *Node) free(j *child) bool {
	return len(n.children) < n.cfg.Slots && (j.near || n.children.far() < n.far)
}

// rescues reports whether an orphan is let in over the slots: one with others below
// it, if it carries more than the child that will have to move.
func (n *Node) rescues(j *child) bool {
	w := n.least(false, weaker)
	return j.report.Below > 0 && len(n.children) < n.cfg.Slots+EmergencySlots(n.cfg.Slots)/2 && w != nil && weaker(w, j) < 0
}

// victim is the child that would have to make room for a joiner: the youngest of
// the lowest class, if it is outranked. nil if nobody makes room.
func (n *Node) victim(now time.Time, j *child) *child {
	if len(n.children)-n.cfg.Slots >= swaps(n.cfg.Slots) || n.isDistrusted(now, j.place.ID) || !n.maySwap(now) {
		return nil
	}
	far := !j.near && n.children.far() >= n.far // a far one must go
	w := n.least(far, younger)
	if w == nil || !j.outranks(now, w) {
		return nil
	}
	return w
}

// maySwap reports whether a node that has more children than slots may still take
// stronger ones: for swapTime after the first, so that all who were asked to move are
// gone before EmergencyTime is over.
func (n *Node) maySwap(now time.Time) bool {
	return n.overAt.IsZero() || now.Sub(n.overAt) < swapTime
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

// least is the first child in that order, of those that were not asked to move yet.
func (n *Node) least(far bool, order func(a, b *child) int) *child {
	var w *child
	for _, c := range n.children {
		if !c.pulling || c.shedding() || far && c.near {
			continue
		}
		if w == nil || order(c, w) < 0 {
			w = c
		}
	}
	return w
}

func (n *Node) above(id ID) bool {
	return slices.ContainsFunc(n.path, func(p Place) bool { return p.ID == id })
}

func (n *Node) refuse(now time.Time, j *child, r Reason, within int) {
	n.send(j.link, Refer{r, n.betterFor(now, j, within)})
	n.do(Close{j.link, r})
}

// pulled starts the stream to a child. One that had a standby link becomes a child
// by it, over the slots if need be: it has lost its parent.
func (n *Node) pulled(now time.Time, l Link, m Pull) {
	if g := n.guests.find(l); g != nil {
		n.guests = n.guests.without(g)
		if r := n.turnsAway(now, g); r != ReasonNone {
			n.refuse(now, g, r, 0)
			return
		}
		if c := n.children.ofID(g.place.ID); c != nil {
			n.dropChild(c, ReasonReplaced)
		}
		g.since, g.told = now, 0
		n.children = n.children.add(g)
		n.welcome(now, g, g.place.first())
	}
	c := n.children.find(l)
	if c == nil {
		return
	}
	c.heard = now
	if c.pulling {
		return // once is enough; the cursor goes on by itself
	}
	c.pulling = true
	n.changed = true
	n.do(Serve{l, m.Have})
	n.shed(now)
}

// turnsAway says why a node with a standby link cannot have a slot now.
func (n *Node) turnsAway(now time.Time, g *child) Reason {
	switch {
	case !n.leaveBy.IsZero():
		return ReasonLeaving
	case n.above(g.place.ID):
		return ReasonLoop
	case n.barren, len(n.path)+1 >= MaxPath, !n.cfg.Root && n.up == nil && now.Sub(n.orphanAt) >= orphanGrace:
		return ReasonOrphan
	case len(n.children) >= n.cfg.Slots+EmergencySlots(n.cfg.Slots):
		return ReasonFull
	}
	return ReasonNone
}

// shed asks the weakest children to move on while there are more than slots.
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
			w = n.least(far, weaker)
		}
		if w == nil {
			return
		}
		w.shedAt = now
		ps := n.betterFor(now, w, 0)
		if x != nil && x.reachable() {
			w.shedFor = x.place.ID
			ps = slices.DeleteFunc(ps, x.place.same)
			ps = slices.Insert(ps, 0, x.place)
			ps = ps[:min(len(ps), MaxRefer)]
		}
		n.send(w.link, Bye{ReasonDisplaced, ps})
	}
}

// agreed is a child that makes room for another that has come, and that other.
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

// expireChildren ends those that are silent, that did not pull, and that were asked
// to move and have not. If it was another that should have taken such a one, the
// other goes: it got its place by slots that it does not give.
func (n *Node) expireChildren(now time.Time) {
	for _, c := range n.children {
		switch {
		case n.children.find(c.link) != c: // it went for one before it
		case !c.pulling && now.Sub(c.since) >= admissionTime:
			n.lapses = n.lapses.note(now, c.from)
			n.dropChild(c, ReasonSilent)
		case now.Sub(c.heard) >= n.times.childSilence:
			n.dropChild(c, ReasonSilent)
		case c.shedding() && now.Sub(c.shedAt) >= shedTime:
			x := n.children.ofID(c.shedFor)
			if x != nil && int(x.report.Children) < x.slots {
				c.shedAt, c.shedFor = time.Time{}, ID{}
				n.distrust(now, x.place.ID)
				n.dropChild(x, ReasonFull)
				continue
			}
			n.dropChild(c, ReasonFull)
		}
	}
	for _, g := range n.guests {
		if now.Sub(g.heard) >= n.times.childSilence {
			n.dropGuest(g, ReasonSilent)
		}
	}
}

func (n *Node) dropChild(c *child, r Reason) {
	n.children = n.children.without(c)
	n.changed = true
	n.do(Close{c.link, r})
}

func (n *Node) dropGuest(g *child, r Reason) {
	n.guests = n.guests.without(g)
	n.do(Close{g.link, r})
}

// distrust keeps a node from displacing others here for a while.
func (n *Node) distrust(now time.Time, id ID) {
	if n.distrusts == nil {
		n.distrusts = make(map[ID]time.Time)
	}
	for d, until := range n.distrusts { // in any order: nothing is told to anyone
		if !now.Before(until) {
			delete(n.distrusts, d)
		}
	}
	if len(n.distrusts) < distrusted {
		n.distrusts[id] = now.Add(shunTime)
	}
}

func (n *Node) isDistrusted(now time.Time, id ID) bool { return now.Before(n.distrusts[id]) }
