package tree

import "time"

// A joiner that cannot call has fewer places than one that can. Where it has none, a child that can
// go below a node that is called makes room for it, if there is one: it *yields*.

// yieldAgain is how long no child yields after one that did has found no place. It doubles each
// time, up to yieldMost.
const (
	yieldAgain = 30 * time.Second
	yieldMost  = 10 * time.Minute
)

// yielding is the child that would make room for a joiner that cannot call, nil if none would.
func (n *Node) yielding(now time.Time, j *child) *child {
	if j.canCall() || j.near || n.isDistrusted(now, j.place.ID) {
		return nil
	}
	for _, c := range n.children {
		if c.reachable() && c.reported && c.pulling && c.report.Room[j.class()] != NoRoom {
			return nil // it is sent there
		}
	}
	return n.mayYield(now)
}

// mayYield is a child that has another place, which it would have to call: the one that is moved most
// easily. It is nil if there is none, or if the node has more children than slots: those who could
// serve must find somebody who makes room too.
func (n *Node) mayYield(now time.Time) *child {
	if len(n.children) > n.cfg.Slots || n.cfg.Slots <= 0 || !n.maySwap(now) || now.Before(n.yields.again) {
		return nil
	}
	rooms := n.calledRooms(now)
	var w *child
	for _, c := range n.children {
		if !c.pulling || c.shedding() || c.near || !c.canCall() || c.trial.reach != Closed || w != nil && weaker(c, w) > 0 {
			continue
		}
		if n.besides(rooms, c) {
			w = c
		}
	}
	return w
}

// besides reports whether a child that can call has a place that is not below itself: at another
// child or below one, or elsewhere in the tree. Only a free slot is one: in place of another child the
// tree would gain nothing.
func (n *Node) besides(rooms calledRooms, c *child) bool {
	const class = 0
	if rooms.without(c)[class] != NoRoom || n.up != nil && n.up.roomCalls[class] != NoRoom {
		return true
	}
	if n.up == nil || n.called[class] == NoRoom {
		return false
	}
	own := c.report.room(true)[class] // the nearest place below it
	return own == NoRoom || int(n.called[class]) < n.depth()+1+int(own)
}

// yields is when a child may yield next for a place elsewhere in the tree. It begins anew when one that
// did has moved.
type yields struct {
	again time.Time
	pause time.Duration
}

// failed notes that one that did has found no place.
func (y *yields) failed(now time.Time) {
	y.pause = min(max(2*y.pause, yieldAgain), yieldMost)
	y.again = now.Add(y.pause)
}

// yield notes that w was asked to move for a joiner that has nowhere else to go. If it cannot, it
// stays, and the joiner goes.
func (w *child) yield(to *child) { w.shedFor, w.yields = to.place.ID, true }
