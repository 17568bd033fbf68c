package tree

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// maxCandidates bounds the hints taken from one Candidates.
const maxCandidates = 20

// Config is what a Node has to know from the beginning.
type Config struct {
	Self  Place     // Addrs are where it listens
	Root  bool      // it is the source
	Epoch Epoch     // of the source; root only
	Start time.Time // when the epoch began; root only. Progress may say that its clock shows more
	Since time.Time // when it joined the channel; zero for now
	Slots int       // children it can carry now, near or far
	Seeds []Place   // from the invite; kept for good, unless one is the node itself
	// Probes says that the owner can try whether others get through to a node. If it cannot,
	// everybody counts for what they claim.
	Probes bool
	// Proofs says that the owner checks how far others are from the root (Proven), and that the node is
	// to believe nothing else of those that would be its parent for being near to it.
	Proofs bool
	// Calls says that the owner can make calls and answer them; see [Calls].
	Calls bool
	Rand  *rand.Rand // required
	// Heartbeat is the time between two heartbeats, 50 ms if 0. Big simulations set it
	// higher, and the times that follow from it grow with it.
	Heartbeat time.Duration
}

// Node is one node's place in one tree. It is not safe for concurrent use.
type Node struct {
	cfg    Config
	origin time.Time // of the node's own clock

	at         Standing
	path       []Place        // from the root to the parent; empty at the root
	pathDue    bool           // the children have to be told of it
	shut       bool           // nobody dials this node
	proving    bool           // somebody has proved where he is
	proofLooks int            // looks for somebody who can, before there was one
	seen       Place          // self, with the address its parent sees
	seenAt     netip.AddrPort // that address; not valid if there is none

	times    beatTimes
	up       *uplink
	beatAt   time.Time // set if the children have to hear of a loss at once
	orphanAt time.Time // when the parent was lost, or fell silent
	lostFor  End       // why there is no parent
	served   bool      // attached said so when it was asked last,
	turnedAt time.Time // and has since then
	standbys standbys
	search   search
	improve  improver
	late     lateness
	book     book
	clock    clock
	best     Room        // in the whole tree, as the root knows it, for joiners that are dialled
	called   Room        // likewise, for those that can call
	gossip   []Candidate // the most useful first

	// What is below.
	children  children
	guests    children  // nodes with a standby link to this one
	held      []held    // joiners that are tried before they may take another's place
	overAt    time.Time // since when there are more children than slots, zero if there are not
	far       int       // slots for nodes that are not near
	changed   bool      // the parent may have to hear of it
	guestsAt  time.Time
	assignAt  time.Time
	distrusts map[ID]time.Time
	lapses    lapses
	referrals []referral
	crowd     crowd
	bookings  bookings
	yields    yields

	// What the data path says.
	lost   uint64
	lag    time.Duration
	barren bool
	flows  bool
	flowed time.Time // when it did last

	seenNow  time.Time // of the newest call
	tickAt   time.Time
	reportAt time.Time // no report before this
	reported Report
	leaveBy  time.Time // set once the node is leaving
	left     bool

	actions  []Action
	lastLink Link // number of the newest dial
}

