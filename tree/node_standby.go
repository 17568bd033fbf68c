package tree

import (
	"slices"
	"time"
)

// keepStandbys dials what is missing, one at a time, and drops what is of no use.
func (n *Node) keepStandbys(now time.Time) {
	s := &n.standbys
	for _, b := range s.links {
		switch {
		case b.silent(now, n.times.childSilence):
			n.dropStandby(b, ByUs(ReasonSilent))
			n.book.noStandby(b.place, now.Add(standbyAvoid))
		case b.reportDue(now, n.times.standby):
			b.told = now
			n.send(b.link, n.ownReport(now))
		}
	}
	if n.up == nil || n.up.suspect || n.up.moving() || !n.leaveBy.IsZero() || now.Before(s.dialAt) {
		return
	}
	n.tryDisjoint(now)
	usable := func(p Place) bool {
		if g := n.guests.ofID(p.ID); g != nil && g.met && !n.book.through(p).IsZero() {
			return false // the two have but one connection
		}
		return !n.notNow(p) && n.book.mayStandby(now, p) && n.mayCall(now, n.book.find(p))
	}
	c, ok := s.next(n.gossip, n.depth(), usable, n.above)
	if !ok {
		s.dialAt = now.Add(n.times.heartbeat)
		return
	}
	if c.instead != nil {
		n.dropStandby(c.instead, ByUs(ReasonNotNeeded))
	}
	l := n.newLink()
	s.dial(now, l, c)
	n.do(Dial{l, c.place, n.carrier(now, n.book.find(c.place))})
}

// tryDisjoint gives up a place of the node's own choice whose way to the root is partly
// the node's own, so that another can be tried.
func (n *Node) tryDisjoint(now time.Time) {
	if len(n.gossip) == 0 {
		return
	}
	if b := n.standbys.sharing(now, n.shares); b != nil {
		n.book.noStandby(b.place, now.Add(disjointAvoid))
		n.dropStandby(b, ByUs(ReasonNotNeeded))
	}
}

// shares reports whether a way from the root has a node in common with this node's
// own, the root apart, and whoever takes the stream from a root that nobody can dial.
func (n *Node) shares(path []Place) bool {
	first := 1
	if len(path) > 0 && len(path[0].Addrs) == 0 {
		first = 2
	}
	for i, p := range path {
		if i >= first && n.above(p.ID) {
			return true
		}
	}
	return false
}

func (n *Node) dropStandby(b *standby, e End) {
	n.standbys.remove(b)
	n.do(Close{b.link, e})
}

func (n *Node) dropStandbys(r Reason) {
	for _, b := range n.standbys.links {
		n.do(Close{b.link, ByUs(r)})
	}
	n.standbys.links = nil
}

// backupsTold takes the parent's choice over.
func (n *Node) backupsTold(now time.Time, l Link, m Backups) {
	if !n.isParent(l) {
		return
	}
	ps := m.Places[:min(len(m.Places), MaxBackups)]
	n.standbys.assign(ps)
	n.book.add(ps, rankOther, 0)
	n.book.mark(now, ps, m.Called, n.up.place.ID)
	n.assignAt = time.Time{}
}

// standbyUp asks for a standby link at the place that was reached, unless the node there can
// be no parent.
func (n *Node) standbyUp(now time.Time, b *standby, ev Up) {
	if ev.Peer == n.cfg.Self.ID || n.up != nil && n.up.place.ID == ev.Peer || n.children.ofID(ev.Peer) != nil {
		n.dropStandby(b, ByUs(ReasonNotNeeded))
		n.book.noStandby(b.place, now.Add(standbyAvoid))
		return
	}
	b.addr, b.near = Place{ev.Peer, b.place.Addrs}.withAddr(ev.Addr), ev.Near
	b.called = ev.Called
	j := n.join(now, 0, ev.Near)
	j.Standby = true
	n.send(b.link, j)
}

// standbyWelcomed makes a link ready, unless the place is below the node, or is the node's
// own choice and below its parent.
func (n *Node) standbyWelcomed(now time.Time, b *standby, w Welcome) {
	if slices.ContainsFunc(w.Path, func(p Place) bool { return p.ID == n.cfg.Self.ID }) {
		n.dropStandby(b, ByUs(ReasonLoop))
		n.book.noStandby(b.place, now.Add(standbyAvoid))
		return
	}
	if b.chosen && n.up != nil && slices.ContainsFunc(w.Path, n.up.place.same) { // it falls when the parent falls
		n.dropStandby(b, ByUs(ReasonNotNeeded))
		n.book.noStandby(b.place, now.Add(disjointAvoid))
		return
	}
	b.welcomed(now, w)
}

// standbyFailed forgets a link that has ended.
func (n *Node) standbyFailed(now time.Time, b *standby, e End) {
	avoid := standbyAvoid
	if b.chosen && e.Reason == ReasonUnreachable { // gossip tells of many others
		avoid = distrustTime
	}
	n.book.noStandby(b.place, now.Add(avoid))
	if e.Reason == ReasonForged || e.Reason == ReasonProtocol {
		n.book.failed(now, b.place, e.Reason)
	}
	n.dropStandby(b, e)
}

// useStandby turns the first link that fits into an attempt: it is pulled at once,
// without asking first.
func (n *Node) useStandby(now time.Time, fits func(*standby) bool) bool {
	b := n.standbys.fitting(fits)
	if b == nil {
		return false
	}
	n.makeRoom(now)
	n.standbys.remove(b)
	if e := n.book.find(b.place); e != nil {
		e.tried = true
	}
	n.search.add(b.attempt(now))
	n.do(Feed{b.link})
	return true
}
