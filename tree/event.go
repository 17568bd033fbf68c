package tree

import (
	"net/netip"
	"time"
)

// Link numbers a connection for this channel. Those a Node dials are odd and come
// from it; those that come in are even and come from its owner.
type Link uint64

// Inbound reports whether the other node opened the link, to be a child. This node
// opened the others, to a possible parent.
func (l Link) Inbound() bool { return l%2 == 0 }

// Event is what happened. One of Up, Joined, Received, Heard, Down, Candidates,
// Capacity, Progress, Leave.
type Event interface{ event() }

// Up says that a dialled link stands and who is at its other end.
type Up struct {
	Link Link
	Peer ID
	Addr netip.AddrPort // the address that worked
	Near bool           // it is on this machine or in one of its own networks
}

// Joined says that a node came in and asked to be a child.
type Joined struct {
	Link Link
	Peer ID
	Addr netip.AddrPort // where its connection comes from
	Near bool           // it is on this machine or in one of its own networks
	Join Join
}

// Received says that a message came over a link.
type Received struct {
	Link Link
	Msg  Message
}

// Heard says that a chunk came over a link: it is alive.
type Heard struct{ Link Link }

// Down says that a link ended, or a dial failed. It is final for that link.
type Down struct {
	Link Link
	End  End
}

// Candidates adds places to ask, the most useful first. They are hints: nothing is
// torn down for them.
type Candidates struct{ Of []Candidate }

// Candidate is a node of the channel as gossip tells of it, seconds old.
type Candidate struct {
	Place Place
	Depth int // 0 for the root, -1 if that is not known
	Free  int // slots
	Slots int
}

// Capacity says how many children the node can carry from now on: Slots in all,
// and at most Far of them that are not Near. Children over the number are asked to
// move on, one after the other.
type Capacity struct{ Slots, Far int }

// Progress says what the data path sees: the chunks lost so far, and how far the
// newest chunk is behind the root's newest, 0 while nothing is missing or nothing
// is known.
type Progress struct {
	Lost uint64
	Lag  time.Duration
	// Barren is set while the root is known to have chunks and the node has had none:
	// who has some could not go on here.
	Barren bool
}

// Leave starts an orderly end: children are told where to go and served until
// they have moved, at most leaveTime. The Left action says that it is over.
type Leave struct{}

func (Up) event()         {}
func (Joined) event()     {}
func (Received) event()   {}
func (Heard) event()      {}
func (Down) event()       {}
func (Candidates) event() {}
func (Capacity) event()   {}
func (Progress) event()   {}
func (Leave) event()      {}

// Action is what the owner has to do. One of Dial, Send, Close, Feed, Serve,
// Orphaned, Attached, Left.
type Action interface{ action() }

// Dial asks for a connection to the place, as the link named. It is answered by
// Up or Down.
type Dial struct {
	Link  Link
	Place Place
}

// Send asks for a message to be sent.
type Send struct {
	Link Link
	Msg  Message
}

// Close asks for a link to be closed, after what was sent over it.
type Close struct {
	Link Link
	End  End // ByThem if this answers the other node's Bye or Refer
}

// Feed makes the link one that chunks are taken from: the owner sends a Pull from
// where its ring ends. Chunks of earlier links stay welcome until they close. It may
// come before the node has committed to that parent, and for several links when one
// that fell silent may speak again.
type Feed struct{ Link Link }

// Serve makes the link a child's: chunks follow from after Have.
type Serve struct {
	Link Link
	Have Position
}

// Orphaned says that the node has lost its parent.
type Orphaned struct{ End End }

// Attached says that the node has committed to a new parent.
type Attached struct {
	Link   Link
	Parent Place
	Depth  int
	// Before is why the node has not stayed with the parent before, and which of the
	// two ended that; zero if there was none.
	Before End
}

// Left says that the node may go: Leave has run its course.
type Left struct{}

func (Dial) action()     {}
func (Send) action()     {}
func (Close) action()    {}
func (Feed) action()     {}
func (Serve) action()    {}
func (Orphaned) action() {}
func (Attached) action() {}
func (Left) action()     {}
