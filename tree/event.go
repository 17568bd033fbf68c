package tree

import (
	"net/netip"
	"time"
)

// Link numbers a connection for this channel. The Node numbers those it dials, with odd
// numbers; its owner numbers those that come in, with even ones.
type Link uint64

// Inbound reports whether the other node opened the link, to become a child. All others
// this node has opened, to a possible parent.
func (l Link) Inbound() bool { return l%2 == 0 }

// Event is what happened. One of Up, Joined, Received, Heard, Delivered, Proven, Probed, Down,
// Candidates, Offered, Calls, Shut, Capacity, Progress, Readdressed, Leave.
type Event interface{ event() }

// Up says that a dialled link stands, and which node is at its other end.
type Up struct {
	Link Link
	Peer ID
	Addr netip.AddrPort // the address that worked; not valid if the node had offered the link
	Near bool           // it is on this machine or in one of its own networks
	// Called is set if the node that named the place had to carry a call.
	Called bool
}

// Joined says that a node came in and asked to be a child.
type Joined struct {
	Link Link
	Peer ID
	Addr netip.AddrPort // where its connection comes from
	Near bool           // it is on this machine or in one of its own networks
	// Calls is set if it knows how to call, and so can be sent to nodes that nobody can dial.
	Calls bool
	// Met is set if the two have connected half-way, by a call: they can have no other connection
	// of this kind.
	Met  bool
	Join Join
}

// Received says that a message came over a link.
type Received struct {
	Link Link
	Msg  Message
}

// Heard says that something came over a link, which is a sign of life.
type Heard struct {
	Link Link
	At   time.Time // when it came, no later than now; zero for now
}

// Delivered says that the first chunk of those asked for has come over a link that feeds the
// node, and that the root has made it.
type Delivered struct{ Link Link }

// Proven says that signatures show how many links from the root the node is below the one at the other
// end of a link, and for how long that holds, at most [ProofLife].
type Proven struct {
	Link  Link
	Depth int
	For   time.Duration
	// Age is for how long the youngest of those on the way from the root to the one at the other end, that
	// one included, is known to have been in the tree; 0 if that is not known.
	Age time.Duration
}

// Probed answers a Probe. [Untried] says that there was nothing to try, or that no more may be tried
// at that address now.
type Probed struct {
	Link  Link
	Reach Reach
}

// Down says that a link ended, or a dial failed. It is final for that link.
type Down struct {
	Link Link
	End  End
}

// Uncalled says that a dial failed for which nobody has carried the call, as the node that was to do so has gone
// or says no. It is final for that link, as Down is.
type Uncalled struct{ Link Link }

// Candidates adds places to ask, the most useful first. They are hints: no link ends
// because of them.
type Candidates struct{ Of []Candidate }

// Candidate is a node of the channel as gossip tells of it. That may be seconds old.
type Candidate struct {
	Place Place
	Depth int // 0 for the root, -1 if that is not known
	Free  int // slots
	Slots int
}

// Offered says that a node holds a connection ready over which it would be the parent, and of which
// a Dial to it makes use. Where it comes from is no address at which it can be dialled.
type Offered struct{ ID ID }

// Calls says whether calls get through to this node, and from it, as far as is known.
type Calls struct{ Can bool }

// Shut says whether it is known that nobody dials this node from beyond its own networks.
type Shut struct{ Is bool }

// Capacity says how many children the node can carry from now on: Slots in all, of which
// at most Far are not Near. Children beyond that are asked to move on, one after the other.
type Capacity struct{ Slots, Far int }

// Progress says what the data path sees. Lost is the chunks missed so far. Lag is how far
// the node's newest chunk is behind the root's newest; it is 0 while no chunk is missing,
// and while the root's newest is not known.
type Progress struct {
	Lost uint64
	Lag  time.Duration
	// Barren is set while the root is known to have chunks and the node has had none. A
	// node that has some could not go on below it.
	Barren bool
	// Flows is set while chunks come, from whomever.
	Flows bool
	// Clock is what the root's clock shows at least, by what the root has signed; 0 if that is not
	// known. At the root it is what its clock shows, which may have been set ahead.
	Clock time.Duration
}

// Readdressed says that others reach the node elsewhere: Addrs is where it listens from now on. If
// it has not stayed in its network, whoever could not be reached before may be reached now.
type Readdressed struct {
	Addrs  []netip.AddrPort
	Stayed bool // it is in the same network as before
}

// Leave starts an orderly end. Children are told where to go, and are served until they
// have moved, for at most 2 s. Left then says that the node may go.
type Leave struct{}

func (Up) event()          {}
func (Joined) event()      {}
func (Received) event()    {}
func (Heard) event()       {}
func (Delivered) event()   {}
func (Proven) event()      {}
func (Probed) event()      {}
func (Down) event()        {}
func (Uncalled) event()    {}
func (Candidates) event()  {}
func (Offered) event()     {}
func (Calls) event()       {}
func (Shut) event()        {}
func (Capacity) event()    {}
func (Progress) event()    {}
func (Readdressed) event() {}
func (Leave) event()       {}

// Action is what the owner has to do. One of Dial, Probe, Send, Close, Feed, Serve,
// Orphaned, Attached, Left.
type Action interface{ action() }

// Dial asks for a connection to the place, to be known by the number Link. Up or Down
// answers it.
type Dial struct {
	Link  Link
	Place Place
	// Through is the node that carries a call to the place, zero if it is only dialled.
	Through ID
}

// Probe asks to try whether others get through to the node at the other end of a link: a
// connection to it, over which it shows that it is the one. Of the place's addresses only those
// are tried from which the link comes: a stranger may have named somebody else's. Probed answers
// it, within [ProbeTime] if there are not too many. A Probe that is not answered is repeated, and
// nobody is sent there meanwhile.
type Probe struct {
	Link  Link
	Place Place
}

// Send asks for a message to be sent.
type Send struct {
	Link Link
	Msg  Message
}

// Close asks for a link to be closed once all that was sent over it is written.
type Close struct {
	Link Link
	End  End // ByThem if this answers the other node's Bye or Refer
}

// Feed makes the link one that chunks are taken from: the owner sends a Pull that names
// its newest chunk. Chunks of earlier links stay welcome until those close. Feed may come
// before the node has committed to that parent. It may come for several links, when a
// parent that fell silent may speak again.
type Feed struct{ Link Link }

// Serve makes the link a child's: it gets the chunks after Have.
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
	// Before says why the node has not stayed with its last parent, and which of the two
	// ended that. It is zero if there was none.
	Before End
}

// Left says that the node may go: Leave has run its course.
type Left struct{}

func (Dial) action()     {}
func (Probe) action()    {}
func (Send) action()     {}
func (Close) action()    {}
func (Feed) action()     {}
func (Serve) action()    {}
func (Orphaned) action() {}
func (Attached) action() {}
func (Left) action()     {}
