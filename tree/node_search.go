package tree

import (
	"slices"
	"time"
)

// seek asks the next place if a parent is wanted and one may be asked now.
func (n *Node) seek(now time.Time) {
	s := &n.search
	if w := n.wants(now); w != s.want {
		n.changeWant(now, w)
	}
	if s.want == wantNothing {
		return
	}
	if s.begin(now) {
		n.beginRound()
	}
	dry := false
	for s.mayAsk(now) {
		ready := n.useStandby(now, n.fits)
		dry = !ready && !n.askNext(now)
		if s.dry = dry; dry {
			break
		}
		s.hedge(now, ready)
	}
	if dry && s.attempts.open(now) == 0 { // dials that hang go on into the next round
		n.endRound(now)
	}
}

// changeWant goes over to another search.
func (n *Node) changeWant(now time.Time, w want) {
	if n.search.want == wantNearer {
		n.improve.end()
	}
	n.closeAttempts(n.search.setWant(now, w), ReasonNotNeeded)
	n.recheck(now)
}

// beginRound lets every place that is known be asked once more, and adds those that
// this search should begin with.
func (n *Node) beginRound() {
	n.book.round()
	if n.search.want == wantNearer {
		n.book.only(n.improve.targets)
		return
	}
	n.rememberPath()
	n.book.add(n.search.takeNamed(), rankReferred, 0)
}

// endRound ends a round that found nobody. Another follows only if the node has no parent,
// or has to leave the one it has.
func (n *Node) endRound(now time.Time) {
	switch n.search.want {
	case wantNearer:
		n.changeWant(now, wantNothing)
		if !n.improve.aside {
			n.improve.inVain(now)
		}
	case wantFaster:
		n.late.foundNobody(now)
		n.changeWant(now, wantNothing)
	default:
		n.search.end(now)
	}
}

// makeRoom gives up the dial that has hung for longest if there are as many attempts as
// there may be. mayAsk has said that there is one.
func (n *Node) makeRoom(now time.Time) {
	if len(n.search.attempts) < maxDials {
		return
	}
	a := n.search.attempts.hung(now)
	n.do(Close{a.link, ByUs(ReasonSilent)})
	n.attemptFailed(now, a, ReasonUnreachable)
}

// askNext dials the best place that was not asked in this round.
func (n *Node) askNext(now time.Time) bool {
	s := &n.search
	var e *bookEntry
	if s.outOfTurn() {
		e = n.book.next(now, func(e *bookEntry) bool { return e.rank == rankReferred || n.outOfReach(now, e) })
	}
	if e == nil {
		e = n.book.next(now, func(e *bookEntry) bool { return n.outOfReach(now, e) })
	}
	if e == nil {
		return false
	}
	n.makeRoom(now)
	through := n.carrier(now, e)
	if !through.IsZero() {
		n.clearWay(e.place)
	}
	e.tried = true
	s.asked++
	a := &attempt{link: n.newLink(), place: e.place, hops: int(e.hops), through: through, started: now}
	s.add(a)
	n.do(Dial{a.link, e.place, a.through})
	return true
}

// fits reports whether a standby link helps with what the node looks for.
func (n *Node) fits(b *standby) bool {
	switch n.search.want {
	case wantAny:
		return true
	case wantOther: // a node that has to make room here should not crowd another place
		if n.up.displaced && !n.up.leaving { // but no other connection can be made to one that it has met
			return b.called && !b.orphan && b.room[0] == 0 && n.book.named(b.place)
		}
		return n.up.leaving || !b.orphan
	case wantFaster:
		// Over its slots only if nobody else was found: it would be asked to move on.
		return !b.orphan && (b.room[0] == 0 || n.late.failed > 0) && n.faster(b.lag)
	}
	return false
}

