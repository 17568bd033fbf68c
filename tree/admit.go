package tree

import (
	"net/netip"
	"slices"
	"time"
)

const (
	// EmergencyTime is how long a node may serve more children than it has slots.
	EmergencyTime = 10 * time.Second
	// shedTime is how long a child is served after it was asked to move on, if EmergencyTime is
	// not over before; shedLeast is how long it is in any case.
	shedTime  = 9 * time.Second
	shedLeast = 2 * time.Second
	// swapTime is the rest of EmergencyTime: the time in which children may be asked.
	swapTime = EmergencyTime - shedTime
	// maxGuests bounds standby links: each is an idle connection.
	maxGuests = 32
	// orphanGrace is how long a node without a parent still lets nodes in that have a
	// standby link to it: it has backups itself, and needs a moment to turn to them.
	orphanGrace = 1 * time.Second
	// distrusted bounds the joiners remembered that displaced a child and did not take
	// it in.
	distrusted = 256
)

// EmergencySlots is how many children over its slots a node may serve for
// EmergencyTime: as many again, and at least two, since slots are counted with headroom in
// the uplink, but none for a node that gives nothing.
func EmergencySlots(slots int) int {
	if slots <= 0 {
		return 0
	}
	return max(2, slots)
}

// joined decides on a node that asks to be a child.
func (n *Node) joined(now time.Time, ev Joined) {
	if ev.Peer == n.cfg.Self.ID {
		n.do(Close{ev.Link, ByUs(ReasonSelf)})
		return
	}
	j := n.newChild(now, ev)
	if ev.Join.Standby {
		n.joinedStandby(now, j)
		return
	}
	if c := n.children.ofID(ev.Peer); c != nil { // it came back before its old link was seen to end
		n.dropChild(c, ByUs(ReasonReplaced))
	}
	if g := n.guests.ofID(ev.Peer); g != nil {
		n.dropGuest(g, ByUs(ReasonReplaced))
	}
	n.dropHeld(ev.Peer)
	n.cameBack(now, j)
	n.decide(now, j, ev)
}

// decide gives a joiner a slot, or names other places to it. If it would take another's place,
// it may have to wait until it has been tried.
func (n *Node) decide(now time.Time, j *child, ev Joined) {
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
	case within == 0 && !n.free(j) && !n.rescues(now, j) && n.yielding(now, j) != nil:
		j.instead, j.yielded = n.yielding(now, j).link, true
		n.admit(now, j, ev)
	case within > 0 && n.depth()+1 > within, !n.free(j) && n.victim(now, j) == nil && !n.rescues(now, j):
		n.refuse(now, j, ReasonFull, within)
	case !n.free(j) && !n.rescues(now, j) && n.mayTry(j) && j.trial.reach != Open:
		if !n.hold(now, j, ev) { // nobody makes room for whom nobody gets through to
			n.refuse(now, j, ReasonFull, within)
		}
	default:
		if v := n.victim(now, j); v != nil && !n.free(j) {
			j.instead = v.link
			if now.Before(v.claim.spurned) {
				n.distrust(now, v.place.ID, claimDoubt) // else it would be back at once
			}
		}
		n.admit(now, j, ev)
	}
}

func (n *Node) admit(now time.Time, j *child, ev Joined) {
	n.children = n.children.add(j)
	n.changed = true
	n.welcome(now, j, seenAt(ev))
}

// joinedStandby decides on a link that is to be kept ready.
func (n *Node) joinedStandby(now time.Time, j *child) {
	if g := n.guests.ofID(j.place.ID); g != nil {
		n.dropGuest(g, ByUs(ReasonReplaced))
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

// rescues reports whether an orphan is let in over the slots. It is if it has nodes below
// it and carries more than the child that will have to move.
func (n *Node) rescues(now time.Time, j *child) bool {
	w := n.least(false, weaker)
	return j.report.Below > 0 && n.mayExceed(now) && len(n.children) < n.cfg.Slots+EmergencySlots(n.cfg.Slots)/2 && w != nil && weaker(w, j) < 0
}

// victim is the child that would have to make room for a joiner: the youngest of
// the lowest class, if the joiner outranks it, or one to which it was sent in vain. It is nil if nobody makes room.
func (n *Node) victim(now time.Time, j *child) *child {
	if len(n.children)-n.cfg.Slots >= swaps(n.cfg.Slots) || n.isDistrusted(now, j.place.ID) || !n.maySwap(now) {
		return nil
	}
	far := !j.near && n.children.far() >= n.far // a far one must go
	if w := n.spurner(now, far); w != nil {
		return w
	}
	w := n.least(far, younger)
	if w == nil || !j.outranks(now, w) {
		return nil
	}
	return w
}

// least is the first child in that order among those that were not asked to move yet. One to which
// another yields comes last: it has to go if the other stays, and somebody else would have to be asked
// in its place then, too late.
func (n *Node) least(far bool, order func(a, b *child) int) *child {
	var w, last *child
	for _, c := range n.children {
		switch {
		case !c.pulling || c.shedding() || far && c.near:
		case n.children.yieldsTo(c):
			if last == nil || order(c, last) < 0 {
				last = c
			}
		case w == nil || order(c, w) < 0:
			w = c
		}
	}
	if w == nil {
		return last
	}
	return w
}

func (n *Node) above(id ID) bool {
	return slices.ContainsFunc(n.path, func(p Place) bool { return p.ID == id })
}

func (n *Node) refuse(now time.Time, j *child, r Reason, within int) {
	l := n.betterFor(now, j, within)
	n.send(j.link, Refer{r, l.places, l.called})
	n.do(Close{j.link, ByUs(r)})
}

// pulled starts the stream to a child. A guest becomes one first.
func (n *Node) pulled(now time.Time, l Link, m Pull) {
	switch r := n.role(l).(type) {
	case guest:
		if n.adopt(now, r.child) {
			n.serve(now, r.child, m)
		}
	case *child:
		n.serve(now, r, m)
	}
}

// adopt makes a guest a child, over the slots if need be: it has lost its parent.
func (n *Node) adopt(now time.Time, g *child) bool {
	n.guests = n.guests.without(g)
	if r := n.turnsAway(now, g); r != ReasonNone {
		n.refuse(now, g, r, 0)
		return false
	}
	if c := n.children.ofID(g.place.ID); c != nil {
		n.dropChild(c, ByUs(ReasonReplaced))
	}
	g.since, g.told = now, 0
	n.children = n.children.add(g)
	n.welcome(now, g, g.place.first())
	return true
}

func (n *Node) serve(now time.Time, c *child, m Pull) {
	c.heard = now
	if c.pulling {
		return // a second pull changes nothing
	}
	c.pulling = true
	n.changed = true
	n.do(Serve{c.link, m.Have})
	if n.mayTry(c) && c.trial.due(now) {
		n.try(now, c) // before somebody is sent there
	}
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
	case len(n.children) >= n.cfg.Slots && !n.mayExceed(now), len(n.children) >= n.cfg.Slots+EmergencySlots(n.cfg.Slots):
		return ReasonFull
	}
	return ReasonNone
}
