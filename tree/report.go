package tree

import "time"

// maxBelow bounds how many nodes a child may claim to have below it. That is more than any
// channel has, and few enough for sums not to overflow.
const maxBelow = 1 << 24

// room says where joiners of each class would be taken, at and below this node: those that dial,
// or those that can call too.
func (n *Node) room(now time.Time, calls bool) Room {
	r := n.roomHere(now, calls)
	for _, c := range n.children {
		if n.roomBelow(now, c, calls) {
			r = r.or(c.report.room(calls).below())
		}
	}
	return r
}

// roomHere is the part of it that is at this node.
func (n *Node) roomHere(now time.Time, calls bool) Room {
	r := noRoom
	if !n.leaveBy.IsZero() || n.cfg.Root && n.shut {
		return r
	}
	if n.attached() && !n.barren && len(n.path)+1 < MaxPath {
		switch over := len(n.children) - n.cfg.Slots; {
		case n.freeSlots() > 0:
			return Room{}
		case over < swaps(n.cfg.Slots) && n.maySwap(now):
			if n.spurner(now, false) != nil {
				return Room{}
			}
			if w := n.least(false, younger); w != nil {
				for class := w.class() + 1; class < Classes; class++ {
					r[class] = 0
				}
			}
		}
	}
	if !calls && n.attached() && !n.barren && n.mayYield(now) != nil {
		return Room{}
	}
	return r
}

// roomBelow reports whether what a child has told of its room counts. At a node that leaves it does
// not.
func (n *Node) roomBelow(now time.Time, c *child, calls bool) bool {
	return n.leaveBy.IsZero() && c.reported && c.pulling && c.leads(calls) && !c.shedding() && !c.claim.doubted(now)
}

// freeSlots counts the free slots for nodes like this one. Those that are near its parent
// are near this node too.
func (n *Node) freeSlots() int {
	free := n.cfg.Slots - len(n.children)
	if n.up != nil && !n.up.near {
		free = min(free, n.far-n.children.far())
	}
	return max(0, free)
}

// report tells the parent what is free at and below this node, when a report is due or
// something has changed.
func (n *Node) report(now time.Time) {
	if n.up == nil || now.Before(n.reportAt) {
		return
	}
	due := n.reported.Sent == 0 || now.Sub(n.origin)-micros(n.reported.Sent) >= n.times.report
	if !due && !n.changed {
		return
	}
	n.changed = false
	r := n.ownReport(now)
	last := n.reported
	if !due && last.Room == r.Room && last.Called == r.Called && last.Callable == r.Callable && last.Free == r.Free && last.Slots == r.Slots &&
		SameOpenings(last.Openings, r.Openings) {
		return
	}
	n.reported = r
	n.reportAt = now.Add(reportSpacing)
	n.send(n.up.link, r)
}

// ownReport is the report on this node as it is now.
func (n *Node) ownReport(now time.Time) Report {
	r := Report{
		Sent:     uint64(max(1, now.Sub(n.origin).Microseconds())),
		Slots:    uint16(min(n.cfg.Slots, 1<<16-1)),
		Children: uint16(min(len(n.children), 1<<16-1)),
		Room:     n.room(now, false),
		Called:   CalledRoom{true, n.room(now, true)},
		Callable: n.cfg.Calls,
		Lost:     n.lost,
	}
	if n.leaveBy.IsZero() && !n.barren {
		r.Free = uint16(min(n.freeSlots(), 1<<16-1))
	}
	r.Below = n.below()
	r.Openings = openingsOf(n.openings(now))
	return r
}

// below counts all descendants.
func (n *Node) below() uint32 {
	b := uint32(0)
	for _, c := range n.children {
		b += 1 + min(c.report.Below, maxBelow)
	}
	return b
}

func (n *Node) childReport(now time.Time, l Link, m Report) {
	switch r := n.role(l).(type) {
	case guest:
		r.heard, r.report, r.reported = now, m, true
	case *child:
		if m.Children > r.report.Children || m.Free != r.report.Free {
			r.claim.held()
		}
		if m.Below > r.report.Below || !SameOpenings(m.Openings, r.report.Openings) {
			r.below.held()
		}
		r.slots = int(m.Slots)
		r.heard, r.report, r.reported, r.told = now, m, true, 0
		n.changed = true
	}
}

// beatChildren sends every child a heartbeat, and the guests too when theirs are due.
func (n *Node) beatChildren(now time.Time) {
	guests := len(n.guests) > 0 && !now.Before(n.guestsAt)
	if len(n.children) == 0 && !guests {
		return
	}
	room, called := n.room(now, false), n.calledRooms(now)
	if n.cfg.Root {
		n.best, n.called = room, called.all()
	}
	hb := Heartbeat{
		Label: n.label(now), Orphan: !n.attached(), Lag: n.lagTold(), Best: n.best, Room: room,
		BestCalled: CalledRoom{true, n.called},
	}
	if t, ok := n.RootClock(now); ok {
		hb.Clock = uint64(max(1, t.Microseconds()))
	}
	for _, c := range n.children {
		hb.Called = CalledRoom{true, called.without(c)}
		n.send(c.link, echo(now, hb, c))
	}
	if guests {
		n.guestsAt = now.Add(n.times.standby)
		hb.Called = CalledRoom{true, called.all()}
		for _, g := range n.guests {
			n.send(g.link, echo(now, hb, g))
		}
	}
}

func echo(now time.Time, hb Heartbeat, c *child) Heartbeat {
	if c.reported {
		hb.Echo, hb.Held = c.report.Sent, uint64(now.Sub(c.heard).Microseconds())
	}
	return hb
}

// tellPath tells the children of a new way to the root. Those that have not pulled yet are
// told too, since their welcome may hold the old one.
func (n *Node) tellPath() {
	if !n.pathDue {
		return
	}
	n.pathDue = false
	for _, c := range n.children {
		n.send(c.link, Path{n.ownPath()})
	}
}

// lagOf turns a lag into a duration. On links it is in ms.
func lagOf(ms uint32) time.Duration { return time.Duration(ms) * time.Millisecond }

// lagTold is how late the node says it is, in ms. A node that has no chunk says that it is
// as late as can be, for nobody would gain by it.
func (n *Node) lagTold() uint32 {
	if n.barren {
		return 1<<32 - 1
	}
	return uint32(min(max(0, n.lag.Milliseconds()), 1<<32-1))
}