// rememberPath makes the ancestors places to ask. The grandparent comes first, since the
// parent's slot there is free now, and the other ancestors follow upwards.
func (n *Node) rememberPath() {
	if up := above(n.path); len(up) > 0 {
		n.book.add(up[:1], rankGrandparent, 0)
		n.book.add(up[1:], rankPath, 0)
	}
	if len(n.path) > 0 { // the parent may come back
		n.book.add(n.path[len(n.path)-1:], rankHint, 0)
	}
}

// above returns those on a way from the root that are above its last node, the nearest first.
func above(path []Place) []Place {
	up := slices.Clone(path[:max(0, len(path)-1)])
	slices.Reverse(up)
	return up
}

// outOfReach reports whether a place must not be asked, or could only be called by a node that
// can call. Those of the invite are dialled in any case: a mark must not be able to take them away.
func (n *Node) outOfReach(now time.Time, e *bookEntry) bool {
	return n.notNow(e.place) || !e.seed && !n.mayCall(now, e)
}

// mayCall reports whether a place is dialled, or called by a node that can call.
func (n *Node) mayCall(now time.Time, e *bookEntry) bool {
	return e == nil || e.through.IsZero() || !n.carrier(now, e).IsZero()
}

// carrier is the node that can carry a call to a place now, over a link that stands or was referred
// a moment ago; zero if there is none, or if the place is dialled.
func (n *Node) carrier(now time.Time, e *bookEntry) ID {
	if e == nil || !n.cfg.Calls {
		return ID{}
	}
	by := Place{ID: e.through}
	if n.up != nil && n.up.place.same(by) || n.standbys.of(by) != nil || now.Sub(e.marked) < carriedFor {
		return e.through
	}
	return ID{}
}

// notNow reports whether a place must not be asked: the node itself, its parent,
// one that is being asked, or a child.
func (n *Node) notNow(p Place) bool {
	return p.ID == n.cfg.Self.ID && !p.ID.IsZero() || n.up != nil && n.up.place.same(p) ||
		n.search.attempts.asks(p) || n.children.ofID(p.ID) != nil || n.standbys.holds(p)
}

// attemptFailed ends an attempt that came to nothing. Whom a welcome named may be asked all the same: a newcomer
// that knows of one place alone must come to know of others, although that one forges or sends what is old.
func (n *Node) attemptFailed(now time.Time, a *attempt, r Reason) {
	if a.welcome != nil {
		n.book.add(a.welcome.Others, rankOther, 0)
		n.book.add(above(a.welcome.Path), rankPath, 0)
	}
	if !a.through.IsZero() && a.dialling() && (r == ReasonUnreachable || r == ReasonSilent) { // a call takes its time
		n.book.missed(now, a.place, a.through)
	} else {
		n.book.failed(now, a.place, r)
	}
	n.search.failed(now, a)
}

// uncalled ends a dial of a place to which no call has gone.
func (n *Node) uncalled(now time.Time, l Link) {
	switch r := n.role(l).(type) {
	case *attempt:
		n.book.uncalled(now, r.place, r.through)
		n.search.failed(now, r)
	case *standby:
		n.standbyFailed(now, r, Lost(ReasonUnreachable))
	}
}

// expireAttempts ends those that have had their time. A node that could take none of
// several welcomes starts over.
func (n *Node) expireAttempts(now time.Time) {
	for _, a := range n.search.attempts.sorted() {
		if a.due && n.search.find(a.link) == a {
			n.tryCommit(now, a)
		}
		if n.search.find(a.link) != a {
			continue // it is the parent, or another is
		}
		if r := n.search.expired(now, a, n.times.infeasible); r != ReasonNone {
			n.do(Close{a.link, ByUs(r)})
			n.attemptFailed(now, a, r)
		}
	}
	if n.search.wrongLabel() {
		n.startOver(now)
	}
}

func (n *Node) closeAttempts(as []*attempt, r Reason) {
	for _, a := range as {
		n.do(Close{a.link, ByUs(r)})
	}
}
