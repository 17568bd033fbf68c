package tree

import (
	"slices"
	"time"
)

const (
	// maxReferrals bounds the joiners remembered that were sent to a child.
	maxReferrals = 64
	// backWithin is how soon a joiner that nobody took comes back: a round of a search, and the pause
	// after it.
	backWithin = 5 * time.Second
)

// referral is a joiner that was sent to a child which said that it had a free slot, or knew of one.
type referral struct {
	joiner  ID
	from    origin
	child   Link
	changes int // of that child's slots until then
	when    time.Time
	below   bool // to a node below it
	told    bool // the joiner came back, and the child is doubted for it
}

// remember notes one.
func (n *Node) remember(r referral) {
	if len(n.referrals) >= maxReferrals {
		n.referrals = slices.Delete(n.referrals, 0, 1)
	}
	n.referrals = append(n.referrals, r)
}

// cameBack doubts a child to which the joiner was sent, or what it tells of those below it, if that still says that
// there is a free slot and nothing has changed. Whoever says that it was not taken may be the liar, so that each address is
// heard once in a minute.
func (n *Node) cameBack(now time.Time, j *child) {
	n.referrals = slices.DeleteFunc(n.referrals, func(r referral) bool {
		return now.Sub(r.when) >= claimDoubt || now.Sub(r.when) >= backWithin && !r.told
	})
	heard := slices.ContainsFunc(n.referrals, func(r referral) bool { return r.told && r.from == j.from })
	for i := range n.referrals {
		r := &n.referrals[i]
		c := n.children.find(r.child)
		if heard || r.told || r.joiner != j.place.ID || c == nil {
			continue
		}
		switch {
		case r.below && c.below.changes == r.changes && len(c.report.Openings) > 0:
			c.below.cameBack(now)
		case !r.below && c.claim.changes == r.changes && c.report.Free > 0:
			c.claim.cameBack(now)
		default:
			continue
		}
		r.told, heard = true, true
	}
}

// spurner is a child to which a joiner was sent in vain, and that may be asked to move: anybody who comes
// is worth more. It is nil if there is none.
func (n *Node) spurner(now time.Time, far bool) *child {
	for _, c := range n.children {
		if c.pulling && !c.shedding() && now.Before(c.claim.spurned) && !(far && c.near) {
			return c
		}
	}
	return nil
}
