package tree

import "time"

// readdressed takes over where the node listens from now on. What failed before says
// nothing of the network that the machine is in now.
func (n *Node) readdressed(now time.Time, ev Readdressed) {
	n.cfg.Self.Addrs = ev.Addrs[:min(len(ev.Addrs), MaxAddrs)]
	n.seen = n.shown()
	n.pathDue = true
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

// shown is this node as others are to know it: with the address that its parent sees in
// front, unless it does not listen.
func (n *Node) shown() Place {
	if len(n.cfg.Self.Addrs) == 0 {
		return n.cfg.Self
	}
	return n.cfg.Self.withAddr(n.seenAt)
}
