package tree

import "time"

const (
	// ProofLife is for how long a proof of a node's depth holds.
	ProofLife = 30 * time.Second
	// proofTime is how long a new parent has for its first proof. It may be a newcomer that does not
	// know the root's clock yet; the next comes a sixth of ProofLife later.
	proofTime = 10 * time.Second
	// lieTime is how long a parent may say that it is nearer to the root than it can prove: its way to
	// the root may just have changed, and one more proof has to come.
	lieTime = 8 * time.Second
	// maxProofLooks is how often a node looks for somebody who can prove something, before there was one.
	maxProofLooks = 3
)

// proof is what signatures show of how far the node is from the root below another, in links.
type proof struct {
	depth int // 0 for nothing
	at    time.Time
	until time.Time
	since time.Time // the youngest on the way to that place has been in the tree; zero if that is not proved
}

func (p proof) holds(now time.Time) bool { return p.depth > 0 && now.Before(p.until) }

// within reports whether it proves that depth, or a lesser one.
func (p proof) within(now time.Time, depth int) bool { return p.holds(now) && p.depth <= depth }

// age is that of the youngest on the way, 0 if that is not proved.
func (p proof) age(now time.Time) time.Duration {
	if p.since.IsZero() || !p.holds(now) {
		return 0
	}
	return now.Sub(p.since)
}

// proven takes note of a proof that came over a link.
func (n *Node) proven(now time.Time, ev Proven) {
	p := proof{depth: ev.Depth, at: now, until: now.Add(min(ev.For, ProofLife))}
	if ev.Age > 0 {
		p.since = now.Add(-ev.Age)
	}
	n.proving = true
	switch r := n.role(ev.Link).(type) {
	case *attempt:
		r.proof = p
	case *uplink:
		r.proof = p
	}
}

// believed is a parent's label as far as it is proved. To stand further from the root than one might
// cannot make a loop, and the node's own children see the truth.
func (n *Node) believed(now time.Time, l Label) Label {
	if n.up.proof.holds(now) {
		l.H = max(l.H, uint16(n.up.proof.depth-1))
	}
	return l
}

// shownDepth is how deep the node is as far as that is proved: as deep as can be if nothing is.
func (n *Node) shownDepth(now time.Time) int {
	if n.unproven(now) {
		return MaxPath
	}
	return n.depth()
}

// unproven reports whether the parent should have proved by now where it is. It could not if the root is
// of an older version: then all whom the node asks prove nothing either, and it asks no more.
func (n *Node) unproven(now time.Time) bool {
	return n.cfg.Proofs && (n.proving || n.proofLooks < maxProofLooks) && n.up != nil && !n.up.proof.holds(now) && now.Sub(n.up.since) >= proofTime
}

// watchClaim notes since when the parent says that it is nearer to the root than it proves.
func (n *Node) watchClaim(now time.Time, l Label) {
	u := n.up
	since(&u.liesSince, now, u.proof.holds(now) && int(l.H)+1 < u.proof.depth)
}

// lies reports whether a parent has said for long that it is nearer to the root than it can prove, and has
// proved the same once more meanwhile.
func (u *uplink) lies(now time.Time) bool {
	return lasted(u.liesSince, now, lieTime) && u.proof.at.After(u.liesSince)
}
