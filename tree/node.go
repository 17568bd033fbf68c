package tree

import (
	"math/rand/v2"
	"time"
)

// Times of the tree; design.md says why each is what it is.
const (
	heartbeatInterval = 50 * time.Millisecond
	silence           = 150 * time.Millisecond // a parent that says nothing this long is suspected
	deadAfter         = 2 * time.Second        // and this long: given up
	stallSlack        = 50 * time.Millisecond  // woken later than this, the node itself was stalled
	staleFirst        = 1 * time.Second        // a parent whose label stands still this long is doubted,
	stalePerLink      = 300 * time.Millisecond // later the deeper the node is
	reportInterval    = 500 * time.Millisecond
	reportSpacing     = 20 * time.Millisecond
	childSilence      = 5 * time.Second // a child that reports nothing this long is dropped
	admissionTime     = 2 * time.Second // a granted slot waits this long for the pull
	leaveTime         = 2 * time.Second
)

// Config is what a Node is told once.
type Config struct {
	Self  Place      // Addrs are where it listens
	Root  bool       // it is the source
	Epoch Epoch      // of the source; root only
	Start time.Time  // beat 0 of the epoch; root only
	Slots int        // children it can carry now, near or far
	Seeds []Place    // from the link; asked again for ever
	Rand  *rand.Rand // required
	// Heartbeat is how often a parent speaks at least, 50 ms if 0. Big simulations set
	// it higher, and all that follows from it grows with it.
	Heartbeat time.Duration
}

// Node is one node's place in one tree. It is not safe for concurrent use.
type Node struct {
	cfg    Config
	origin time.Time // of the node's own clock

	at      Standing
	path    []Place // from the root to the parent; empty at the root
	pathDue bool    // children are to be told of it
	seen    Place   // self, with the address its parent sees

	up       *uplink
	children map[Link]*child
	search   search
	book     book
	clock    clock
	lost     uint64

	seenNow  time.Time // of the newest call
	tickAt   time.Time
	reportAt time.Time // no report before this
	reported Report
	leaveBy  time.Time // set once leaving
	left     bool

	actions []Action
}

// New returns a node that has no parent yet, and looks for one at once.
func New(cfg Config, now time.Time) *Node {
	n := &Node{
		cfg:      cfg,
		origin:   now,
		seen:     cfg.Self,
		children: make(map[Link]*child),
		book:     book{rand: cfg.Rand},
		tickAt:   now,
	}
	n.search.attempts = make(map[Link]*attempt)
	n.book.add(cfg.Seeds, rankSeed, 0)
	if cfg.Root {
		n.at = Standing{Label{Epoch: cfg.Epoch}, 0}
	}
	n.Advance(now)
	return n
}

// Poll returns the next thing to do, in order, and false when there is none.
func (n *Node) Poll() (Action, bool) {
	if len(n.actions) == 0 {
		return nil, false
	}
	a := n.actions[0]
	n.actions = n.actions[1:]
	return a, true
}

func (n *Node) do(a Action) { n.actions = append(n.actions, a) }

func (n *Node) send(l Link, m Message) { n.do(Send{l, m}) }

// Handle takes an event into account. Events of links that are gone are ignored.
func (n *Node) Handle(now time.Time, ev Event) {
	n.tick(now)
	switch ev := ev.(type) {
	case Up:
		n.dialled(now, ev)
	case Joined:
		n.joined(now, ev)
	case Received:
		n.received(now, ev.Link, ev.Msg)
	case Heard:
		n.heard(now, ev.Link)
	case Down:
		n.down(now, ev.Link, ev.Reason)
	case Candidates:
		n.candidates(ev)
	case Capacity:
		n.cfg.Slots = max(0, ev.Slots)
	case Progress:
		n.lost = ev.Lost
	case Leave:
		n.leave(now)
	}
	n.settle(now)
}

// settle does what follows from the state as it is now.
func (n *Node) settle(now time.Time) {
	n.seek(now)
	n.report(now)
	n.leaving(now)
}

// candidates takes hints over.
func (n *Node) candidates(ev Candidates) {
	ps := make([]Place, 0, len(ev.Of))
	for _, c := range ev.Of {
		ps = append(ps, c.Place)
	}
	n.book.add(ps, rankHint, 0)
}

