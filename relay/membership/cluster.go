package membership

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"relay/relay/refusal"
	"relay/relay/stream"
	"relay/tree"
)

// DefaultMax is how many nodes of a channel take part in its gossip, since a push/pull grows
// with their number. The other nodes get samples from their parents.
const DefaultMax = 500

const (
	// LabelLen is the length of a Label, in bytes.
	LabelLen = 16
	// strangerRate and strangerBurst bound packets per second from addresses that are no
	// member's. Such packets come from nodes that join, or that were given up and come back.
	strangerRate  = 100
	strangerBurst = 200
)

// Label stands for the channel at the front of every packet and stream. It is the first 16
// bytes of a hash, so that nobody who sees a packet pass learns the channel's ID.
type Label [LabelLen]byte

// LabelOf returns the channel's label.
func LabelOf(channel stream.ChannelID) Label {
	h := sha256.New()
	h.Write([]byte("relay/1 gossip\x00"))
	h.Write(channel[:])
	return Label(h.Sum(nil))
}

// Config describes a Cluster. Key, Send and Dial are required.
type Config struct {
	Key     ed25519.PrivateKey // the node's
	Channel stream.ChannelID
	Root    bool // it joins however many members there are
	Max     int  // members; DefaultMax if 0
	// Send sends a packet. It must not block.
	Send func(b []byte, to netip.AddrPort) error
	// Dial opens a stream to a node, and checks its ID unless that is zero. The node hands
	// the stream to the Stream method of its [Cluster] of the same channel.
	Dial func(ctx context.Context, id tree.ID, addr netip.AddrPort) (net.Conn, error)
	// Seeds returns nodes through which to join, the most useful first. It is called
	// by Run's goroutine.
	Seeds func(context.Context) []tree.Place
	// MayTell reports whether this node may send to an address because others have told of it; nil if
	// to any. Near reports whether an address is in this machine's own networks, where members
	// have no shares; nil if none is. Linked reports whether there is a link to a node; nil if to
	// none. All are called from any goroutine, and must not block.
	MayTell func(netip.Addr) bool
	Near    func(netip.Addr) bool
	Linked  func(tree.ID) bool
	Refused *refusal.Counts // counts what is refused; nil for one of its own
	Log     *zap.Logger     // nil for none
}

// Self is what a node says of itself.
type Self struct {
	Addrs []netip.AddrPort // where it can be dialled, the most useful first
	Depth int              // links to the root, -1 without a parent
	Free  int
	Slots int
}

// Cluster is one node's part in the gossip of one channel. Packet, Stream, Tell,
// Expect, Sample and Len may be called from any goroutine at any time.
type Cluster struct {
	cfg       Config
	name      string
	born      time.Time
	log       *zap.Logger
	view      *view
	strangers *rate.Limiter
	credit    credit
	refused   *refusal.Counts
	changed   chan struct{} // holds one value when Run has something to look at
	former    []tree.Place  // members when this node was one last; Run's goroutine alone

	mu      sync.Mutex
	self    Self
	others  int // members as the parent counts them, -1 until it has said
	told    uint64
	said    Self       // what was signed last
	meta    []byte     // the metadata with that signature
	carrier *transport // nil while the node is no member
	inbound time.Time  // when anything came last
}