// New returns a node that has no parent yet and looks for one at once.
func New(cfg Config, now time.Time) *Node {
	n := &Node{
		cfg:     cfg,
		origin:  now,
		seen:    cfg.Self,
		times:   timesOf(cfg.Heartbeat),
		far:     max(0, cfg.Slots),
		best:    noRoom,
		called:  noRoom,
		search:  newSearch(cfg.Rand),
		improve: improver{rand: cfg.Rand},
		late:    lateness{rand: cfg.Rand},
		book:    book{rand: cfg.Rand},
		tickAt:  now,

		turnedAt: now,
	}
	if n.cfg.Since.IsZero() || n.cfg.Since.After(now) {
		n.cfg.Since = now
	}
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

// newLink returns an odd number, each time another, for a link that the node opens.
func (n *Node) newLink() Link {
	n.lastLink += 2
	return n.lastLink | 1
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
		n.heard(now, ev)
	case Delivered:
		n.delivered(now, ev.Link)
	case Proven:
		n.proven(now, ev)
	case Probed:
		n.probed(now, ev)
	case Down:
		n.down(now, ev.Link, ev.End)
	case Uncalled:
		n.uncalled(now, ev.Link)
	case Candidates:
		n.candidates(ev)
		n.relearn(now, ev.Of)
	case Offered:
		n.offered(now, ev.ID)
	case Calls:
		n.changed = n.changed || n.cfg.Calls != ev.Can
		n.cfg.Calls = ev.Can
	case Shut:
		n.shutNow(ev.Is)
	case Capacity:
		n.changed = n.changed || n.cfg.Slots != ev.Slots || n.far != ev.Far
		n.cfg.Slots, n.far = max(0, ev.Slots), max(0, ev.Far)
	case Progress:
		n.changed = n.changed || n.barren != ev.Barren
		n.clock.bound(now.Sub(n.origin), ev.Clock)
		n.lost, n.lag, n.barren, n.flows = ev.Lost, max(0, ev.Lag), ev.Barren, ev.Flows
		if n.flows {
			n.flowed = now
		}
	case Readdressed:
		n.readdressed(now, ev)
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
	if !n.beatAt.IsZero() {
		n.beatAt = time.Time{}
		n.beatChildren(now)
	}
	if served := n.attached(); served != n.served {
		n.served, n.turnedAt = served, now
	}
}

// candidates takes over what gossip tells. Those with a free slot come first, then those
// nearest to the root.
func (n *Node) candidates(ev Candidates) {
	of := slices.Clone(ev.Of[:min(len(ev.Of), maxCandidates)])
	n.cfg.Rand.Shuffle(len(of), func(i, k int) { of[i], of[k] = of[k], of[i] })
	slices.SortStableFunc(of, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(min(b.Free, 1), min(a.Free, 1)), cmp.Compare(uint(a.Depth), uint(b.Depth))) // -1 comes last
	})
	ps := make([]Place, 0, len(of))
	for _, c := range of {
		ps = append(ps, c.Place)
	}
	n.book.add(ps, rankHint, 0)
	n.gossip = of
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
	case Backups:
		n.backupsTold(now, l, m)
	case Bye:
		n.bye(now, l, m)
	}
}

// Advance does what is due at now.
func (n *Node) Advance(now time.Time) {
	n.tick(now)
	n.settle(now)
}

// tick does what has to be done once in each heartbeat.
func (n *Node) tick(now time.Time) {
	n.seenNow = now
	if n.tickAt.After(now) {
		return
	}
	late := now.Sub(n.tickAt)
	n.tickAt = now.Add(n.times.heartbeat)
	n.beatChildren(now)
	n.tellPath()
	n.expireHeld(now)
	n.expireChildren(now)
	n.tryChildren(now)
	n.expireAttempts(now)
	n.watchParent(now, late)
	n.shed(now)
	n.assignBackups(now)
	n.watchLag(now)
	n.lookUp(now)
	n.keepStandbys(now)
}

// Deadline returns when Advance has to be called at the latest. It lies after the newest
// call, since what was due then has been done or waits for an event.
func (n *Node) Deadline() time.Time {
	d := n.tickAt
	for _, t := range []time.Time{n.suspectAt(), n.search.deadline()} {
		if t.After(n.seenNow) && t.Before(d) {
			d = t
		}
	}
	return d
}

// Slack returns how long after its deadline Advance may be called, too, as long as no event comes. A node
// that has nothing to say to anybody but its parent hears from that as often as it has to look at what is
// due, and need not be woken just before each heartbeat.
func (n *Node) Slack() time.Duration {
	if n.up == nil || !n.leaveBy.IsZero() || len(n.children)+len(n.guests)+len(n.held)+len(n.search.attempts) > 0 {
		return 0
	}
	late := n.tickAt.Add(n.times.heartbeat / 4)
	for _, t := range []time.Time{n.suspectAt(), n.search.deadline()} {
		if t.After(n.seenNow) && t.Before(late) {
			late = t
		}
	}
	return max(0, late.Sub(n.Deadline()))
}

