package tree

import (
	"net/netip"
	"time"
)

// suits reports whether a welcome is what the node looks for. That a place is nearer to the root has to
// be proved.
func (n *Node) suits(now time.Time, a *attempt, w *Welcome) bool {
	switch n.search.want {
	case wantNearer:
		if n.cfg.Proofs && (n.proving || n.improve.doubts) && !a.proof.within(now, n.within(now)) {
			if n.proving {
				n.book.mistrust(a.place, now.Add(distrustTime))
			}
			return false
		}
		if n.improve.aside && !n.stays(now, a.proof) {
			return false
		}
		return int(w.Label.H)+1 <= n.within(now) && lagOf(w.Lag) <= n.lag+lagGain
	case wantFaster:
		return n.faster(lagOf(w.Lag)) || n.caughtUp(lagOf(w.Lag))
	}
	return true
}

// caughtUp reports whether a place with that lag is as good as one that serves the node already, while that
// one is not its parent: the node is not late any more then, and the parent that was too slow still is one.
func (n *Node) caughtUp(lag time.Duration) bool {
	return n.search.attempts.bring() && lag <= n.lag+lagGain
}

func (n *Node) welcomed(now time.Time, l Link, w Welcome) {
	switch r := n.role(l).(type) {
	case *standby:
		if !r.ready {
			n.standbyWelcomed(now, r, w)
		}
	case *attempt:
		if r.welcome == nil {
			n.attemptWelcomed(now, r, w)
		}
	}
}

// attemptWelcomed takes a welcome, if it is what the node looks for. It may have to be
// held until its label is new enough.
func (n *Node) attemptWelcomed(now time.Time, a *attempt, w Welcome) {
	if !n.suits(now, a, &w) {
		n.do(Close{a.link, ByUs(ReasonNotNeeded)})
		n.attemptFailed(now, a, ReasonNotNeeded)
		if n.search.want == wantNearer && n.improve.aside {
			n.changeWant(now, wantNothing) // the others that were named are younger still
		}
		return
	}
	a.welcome, a.since = &w, now
	n.tryCommit(now, a)
	if a.due {
		n.search.awaitChunk(now)
	}
	if n.search.find(a.link) == a && n.search.want == wantAny && !a.pulled && w.Label.Epoch != (Epoch{}) {
		// The stream need not wait until the label is new enough.
		n.feed(a)
	}
}

// feed asks a place for the stream, once.
func (n *Node) feed(a *attempt) {
	if !a.pulled {
		a.pulled = true
		n.do(Feed{a.link})
	}
}

// mustDeliver reports whether a place has to show that it delivers before the node moves
// there. It has if the node is served where it is. So it has if the node is a newcomer that
// knows of something to deliver, for as long as there are others to ask, and for a while when
// there are none. Any other node has nothing to lose.
func (n *Node) mustDeliver(now time.Time, a *attempt) bool {
	if n.up == nil {
		return n.barren && (!n.search.dry || now.Sub(a.since) < n.times.infeasible)
	}
	return n.attached() && (n.flows || n.undelivered(now))
}

// undelivered reports whether the parent, to which the node came in need and without a
// proof, should have delivered by now.
func (n *Node) undelivered(now time.Time) bool {
	return n.up != nil && !n.up.brought && now.Sub(n.up.since) >= deliverAfter && now.Sub(n.flowed) < flowedFor
}

// recheck moves the node to a place that did not have to deliver after all.
func (n *Node) recheck(now time.Time) {
	for _, a := range n.search.attempts.sorted() {
		if n.search.find(a.link) == a && a.due {
			n.tryCommit(now, a)
		}
	}
}

// delivered goes on with a place that was to show that it delivers.
func (n *Node) delivered(now time.Time, l Link) {
	if n.isParent(l) {
		n.up.brought = true
	}
	if a := n.search.find(l); a != nil {
		a.brought = true
		if a.welcome != nil {
			n.tryCommit(now, a)
		}
	}
}

