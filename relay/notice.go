package relay

import (
	"net/netip"
	"time"

	"relay/relay/stream"
	"relay/tree"
)

// Notice is something that a person may want to know about a channel. One of Attached,
// Orphaned, DialFailed, Refused, ParentChanged, ChildJoined, ChildLeft, ChildRefused.
type Notice interface{ notice() }

// Attached says that a parent was found.
type Attached struct {
	Parent tree.Place
	Depth  int
}

// Orphaned says that the parent was lost.
type Orphaned struct{ End tree.End }

// DialFailed says that a place did not answer.
type DialFailed struct {
	Place tree.Place
	Err   error
}

// Refused says that a node neither took this one nor knew a better place.
type Refused struct {
	Peer   tree.ID
	Reason tree.Reason
}

// ParentChanged says that a change of parents is over: chunks come from the new one.
type ParentChanged struct {
	Parent tree.Place
	Depth  int
	// Before is how the link to the parent before ended; zero if there was none.
	Before tree.End
	// Gap is how long no chunk came between the last from the parent before and the
	// first from this one, while there was one to come; 0 if there was no parent before.
	Gap time.Duration
}

// Child is a node that takes the stream from this one, or wanted to.
type Child struct {
	Peer tree.ID
	Addr netip.AddrPort // where its connection comes from
}

// ChildJoined says that a child has begun to take the stream.
type ChildJoined struct{ Child }

// ChildLeft says that a child that took the stream is gone.
type ChildLeft struct {
	Child
	End tree.End
}

// ChildRefused says that a node that needs a parent was turned away.
type ChildRefused struct {
	Child
	Reason tree.Reason
}

func (Attached) notice()      {}
func (Orphaned) notice()      {}
func (DialFailed) notice()    {}
func (Refused) notice()       {}
func (ParentChanged) notice() {}
func (ChildJoined) notice()   {}
func (ChildLeft) notice()     {}
func (ChildRefused) notice()  {}

func (c *Channel) noticeRefusal(r tree.Received) {
	l := c.links[r.Link]
	if l == nil || l.feeding.Load() || r.Link.Inbound() {
		return
	}
	switch m := r.Msg.(type) {
	case tree.Refer:
		if len(m.Places) == 0 {
			c.notices(Refused{l.peer, m.Reason})
		}
	case tree.Bye:
		c.notices(Refused{l.peer, m.Reason})
	}
}

// handover notes how a new parent takes over, for the notice of it. The channel's
// driving goroutine owns it.
type handover struct {
	to     tree.Link
	change *ParentChanged // nil for none
}

// attached begins one, or goes on with one that has not brought a chunk yet: to who
// watches, the two are one change.
func (h *handover) attached(a tree.Attached) {
	before := a.Before
	if h.change != nil {
		before = h.change.Before
	}
	h.to = a.Link
	h.change = &ParentChanged{Parent: a.Parent, Depth: a.Depth, Before: before}
}

// noticeChange tells of a change whose first chunk has come.
func (c *Channel) noticeChange() {
	h := &c.handover
	if h.change == nil {
		return
	}
	l := c.links[h.to]
	if l == nil || !l.brought.Load() {
		return
	}
	change := h.change
	h.change = nil
	if change.Before.Reason != tree.ReasonNone {
		change.Gap = time.Duration(l.gap.Load())
	}
	c.notices(*change)
}

// noteArrival records that a chunk that the ring did not have came over the link, and
// for the link's first one how long there was none. follows says that it is the next
// of the same epoch. It runs on the link's reader.
func (l *link) noteArrival(ch *stream.Chunk, follows bool) {
	c := l.ch
	now := c.sinceStart()
	before := time.Duration(c.arrived.Swap(int64(now)))
	if l.brought.Load() {
		return
	}
	gap := now - before
	if k := c.clock.Load(); follows && k != nil {
		// Nobody can have missed it before it was made.
		gap = min(gap, k.at(time.Now())-time.Duration(ch.Beat())*time.Millisecond)
	}
	l.gap.Store(int64(max(0, gap)))
	l.brought.Store(true)
	select {
	case c.handed <- struct{}{}:
	default:
	}
}

// child names the node at the other end of a link that came in.
func (l *link) child() Child { return Child{l.peer, remoteAddr(l.conn.NetConn())} }

// noticeServed tells of a child that begins to take the stream.
func (c *Channel) noticeServed(l *link) {
	l.served = true
	c.notices(ChildJoined{l.child()})
}

// noticeGone tells of a child that is gone.
func (c *Channel) noticeGone(l *link, e tree.End) {
	if l.served {
		c.notices(ChildLeft{l.child(), e})
	}
}

// noticeTurned tells of a node that wanted to be a child, needs a parent, and found
// no slot. One that looks for a better parent than it has, or a backup, does well.
func (c *Channel) noticeTurned(l *link, r tree.Reason) {
	if l.needy && r == tree.ReasonFull {
		c.notices(ChildRefused{l.child(), r})
	}
}