// down forgets a link that has ended.
func (n *Node) down(now time.Time, l Link, e End) {
	switch r := n.role(l).(type) {
	case *uplink:
		n.parentLost(now, e)
	case *attempt:
		n.attemptFailed(now, r, e.Reason)
	case *standby:
		n.standbyFailed(now, r, e)
	case *child:
		n.children = n.children.without(r)
		n.changed = true
	case guest:
		n.guests = n.guests.without(r.child)
	case held:
		n.forgetHeld(l)
	}
}

func (n *Node) bye(now time.Time, l Link, m Bye) {
	switch r := n.role(l).(type) {
	case *uplink:
		n.parentBye(now, m)
	case *attempt:
		n.do(Close{l, ByThem(m.Reason)})
		n.attemptFailed(now, r, m.Reason)
	case *standby:
		n.standbyFailed(now, r, ByThem(m.Reason))
	case *child:
		if r.yields && m.Reason == ReasonMoved {
			n.yields = yields{}
		}
		n.dropChild(r, ByThem(m.Reason))
	case guest:
		n.dropGuest(r.child, ByThem(m.Reason))
	case held:
		n.forgetHeld(l)
		n.do(Close{l, ByThem(m.Reason)})
	}
}

// depth is the node's distance to the root in links. It is 0 at the root, and while it is
// not known.
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

// label is the label that the node tells others. The root takes its own from the clock.
func (n *Node) label(now time.Time) Label {
	if n.cfg.Root {
		n.at.E = uint64(max(0, n.ownClock(now)) / LabelStep)
	}
	return n.at.Label
}

// ownPath is the way from the root to this node, both included.
func (n *Node) ownPath() []Place {
	return append(n.path[:len(n.path):len(n.path)], n.seen)
}

// RootClock returns what the root's clock shows at now, as the time since the epoch began,
// and whether it is known yet.
func (n *Node) RootClock(now time.Time) (time.Duration, bool) {
	if n.cfg.Root {
		return n.ownClock(now), true
	}
	return n.clock.reads(now.Sub(n.origin))
}

// ownClock is the root's clock at the root: the time since Start, or what was signed where that is more.
func (n *Node) ownClock(now time.Time) time.Duration {
	clock := now.Sub(n.cfg.Start)
	if n.clock.isSigned {
		clock = max(clock, now.Sub(n.origin)+n.clock.signed)
	}
	return clock
}

// RootEpoch is the run of the root to which its clock belongs.
func (n *Node) RootEpoch() Epoch { return n.at.Epoch }

// leave begins an orderly end.
func (n *Node) leave(now time.Time) {
	if !n.leaveBy.IsZero() {
		return
	}
	n.leaveBy = now.Add(leaveTime)
	if n.cfg.Root {
		n.leaveBy = now // there is nobody to move to
	}
	n.closeAttempts(n.search.removeAll(), ReasonLeaving)
	n.dropStandbys(ReasonLeaving)
	for _, g := range n.guests {
		n.do(Close{g.link, ByUs(ReasonLeaving)})
	}
	n.guests = nil
	for _, h := range n.held {
		n.refuse(now, h.child, ReasonLeaving, 0)
	}
	n.held = nil
	for _, c := range n.children {
		n.send(c.link, Bye{Reason: ReasonLeaving, Places: n.elsewhere(now, c.place)})
	}
}

// leaving ends the node once its children have moved or their time is over.
func (n *Node) leaving(now time.Time) {
	if n.leaveBy.IsZero() || n.left || len(n.children) > 0 && now.Before(n.leaveBy) {
		return
	}
	n.left = true
	for _, c := range n.children {
		n.do(Close{c.link, ByUs(ReasonLeaving)})
	}
	n.children = nil
	if n.up != nil {
		n.send(n.up.link, Bye{Reason: ReasonLeaving})
		n.do(Close{n.up.link, ByUs(ReasonLeaving)})
		n.up = nil
	}
	n.do(Left{})
}
