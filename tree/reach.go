package tree

import (
	"net/netip"
	"time"
)

// Reach says whether others get through to a node that nobody has linked to yet: past its
// firewall and its router. Nobody is believed who says it of himself; it is tried.
type Reach uint8

const (
	// Untried is a node that nobody has tried to reach. It counts for what it claims, but
	// nobody makes room for it.
	Untried Reach = iota
	// Open is one that was reached.
	Open
	// Closed is one that was not. It gives its slots to nodes near it at most, so that it
	// counts like a node without slots, and nobody is sent to it.
	Closed
	// Punchable is one that was not, and that answers calls. See [Marks].
	Punchable
)

func (r Reach) String() string {
	switch r {
	case Open:
		return "open"
	case Closed:
		return "closed"
	case Punchable:
		return "punchable"
	}
	return "untried"
}

const (
	// ProbeTime is how long an owner may take to try a node.
	ProbeTime = 3 * time.Second
	// heldTime is how long a joiner waits that would take another's place, while it is tried: a newcomer waits for its first picture meanwhile.
	// A dial that is dropped on its way never ends, one that gets through takes a round trip.
	heldTime = 500 * time.Millisecond
	// maxHeld bounds those joiners, and maxHeldFrom those from one address, so that nobody can
	// keep the others from being tried.
	maxHeld     = 8
	maxHeldFrom = 2
	// probeAgain is when a child is tried again: ports are opened, and close.
	probeAgain = 10 * time.Minute
	// probeSoon is when one is that was not reached the first time, and each time after that
	// it takes twice as long, up to probeAgain: it may have a router that is still being asked
	// to open its port, and it tells no parent when that is done.
	probeSoon = 30 * time.Second
	// probeRetry is when it is, if there was no time to try it.
	probeRetry = time.Minute
)

// trial is what is known of a joiner's or child's reach.
type trial struct {
	reach Reach
	at    time.Time     // when it is tried next, zero for at once
	pause time.Duration // since it was last not reached, zero if it was
	under bool          // it is being tried
}

// learnt is the address of a child that gossip has told of last, and when.
type learnt struct {
	addr netip.AddrPort
	when time.Time
}

// began notes that it is being tried.
func (t *trial) began(now time.Time) { t.at, t.under = now.Add(probeRetry), true }

// ended takes the outcome. One that is [Untried] leaves what was known.
func (t *trial) ended(now time.Time, r Reach) {
	t.under = false
	if r == Untried {
		return
	}
	t.reach = r
	if r == Open {
		t.pause = 0
		t.at = now.Add(probeAgain)
		return
	}
	t.pause = min(max(2*t.pause, probeSoon), probeAgain)
	t.at = now.Add(t.pause)
}

func (t *trial) begun() bool { return !t.at.IsZero() }

func (t *trial) due(now time.Time) bool { return !now.Before(t.at) }
