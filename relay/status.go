package relay

import (
	"time"

	"relay/relay/refusal"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// Status describes a channel on this node at one moment.
type Status struct {
	ID      stream.ChannelID
	Uptime  time.Duration
	Tree    tree.Info
	Ring    stream.Stats
	Delay   time.Duration // behind the root, when the newest chunk came; 0 if not known
	Lag     time.Duration // behind the root, as far as something is missing; 0 if not known
	Quiet   time.Duration // since the newest chunk was made, by the root's clock; 0 if not known
	Missing bool          // the root has signed that there are chunks which have not come
	Links   map[tree.Link]LinkStatus
	Sent    uint64     // payload bytes to children, since the channel was opened
	Near    bool       // the parent is in one of this machine's own subnets
	Trial   Trial      // whether a parent beyond them got through to this node
	Reach   tree.Reach // what follows from that, and from calls
	Trials  []Trial    // over IPv4 and over IPv6, as [Channel.Trials]
	// CallsRefused counts what other nodes said in calls and was not done, by reason: see
	// wire/spec.md, Calls.
	CallsRefused map[string]uint64
	// Left counts the nodes that this one has left because of what they did: "forged", "protocol" or
	// "slow".
	Left    map[string]uint64
	Answers Answers
	Beat    uint64 // ms since the epoch began, as last signed by the root
	RootSeq uint64 // the newest chunk at that moment
	// Watching is how many watch the channel, here and everywhere; negative if the source does not tell.
	Watching   int
	Name       string // what this node calls itself; may be empty
	ParentName string // likewise, the parent
	// ParentHome says that this name is for those in this machine's own networks alone.
	ParentHome bool
}

// LinkStatus is what the data path knows of a child's link.
type LinkStatus struct {
	Name   string // what the child calls itself; may be empty
	Sent   uint64 // payload bytes
	Rate   int    // of them, bit/s, over the last seconds
	Missed uint64 // chunks it did not get because it fell behind
	Moves  uint64 // times it was moved to the newest key chunk
	Seq    uint64 // of the newest chunk written to it
	Owed   uint64 // chunks that the ring has received and this link has yet to be sent
	Behind stream.Backlog
	// Unacked is how many bytes of it the other side has not acknowledged, sent or not; 0 if
	// the system does not say.
	Unacked int
	Near    bool // it is in one of this machine's own subnets
	CameIn  bool // the child has dialled this node; it was neither dialled from here nor called
}

// Status describes the channel. It reports false if the channel has ended.
func (c *Channel) Status() (Status, bool) {
	now := time.Now()
	s := Status{ID: c.id, Uptime: now.Sub(c.started), Ring: c.ring.Stats(), Sent: c.sent.Load(), Answers: c.answers.now()}
	s.Quiet, s.Missing = c.intake.quiet(now, s.Ring), c.intake.missing(s.Ring.Head)
	s.Trial, s.Reach, s.Trials, s.CallsRefused = c.peers.tried(), c.Reach(), c.Trials(), refusal.Labels(c.refused.All())
	if c.writer == nil {
		s.Delay = time.Duration(c.intake.delay.Load())
	}
	s.Watching = -1
	if n, ok := c.watching(now); ok {
		s.Watching = n
	}
	ok := c.query(func(n *tree.Node) {
		s.Tree = n.Info()
		shown := c.namesShown()
		s.Name = c.names.plate().Name()
		s.Lag, s.Left = c.behind, c.leftPeers.counts()
		if u := c.parentLink(s.Tree); u != nil {
			s.Near = u.near
			if p := u.name.Load(); shown && p != nil {
				s.ParentName, s.ParentHome = p.Name(), p.Home()
			}
		}
		s.Links = make(map[tree.Link]LinkStatus, len(s.Tree.Children))
		for _, ch := range s.Tree.Children {
			if d := c.down[ch.Link]; d != nil {
				ls := d.status(s.Ring.Received)
				ls.Rate = c.reporting.upload.rate(ch.Link)
				if shown {
					ls.Name = c.reporting.facts.plate(wire.TagOf(d.peer)).Name()
				}
				s.Links[ch.Link] = ls
			}
		}
	})
	if b := c.intake.beat.Load(); b != nil {
		s.Beat, s.RootSeq = b.Ms(), b.Head()
	}
	return s, ok
}

// Trial is the newest that a parent has told of: whether it got through to this node.
func (c *Channel) Trial() Trial { return c.peers.tried() }

// Reach says whether others get through to this node: as a parent has found out, and, if that did not
// get through, as calls and the ports that parents see show.
func (c *Channel) Reach() tree.Reach {
	return c.node.outside.judge(c.peers.tried())
}

// restMost is how many bytes may be under way to a child that has everything: heartbeats, and
// what answers its own.
const restMost = 1 << 10

// Served reports whether every child has all of the ring that it can use, as far as the system
// says what has arrived, and else whether it was sent.
func (s Status) Served() bool {
	for _, c := range s.Tree.Children {
		if l := s.Links[c.Link]; c.Pulling && (l.Owed > 0 || l.Unacked > restMost) {
			return false
		}
	}
	return true
}
