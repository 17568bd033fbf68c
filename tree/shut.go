package tree

// A node that knows that nobody dials it says so, as far as others would count on the contrary. What it
// claims is tried in any case; but that takes its time, and nobody tries the root.

// shutNow takes over whether it is. A root has room for nobody then but for those who have found it in
// its own networks, and its children pass on no address of it: whoever comes to them would be sent
// there in vain, and look for places nearer to the root where there are none.
func (n *Node) shutNow(is bool) {
	if n.shut == is {
		return
	}
	n.shut, n.changed = is, true
	if n.cfg.Root {
		n.seen = n.shown()
		n.pathDue = true
	}
}

// top is the root, or the node nearest to a root that nobody dials: whom to ask for what is known of the
// whole tree. It is the parent if nobody else above can be dialled.
func (n *Node) top() Place {
	for _, p := range n.path {
		if len(p.Addrs) > 0 {
			return p
		}
	}
	return n.up.place
}

// slotsFor is how many slots a node tells of that it asks for one. A full one would let it wait until it
// has been tried, to make room for it if it can serve; one that is near is in a network in which it can.
func (n *Node) slotsFor(near bool) int {
	if n.shut && !near {
		return 0
	}
	return n.cfg.Slots
}
