package relay

import (
	"time"

	"relay/tree"
)

// overlapTime is how long a parent that the tree has left serves on if the next one has not shown that it brings
// what follows.
const overlapTime = 2 * time.Second

// overlap is set on a link that the tree has closed, and that goes on bringing chunks until another does. A node
// whose parent has nothing to bring moves without a proof; the stream may go on, by the old parent, before the
// new one has heard of the node. That begins at its newest key chunk then.
type overlap struct {
	until time.Time // zero for none
	end   tree.End
}

// overlaps has a link stay that the tree closes for another one's sake, and reports whether it does.
func (c *Channel) overlaps(now time.Time, num tree.Link, e tree.End) bool {
	u := c.up[num]
	if u == nil || !u.feeding.Load() || e.By != tree.Us || e.Reason != tree.ReasonMoved && e.Reason != tree.ReasonNotNeeded {
		return false
	}
	if u.overlap.until.IsZero() && c.awaited(u) {
		u.overlap = overlap{now.Add(overlapTime), e}
	}
	return !u.overlap.until.IsZero()
}

// awaited reports whether another link than u feeds the node and has not brought what follows yet.
func (c *Channel) awaited(u *uplink) bool {
	for _, o := range c.up {
		if o != u && o.overlap.until.IsZero() && o.feeding.Load() && !o.proved.Load() && o.ctx.Err() == nil {
			return true
		}
	}
	return false
}

// endOverlaps closes the links that were left and are needed no longer, or lead to a node that is dialled again:
// it would take the newer link for the same one that came back.
func (c *Channel) endOverlaps(now time.Time, dialled tree.ID) {
	for _, u := range c.up { // in any order
		o := u.overlap
		if o.until.IsZero() || now.Before(o.until) && c.awaited(u) && u.peer != dialled {
			continue
		}
		u.overlap = overlap{}
		u.proved.Store(true) // nobody waits for it
		if o.end.Reason == tree.ReasonMoved {
			u.send(tree.Bye{Reason: tree.ReasonMoved})
		}
		c.closeLink(&u.link, o.end)
	}
}