func (n *Node) received(now time.Time, l Link, m Message) {
	switch m := m.(type) {
	case Welcome:
		n.welcomed(now, l, m)
	case Refer:
		n.referred(now, l, m)
	case Heartbeat:
		n.heartbeat(now, l, m)
	case Path:
		n.pathChanged(now, l, m)
	case Pull:
		n.pulled(now, l, m)
	case Report:
		n.childReport(now, l, m)
	case Bye:
		n.bye(now, l, m)
	}
}

// Advance does what is due at now.
func (n *Node) Advance(now time.Time) {
	n.tick(now)
	n.settle(now)
}

// tick does what recurs.
func (n *Node) tick(now time.Time) {
	n.seenNow = now
	if n.tickAt.After(now) {
		return
	}
	late := now.Sub(n.tickAt)
	n.tickAt = now.Add(heartbeatInterval)
	n.beatChildren(now)
	n.tellPath()
	n.expireChildren(now)
	n.expireAttempts(now)
	n.watchParent(now, late)
}

// Deadline returns when Advance is to be called at the latest. It lies after the
// newest call: what was due by then has been done or waits for an event.
func (n *Node) Deadline() time.Time {
	d := n.tickAt
	for _, t := range []time.Time{n.suspectAt(), n.seekAt()} {
		if t.After(n.seenNow) && t.Before(d) {
			d = t
		}
	}
	return d
}

// down ends a link's part in everything.
func (n *Node) down(now time.Time, l Link, r Reason) {
	if n.up != nil && n.up.link == l {
		n.parentLost(now, r)
		return
	}
	if a := n.search.attempts[l]; a != nil {
		n.attemptFailed(now, a, r)
		return
	}
	delete(n.children, l)
}

func (n *Node) bye(now time.Time, l Link, m Bye) {
	switch {
	case n.up != nil && n.up.link == l:
		n.book.add(m.Places, rankReferred, 0)
		if m.Reason == ReasonLeaving {
			n.up.leaving = true // it serves on until there is another
			n.search.hurry(now)
			return
		}
		n.do(Close{l, m.Reason})
		n.parentLost(now, m.Reason)
	case n.search.attempts[l] != nil:
		a := n.search.attempts[l]
		n.do(Close{l, m.Reason})
		n.attemptFailed(now, a, m.Reason)
	case n.children[l] != nil:
		delete(n.children, l)
		n.do(Close{l, m.Reason})
	}
}

// depth is a node's distance to the root; 0 at the root and while unknown.
func (n *Node) depth() int {
	if n.cfg.Root || n.at.Epoch == (Epoch{}) {
		return 0
	}
	return int(n.at.H)
}

// attached reports whether the stream can be expected to come: the node is the
// root, or its parent is alive and attached itself.
func (n *Node) attached() bool {
	return n.cfg.Root || n.up != nil && !n.up.suspect && !n.up.orphan
}

// label is what the node tells others of itself. The root's comes from the clock.
func (n *Node) label(now time.Time) Label {
	if n.cfg.Root {
		n.at.E = uint64(max(0, now.Sub(n.cfg.Start)) / LabelStep)
	}
	return n.at.Label
}

// ownPath is the way from the root to this node, both included.
func (n *Node) ownPath() []Place {
	return append(n.path[:len(n.path):len(n.path)], n.seen)
}

// RootClock returns the root's clock at now, as time since the epoch began, and
// whether it is known yet.
func (n *Node) RootClock(now time.Time) (time.Duration, bool) {
	if n.cfg.Root {
		return now.Sub(n.cfg.Start), true
	}
	return now.Sub(n.origin) + n.clock.offset, n.clock.known
}

// leave begins the end.
func (n *Node) leave(now time.Time) {
	if !n.leaveBy.IsZero() {
		return
	}
	n.leaveBy = now.Add(leaveTime)
	if n.cfg.Root {
		n.leaveBy = now // there is nobody to move to
	}
	n.dropAttempts(ReasonLeaving)
	for _, c := range n.sortedChildren() {
		n.send(c.link, Bye{ReasonLeaving, n.elsewhere(now, c.place)})
	}
}

// leaving ends the node once its children have moved or their time is over.
func (n *Node) leaving(now time.Time) {
	if n.leaveBy.IsZero() || n.left || len(n.children) > 0 && now.Before(n.leaveBy) {
		return
	}
	n.left = true
	for _, c := range n.sortedChildren() {
		n.do(Close{c.link, ReasonLeaving})
	}
	clear(n.children)
	if n.up != nil {
		n.send(n.up.link, Bye{Reason: ReasonLeaving})
		n.do(Close{n.up.link, ReasonLeaving})
		n.up = nil
	}
	n.do(Left{})
}
