package tree

import (
	"slices"
	"time"
)

// lookUp begins a search for a place nearer to the root if it is time, and if there is
// one.
func (n *Node) lookUp(now time.Time) {
	if n.up == nil {
		return
	}
	unproven := n.unproven(now)
	if unproven && !n.up.unproven { // where it is counts for nothing from now on
		n.improve.hurry(now)
	}
	n.up.unproven = unproven
	if !n.improve.due(now) {
		return
	}
	within := n.shownDepth(now) - 1
	if !n.attached() || n.up.moving() || within < 1 || now.Sub(n.up.since) < improveFirst || !unproven && !n.improve.rested(now) {
		return
	}
	targets := n.nearer(now, within)
	n.improve.aside = false
	if len(targets) == 0 || n.improve.vain { // what is promised may be for others
		if ps := n.grandparent(now); len(ps) > 0 {
			targets = ps
		}
	}
	n.improve.vain = false
	if n.improve.doubts = unproven; unproven && !n.proving {
		n.proofLooks++
	}
	for _, b := range n.standbys.links { // dropStandby makes another list
		// A place cannot be asked for a slot over a link that is kept ready.
		if b.ready && slices.ContainsFunc(targets, b.addr.same) {
			n.dropStandby(b, ByUs(ReasonNotNeeded))
			n.standbys.dialAt = now.Add(standbyPace) // not before it has been asked
		}
	}
	n.improve.begin(now, targets)
}

// nearer returns places where the node could get to that depth or nearer to the root. The
// root says at what depth each class of nodes would be taken (Best). Gossip may know of
// another place.
func (n *Node) nearer(now time.Time, within int) []Place {
	var ps []Place
	for _, c := range n.gossip {
		if len(ps) < maxTargets && c.Free > 0 && c.Depth >= 0 && c.Depth+1 <= within && !n.notNow(c.Place) {
			ps = append(ps, c.Place)
		}
	}
	if n.unproven(now) { // what the parent says of the way to the root may be wrong as well
		ps = append(ps, n.book.seeds(maxTargets)...)
	}
	if b := n.bestForSelf(); b != NoRoom && int(b)+1 <= within {
		if top := n.top(); !top.same(n.up.place) && len(top.Addrs) > 0 {
			ps = append(ps, top)
		}
	}
	return ps
}

// grandparent returns the parent's parent, if it is to be asked: it may have a child that is much younger
// than the node, or a free place below one that is much older than the parent.
func (n *Node) grandparent(now time.Time) []Place {
	if len(n.path) < 2 {
		return nil
	}
	n.improve.aside = n.improve.asideDue(now, n.up.proof.age(now))
	if !n.improve.aside && (classOf(n.cfg.Slots) == 0 || now.Sub(n.cfg.Since) < elderAge) {
		return nil
	}
	return n.path[len(n.path)-2:][:1]
}

// stays reports whether a place is proved to be nearer to the root than the node is, or to be below nodes
// that can be expected to stay for much longer than those above the node.
func (n *Node) stays(now time.Time, p proof) bool {
	above := n.up.proof.age(now)
	return p.within(now, n.shownDepth(now)-1) || above > 0 && p.age(now) >= asideAges*above
}

// gotDeeper brings the next look forward, if there is a better place: the node got deeper
// because its parent did.
func (n *Node) gotDeeper(now time.Time) {
	at := now.Add(n.improve.soon())
	if b := n.bestForSelf(); int(b)+1 < n.depth() {
		n.improve.hurry(at)
	}
}

// within is the deepest place that is of use to a node that wants to get nearer to the root.
func (n *Node) within(now time.Time) int {
	if n.improve.doubts {
		return MaxPath - 1
	}
	if n.improve.aside {
		return n.shownDepth(now)
	}
	return max(1, n.shownDepth(now)-1)
}

// bestForSelf is how far from the root the tree would take a node like this one.
func (n *Node) bestForSelf() byte {
	if n.cfg.Calls {
		return n.called[classOf(n.cfg.Slots)]
	}
	return n.best[classOf(n.cfg.Slots)]
}