// tryCommit moves the node below the attempt's place, if that cannot make a loop, and once
// the place delivers.
func (n *Node) tryCommit(now time.Time, a *attempt) {
	w, unproved := a.welcome, !a.brought && n.mustDeliver(now, a)
	if a.due = a.due && unproved; a.due {
		return
	}
	if !n.at.Feasible(w.Label) || len(w.Path) >= MaxPath {
		return
	}
	for _, p := range w.Path {
		if p.ID == n.cfg.Self.ID {
			n.do(Close{a.link, ByUs(ReasonLoop)})
			n.attemptFailed(now, a, ReasonLoop)
			return
		}
	}
	if unproved {
		a.due = true
		n.feed(a)
		return
	}
	old, want, why := n.up, n.search.want, n.whyAnother(now)
	if n.undelivered(now) {
		n.book.avoid(old.place, now.Add(distrustTime))
	}
	switch {
	case old != nil && old.lies(now):
		n.book.avoid(old.place, now.Add(shunTime))
	case old != nil && want == wantNearer && n.improve.doubts:
		n.book.avoid(old.place, now.Add(distrustTime))
	}
	n.search.remove(a)
	n.up = &uplink{
		link: a.link, place: a.addr, near: a.near, called: a.called, brought: a.brought, proof: a.proof, heard: now, fresh: now, since: now,
		lag: lagOf(w.Lag), room: noRoom, roomCalls: noRoom,
	}
	if w.Label.Epoch != n.at.Epoch {
		n.clock.known = false
	}
	n.at = n.at.Adopt(n.believed(now, w.Label))
	n.clock.at = time.Time{} // samples from the old parent outrank none of the new one's
	n.seenAt = w.Seen
	n.seen = n.shown()
	if !n.setPath(w.Path) {
		n.setPath([]Place{a.addr})
	}
	n.book.add(w.Others, rankOther, 0)
	n.feed(a)
	if old != nil {
		n.send(old.link, Bye{Reason: ReasonMoved})
		n.do(Close{old.link, ByUs(ReasonMoved)})
	}
	n.closeAttempts(n.search.found(), ReasonNotNeeded)
	n.moved(now, want, old)
	n.reportAt = now
	n.reported = Report{}
	n.lostFor = End{}
	n.do(Attached{n.up.link, n.up.place, n.depth(), why})
}

// whyAnother says why the node does not stay with the parent that it has or had.
func (n *Node) whyAnother(now time.Time) End {
	switch u := n.up; {
	case u == nil:
		return n.lostFor
	case u.displaced:
		return ByThem(ReasonDisplaced)
	case u.leaving:
		return ByThem(ReasonLeaving)
	case n.search.want == wantNearer && n.improve.doubts:
		return ByUs(ReasonLied)
	case n.search.want == wantNearer:
		return ByUs(ReasonMoved)
	case n.search.want == wantFaster:
		return ByUs(ReasonSlow)
	case n.search.want == wantOther && u.lies(now):
		return ByUs(ReasonLied)
	case n.search.want == wantOther && u.orphan:
		return ByUs(ReasonOrphan)
	}
	return ByUs(ReasonSilent)
}

// moved decides when the next moves may come, after one that was made for w.
func (n *Node) moved(now time.Time, w want, old *uplink) {
	n.late.settled()
	if old == nil { // the old parent may be lost in this very call, while w is a better one
		w = wantAny
	}
	n.improve.moved(now, w)
	if w == wantFaster {
		n.book.avoid(old.place, now.Add(distrustTime))
		n.late.moved(now)
	}
	for _, b := range n.standbys.moved(now, n.up.place) {
		n.dropStandby(b, ByUs(ReasonNotNeeded))
	}
}

// startOver makes the node a newcomer without a label, which may join anywhere. It keeps
// no children, because they could be above its next parent.
func (n *Node) startOver(now time.Time) {
	if n.up != nil {
		parent := n.up.place
		n.do(Close{n.up.link, ByUs(ReasonSilent)})
		n.parentLost(now, ByUs(ReasonSilent))
		n.book.avoid(parent, now.Add(distrustTime))
	}
	for _, c := range n.children {
		n.send(c.link, Bye{Reason: ReasonOrphan, Places: n.elsewhere(now, c.place)})
		n.do(Close{c.link, ByUs(ReasonOrphan)})
	}
	for _, g := range n.guests {
		n.do(Close{g.link, ByUs(ReasonOrphan)})
	}
	n.children, n.guests = nil, nil
	n.at, n.path, n.seenAt = Standing{}, nil, netip.AddrPort{}
	n.seen = n.shown()
	n.clock.known = false
	n.search.startOver(now)
}
