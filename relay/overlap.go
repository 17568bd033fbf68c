package relay

import (
	"time"

	"relay/tree"
)

// overlapTime is how long a parent that the tree has left serves on if the next one has not shown that it brings
// what follows.
const overlapTime = 2 * time.Second

// overlap is a link that the tree has closed, and that goes on bringing chunks until another does. A node whose
// parent has nothing to bring moves without a proof; the stream may go on, by the old parent, before the
// new one has heard of the node. That begins at its newest key chunk then. It is owned by the channel's goroutine.
type overlap struct {
	until time.Time
	end   tree.End
}

// overlaps has a link stay that the tree closes for another one's sake, and reports whether it does.
func (c *Channel) overlaps(now time.Time, num tree.Link, e tree.End) bool {
	u := c.up[num]
	if u == nil || !u.feeding.Load() || e.By != tree.Us || e.Reason != tree.ReasonMoved && e.Reason != tree.ReasonNotNeeded {
		return false
	}
	if _, is := c.overlapping[num]; is || !c.awaited(num) {
		return is
	}
	c.overlapping[num] = overlap{now.Add(overlapTime), e}
	return true
}

// awaited reports whether another link than num feeds the node and has not brought what follows yet.
func (c *Channel) awaited(num tree.Link) bool {
	for n, u := range c.up {
		if _, left := c.overlapping[n]; n != num && !left && u.feeding.Load() && !u.proved.Load() && u.ctx.Err() == nil {
			return true
		}
	}
	return false
}

// endOverlaps closes the links that were left and are needed no longer.
func (c *Channel) endOverlaps(now time.Time) {
	for num, o := range c.overlapping { // in any order
		if !now.Before(o.until) || !c.awaited(num) {
			c.endOverlap(num)
		}
	}
}

// endOverlap closes a link that was left.
func (c *Channel) endOverlap(num tree.Link) {
	o, u := c.overlapping[num], c.up[num]
	delete(c.overlapping, num)
	if u == nil {
		return
	}
	if o.end.Reason == tree.ReasonMoved {
		u.send(tree.Bye{Reason: tree.ReasonMoved})
	}
	c.closeLink(&u.link, o.end)
}

// endOverlapWith closes a link to a node that was left and is to be dialled again: it would take the
// newer link for the same one that came back.
func (c *Channel) endOverlapWith(p tree.Place) {
	for num := range c.overlapping {
		if u := c.up[num]; u != nil && (u.peer == p.ID || u.place.ID == p.ID) {
			c.endOverlap(num)
		}
	}
}
