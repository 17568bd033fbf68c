package tree

import (
	"net/netip"
	"time"
)

// readdressed takes over where the node listens from now on. What failed before says
// nothing of the network that the machine is in now.
func (n *Node) readdressed(now time.Time, ev Readdressed) {
	n.cfg.Self.Addrs = ev.Addrs[:min(len(ev.Addrs), MaxAddrs)]
	if a := n.seenAt.Addr(); a.IsValid() && len(n.cfg.Self.Addrs) > 0 {
		n.seenAt = netip.AddrPortFrom(a, portAt(a, n.cfg.Self.Addrs))
	}
	n.seen = n.shown()
	n.pathDue = true
	if ev.Stayed {
		return
	}
	n.book.forgive(now)
	if n.search.want == wantNothing {
		return
	}
	// A dial that is under way began in the old network, and would keep its place from being
	// asked until it has failed.
	for _, a := range n.search.attempts.sorted() {
		if a.dialling() {
			n.do(Close{a.link, ByUs(ReasonNotNeeded)})
			n.search.remove(a)
		}
	}
	n.search.restart(now)
}

// offered makes a node the next to ask, if this one has no parent that is well, and else one to ask
// some day. If it is the silent parent itself that comes, its old link is dead. A node that broke
// the rules is still left alone.
func (n *Node) offered(now time.Time, id ID) {
	p := Place{ID: id}
	if n.cfg.Root || !n.leaveBy.IsZero() {
		return
	}
	if n.attached() {
		n.book.offered(now, p, rankHint)
		return
	}
	if n.up != nil && n.up.place.same(p) {
		n.do(Close{n.up.link, ByUs(ReasonSilent)})
		n.parentLost(now, ByUs(ReasonSilent))
	}
	n.book.offered(now, p, rankReferred)
	for _, a := range n.search.attempts.sorted() { // to an address where it is no longer
		if a.dialling() && a.place.same(p) {
			n.do(Close{a.link, ByUs(ReasonNotNeeded)})
			n.search.remove(a)
		}
	}
	n.search.restart(now)
}

// shown is this node as others are to know it: with the address that its parent sees in
// front, unless it does not listen. A root that nobody dials has none.
func (n *Node) shown() Place {
	if len(n.cfg.Self.Addrs) == 0 {
		return n.cfg.Self
	}
	if n.cfg.Root && n.shut {
		return Place{ID: n.cfg.Self.ID}
	}
	return n.cfg.Self.withAddr(n.seenAt)
}
