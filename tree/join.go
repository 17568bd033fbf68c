package tree

import (
	"slices"
	"time"
)

// dialled goes on with a link whose connection stands.
func (n *Node) dialled(now time.Time, ev Up) {
	switch r := n.role(ev.Link).(type) {
	case *standby:
		n.standbyUp(now, r, ev)
	case *attempt:
		n.attemptUp(now, r, ev)
	default:
		n.do(Close{ev.Link, ByUs(ReasonNotNeeded)})
	}
}

// attemptUp asks for a slot at the place that was reached, unless the node there can be
// no parent.
func (n *Node) attemptUp(now time.Time, a *attempt, ev Up) {
	drop := ReasonNone
	switch {
	case ev.Peer == n.cfg.Self.ID:
		n.book.forget(a.place)
		drop = ReasonSelf
	case n.up != nil && n.up.place.ID == ev.Peer, n.children.ofID(ev.Peer) != nil:
		drop = ReasonNotNeeded
	}
	if n.search.attempts.reached(ev.Peer, a) { // the same node behind two addresses
		drop = ReasonNotNeeded
	}
	if drop != ReasonNone {
		n.do(Close{a.link, ByUs(drop)})
		n.search.remove(a)
		return
	}
	a.addr, a.near = Place{ev.Peer, a.place.Addrs}.withAddr(ev.Addr), ev.Near
	a.called = ev.Called
	within := 0
	if n.search.want == wantNearer {
		within = n.within(now)
	}
	j := n.join(now, within, ev.Near)
	if n.search.want == wantNearer && n.improve.aside && a.hops > 0 {
		j.Slots = 0 // nobody has to make room for a node that gets no nearer
	}
	if n.search.want == wantAny {
		j.Below = n.below()
		n.search.kept = n.search.kept || n.search.attempts.kept(now)
		if n.search.kept || n.search.fruitless == 0 && n.search.attempts.claim() {
			j.Slots = 0 // a free place is better now than one that it has to be tried for
		}
	}
	a.claims = j.Slots > 0
	a.asked = now
	n.send(a.link, j)
}

// join is how the node introduces itself.
func (n *Node) join(now time.Time, within int, near bool) Join {
	return Join{
		Addrs: n.cfg.Self.Addrs, Slots: uint16(min(n.slotsFor(near), 1<<16-1)),
		Age: uint32(now.Sub(n.cfg.Since) / time.Second), Within: uint8(min(within, MaxPath)), NoCalls: !n.cfg.Calls || n.calledInVain(now),
	}
}

func (n *Node) referred(now time.Time, l Link, m Refer) {
	switch r := n.role(l).(type) {
	case *standby:
		n.standbyFailed(now, r, ByThem(m.Reason))
	case *attempt:
		n.attemptReferred(now, r, m)
	}
}

// attemptReferred takes over the places that were named instead of a slot.
func (n *Node) attemptReferred(now time.Time, a *attempt, m Refer) {
	if slices.ContainsFunc(m.Places, func(p Place) bool { return p.ID == a.addr.ID }) { // a node that refers to itself breaks the protocol
		n.do(Close{a.link, ByUs(ReasonProtocol)})
		n.attemptFailed(now, a, ReasonProtocol)
		return
	}
	n.search.kept = n.search.kept || a.kept(now)
	ps := n.search.follow(a, m.Places)
	n.book.add(ps, rankReferred, a.hops+1)
	n.book.namedBy(ps, a.addr.ID)
	n.book.mark(now, ps, m.Called, a.addr.ID)
	n.do(Close{a.link, ByThem(m.Reason)})
	n.attemptFailed(now, a, m.Reason)
}