// New returns a cluster of one node. It does nothing until Run.
func New(cfg Config) *Cluster {
	if cfg.Max == 0 {
		cfg.Max = DefaultMax
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.Refused == nil {
		cfg.Refused = &refusal.Counts{}
	}
	id := tree.ID(sha256.Sum256(cfg.Key.Public().(ed25519.PublicKey)))
	c := &Cluster{
		cfg:       cfg,
		name:      id.String(),
		born:      time.Now(),
		log:       cfg.Log.Named("gossip"),
		refused:   cfg.Refused,
		strangers: rate.NewLimiter(strangerRate, strangerBurst),
		changed:   make(chan struct{}, 1),
		self:      Self{Depth: -1},
		others:    -1,
	}
	// Nodes that join at the same moment do not know of each other. So the view has room for
	// a quarter more, until some have left again.
	c.view = newView(cfg.Channel, c.name, cfg.Max+cfg.Max/4)
	c.view.exempt, c.view.refused = c.exempt, c.refused
	return c
}

// Tell says what to tell others of this node.
func (c *Cluster) Tell(s Self) {
	c.mu.Lock()
	before := c.self
	c.self = s
	c.mu.Unlock()
	if len(before.Addrs) == 0 || before.Depth < 0 {
		c.wake()
	}
}

// Expect says how many members the node's parent knows of.
func (c *Cluster) Expect(members int) {
	c.mu.Lock()
	c.others = members
	c.mu.Unlock()
	c.wake()
}

func (c *Cluster) wake() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Len returns how many members the node knows of, itself included if it is one.
func (c *Cluster) Len() int {
	n := c.view.len()
	if c.transport() != nil {
		n++
	}
	return n
}

// Sample returns up to n other members, at random.
func (c *Cluster) Sample(n int) []Member {
	ms := c.view.all()
	rand.Shuffle(len(ms), func(i, j int) { ms[i], ms[j] = ms[j], ms[i] })
	return ms[:min(n, len(ms))]
}

// Roots returns the members that say that they are the root: more than one if several sources have
// the channel's key.
func (c *Cluster) Roots() []tree.Place {
	var ps []tree.Place
	for _, m := range c.view.all() {
		if m.Depth == 0 {
			ps = append(ps, m.Place)
		}
	}
	return ps
}

// Packet takes a packet without its label. The owner bounds the packets of each address. The
// packets of strangers are bounded here, all together.
func (c *Cluster) Packet(b []byte, from netip.AddrPort) {
	t := c.transport()
	if t == nil {
		c.refused.Add(refusedAbsent)
		return
	}
	known := c.knows(from.Addr())
	if len(b) > MaxPacket {
		c.refused.Add(refusedPacket)
		return
	}
	if !known && !t.triers.mayAnswer(b) && !c.strangers.Allow() {
		c.refused.Add(refusedStranger)
		return
	}
	if err := vetPacket(b); err != nil {
		c.refused.Add(refusedPacket)
		c.log.Debug("packet dropped", zap.Stringer("from", from), zap.Error(err))
		return
	}
	if !known {
		c.credit.came(time.Now(), from.Addr(), len(b))
	}
	c.noteInbound()
	by := byStranger
	if known {
		by = byMember
	}
	t.triers.packet(b, from, by)
	t.packet(b, from)
}

// Stream takes a stream without its label. It sees to it that the stream is closed.
func (c *Cluster) Stream(conn net.Conn) {
	t := c.transport()
	if t == nil {
		c.refused.Add(refusedAbsent)
		conn.Close()
		return
	}
	c.noteInbound()
	t.stream(conn)
}

func (c *Cluster) transport() *transport {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.carrier
}

func (c *Cluster) noteInbound() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inbound = time.Now()
}

func (c *Cluster) mayTell(a netip.AddrPort) bool {
	return a.IsValid() && a.Port() != 0 && (c.cfg.MayTell == nil || c.cfg.MayTell(a.Addr()))
}

// exempt reports whether a node needs no share of its address: it is in this machine's own networks, or
// has a link to this one.
func (c *Cluster) exempt(id tree.ID, a netip.Addr) bool {
	return c.cfg.Near != nil && c.cfg.Near(a) || c.cfg.Linked != nil && c.cfg.Linked(id)
}

// knows reports whether a member has the address.
func (c *Cluster) knows(ip netip.Addr) bool { return c.view.hasIP(ip) }

// address is where gossip reaches this node.
func (c *Cluster) address() netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said.Addrs[0]
}

// sign makes and signs metadata from what the node says of itself now.
func (c *Cluster) sign(now time.Time) {
	_, heard := c.view.since()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = max(c.told+1, uint64(now.UnixMilli()), heard+1)
	c.said = c.self
	c.said.Addrs = slices.Clone(c.self.Addrs)
	id, _ := tree.ParseID(c.name) // it is one
	m := meta{told: c.told, Member: Member{
		Place: tree.Place{ID: id, Addrs: c.said.Addrs},
		Depth: NoDepth, Free: count(c.said.Free), Slots: count(c.said.Slots), Born: c.born,
	}}
	if c.said.Depth >= 0 {
		m.Depth = count(c.said.Depth)
	} else {
		m.Free = 0 // an orphan takes nobody
	}
	c.meta = m.sign(c.cfg.Key, c.cfg.Channel)
}

func count(n int) uint16 { return uint16(min(max(n, 0), NoDepth-1)) }

// NodeMeta returns the metadata. It and the methods below make Cluster memberlist's Delegate.
func (c *Cluster) NodeMeta(int) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.meta
}

// NotifyMsg is not used.
func (c *Cluster) NotifyMsg([]byte) {}

// GetBroadcasts is not used.
func (c *Cluster) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState is not used.
func (c *Cluster) LocalState(bool) []byte { return nil }

// MergeRemoteState is not used.
func (c *Cluster) MergeRemoteState([]byte, bool) {}

var (
	_ memberlist.Delegate      = (*Cluster)(nil)
	_ memberlist.AliveDelegate = (*view)(nil)
	_ memberlist.EventDelegate = events{}
)
