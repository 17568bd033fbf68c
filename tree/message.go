package tree

import "net/netip"

// Message is what two nodes tell each other about the tree. It is one of Join, Welcome,
// Refer, Pull, Heartbeat, Path, Report, Backups, Bye. Package wire writes them as bytes.
type Message interface{ message() }

// Bounds of messages.
const (
	// MaxPath is how deep a tree gets at most, in links, and so the longest path. If each
	// node has two children, 64 levels hold more nodes than there are.
	MaxPath = 64
	// MaxRefer is how many places a Refer or a Welcome names.
	MaxRefer = 8
	// MaxHops is how many referrals are followed one after another.
	MaxHops = 5
	// MaxOpenings is how many nodes with free slots a Report names, and MaxFree how many slots of one
	// are told of.
	MaxOpenings = 4
	MaxFree     = 8
	// MaxBackups is how many places a parent names as backups.
	MaxBackups = 4
)

// Join asks a node to be one's parent. It opens every link.
type Join struct {
	Addrs []netip.AddrPort // where the joiner listens; at most MaxAddrs
	Slots uint16           // how many children it could have
	Age   uint32           // seconds since it joined the channel
	// Below is how many nodes are below a joiner that has lost its parent, and 0 for all
	// other joiners. Such an orphan may be let in over the slots, so that the nodes below
	// it need not move.
	Below uint32
	// Within is the greatest depth that is of use to the joiner, 0 for any. A node that is
	// served already moves only to get nearer to the root.
	Within uint8
	// NoCalls says that the joiner cannot call; see [Marks].
	NoCalls bool
	// Standby asks for a link to be kept ready, and not for a slot. A later Pull asks for
	// the slot.
	Standby bool
}

// Welcome grants a slot. The child has to pull within 2 s, or it loses the slot. A second
// welcome answers the pull of a standby link.
type Welcome struct {
	Label  Label
	Lag    uint32         // how far the sender's newest chunk is behind the root, ms
	Path   []Place        // from the root to the sender, both included
	Others []Place        // more places to ask, should the sender die; at most MaxRefer
	Seen   netip.AddrPort // where the child's connection comes from
}

// Refer turns a joiner down and names better places, the most useful first.
type Refer struct {
	Reason Reason
	Places []Place // at most MaxRefer
	Called Marks   // of Places
}

// Pull makes the sender a child. The stream is to begin with the chunk after Have, which is
// zero for a child that has nothing.
type Pull struct{ Have Position }

// Heartbeat goes from parent to child every 50 ms.
type Heartbeat struct {
	Label  Label
	Orphan bool   // the sender, or a node above it, has no live parent
	Clock  uint64 // the root's clock as the sender knows it, microseconds; 0 if it does not
	Echo   uint64 // Sent of the child's newest report, 0 if none came
	Held   uint64 // microseconds since that report came
	Lag    uint32 // how far the sender's newest chunk is behind the root, ms
	Best   Room   // where the whole tree would take a joiner, as the root knows it
	Room   Room   // at and below the sender
	// BestCalled and Called are likewise for joiners that can call.
	BestCalled, Called CalledRoom
}

// Path goes from parent to child when the way to the root has changed.
type Path struct {
	Path []Place // from the root to the sender, both included
}

// Report goes from child to parent every 500 ms, and sooner when it has changed.
type Report struct {
	Sent     uint64 // the child's own clock, microseconds
	Slots    uint16
	Free     uint16 // slots free now
	Children uint16
	Below    uint32 // all descendants
	Room     Room   // at and below the child
	Lost     uint64 // chunks missed since the child joined the channel

	Called   CalledRoom // for joiners that can call
	Callable bool       // a call gets through to the child, as far as it knows

	Openings []Opening // below the child; at most MaxOpenings
}

// Opening is a node that others can dial, and that has free slots.
type Opening struct {
	Place Place
	Free  uint8 // slots; at most MaxFree
	Down  uint8 // links below the sender
}

// Backups goes from parent to child. It names the places to turn to, in this order, should
// the sender be gone. The child connects to the first of them ahead of time.
type Backups struct {
	Places []Place // at most MaxBackups
	Called Marks   // of Places
}

// Bye ends a link in good order, from either side.
type Bye struct {
	Reason Reason
	Places []Place // where a child should go; at most MaxRefer
	Called Marks   // of Places
}

func (Join) message()      {}
func (Welcome) message()   {}
func (Refer) message()     {}
func (Pull) message()      {}
func (Heartbeat) message() {}
func (Path) message()      {}
func (Report) message()    {}
func (Backups) message()   {}
func (Bye) message()       {}
