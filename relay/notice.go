package relay

import (
	"net/netip"
	"time"

	"relay/tree"
)

// Notice is something that a person may want to know about a channel. It is one of
// Attached, Orphaned, DialFailed, NoSuchHost, Refused, NotLive, ParentChanged, ChildJoined, ChildLeft and
// ChildRefused.
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

// NoSuchHost says that names in the link lead nowhere, and that there is nothing else in it. The channel goes
// on, as addresses may be suggested.
type NoSuchHost struct{ Err error }

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
	// Gap is how long no chunk came between the last one from the parent before and the first
	// from this one, as far as there was one to come. It is 0 if there was no parent before.
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
func (NoSuchHost) notice()    {}
func (Refused) notice()       {}
func (ParentChanged) notice() {}
func (ChildJoined) notice()   {}
func (ChildLeft) notice()     {}
func (ChildRefused) notice()  {}

// noticeRefusal tells that a node was asked to be the parent and said no. Nothing is told
// of a node that chunks are taken from.
func (c *Channel) noticeRefusal(num tree.Link, r tree.Reason) {
	if u := c.up[num]; u != nil && !u.feeding.Load() {
		c.notices(Refused{u.peer, r})
	}
}

// heedRefusal heeds that a node has no way to the source, though it knows whom to ask.
func (c *Channel) heedRefusal(num tree.Link, r tree.Reason) {
	if u := c.up[num]; u != nil && r == tree.ReasonOrphan && !u.feeding.Load() {
		c.answers.note(Refused{u.peer, r}, time.Now())
	}
}

// parentChange is a change of parents that is under way, for the notice of it. The
// channel's goroutine owns it.
type parentChange struct {
	to     tree.Link
	notice *ParentChanged // nil for none
}

// attached begins a change, or goes on with one that has not brought a chunk yet: to
// those who watch, the two are one.
func (p *parentChange) attached(a tree.Attached) {
	before := a.Before
	if p.notice != nil {
		before = p.notice.Before
	}
	p.to = a.Link
	p.notice = &ParentChanged{Parent: a.Parent, Depth: a.Depth, Before: before}
}

// over returns the notice of a change once its first chunk has come, and only once. u is
// the link to the new parent, nil if it is gone.
func (p *parentChange) over(u *uplink) (ParentChanged, bool) {
	if u == nil || !u.brought.Load() {
		return ParentChanged{}, false
	}
	n := *p.notice
	p.notice = nil
	if n.Before.Reason != tree.ReasonNone {
		n.Gap = time.Duration(u.gap.Load())
	}
	return n, true
}

// noticeChange tells of a change of parents that is over.
func (c *Channel) noticeChange() {
	if c.change.notice == nil {
		return
	}
	if n, ok := c.change.over(c.up[c.change.to]); ok {
		c.notices(n)
	}
}

// child names the node at the other end.
func (d *downlink) child() Child { return Child{d.peer, remoteAddr(d.conn.NetConn())} }

// noticeRefused tells of a node that wanted to be a child, needs a parent, and found no
// slot. A node that only looks for a backup or for a better parent than it has is not in
// need.
func (c *Channel) noticeRefused(d *downlink, r tree.Reason) {
	if d.needy && r == tree.ReasonFull {
		c.notices(ChildRefused{d.child(), r})
	}
}
