package relay

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"relay/relay/hostnet"
	"relay/relay/membership"
	"relay/relay/quota"
	"relay/relay/refusal"
	"relay/relay/seal"
	"relay/relay/store"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// DefaultSlots is how many children a node takes when nothing says otherwise:
// eight 3 Mb/s streams fit the upload of a home with fibre, and a LAN carries any.
const DefaultSlots = 8

// Config is what a Node is made of. Key is required.
type Config struct {
	Key      ed25519.PrivateKey
	Listener net.Listener // Run closes it; nil for a node that nobody can reach
	// Packet is the packet socket with the listener's port number; Run closes it. Without it
	// the node takes no part in gossip and asks its parent for other nodes.
	Packet net.PacketConn
	// Addrs is where others can reach the listener at first, the most useful first; at most
	// tree.MaxAddrs are told. See Node.Relocate.
	Addrs []netip.AddrPort
	// NoPackets reports of an address of Addrs that packets to it do not lead to Packet, as
	// where a router has opened the port for connections alone: gossip does not use it. It
	// is called from several goroutines. Nil if they lead there from all.
	NoPackets func(netip.AddrPort) bool
	// Slots is the most children per channel; DefaultSlots if 0, none if negative.
	Slots int
	// Upload is what the node may send, bit/s, to children beyond its own subnets: Upload /
	// bit rate of them, of all channels together. If 0, the node finds how many there can be by how they keep up.
	Upload int
	// Members is how many nodes of a channel take part in its gossip;
	// membership.DefaultMax if 0.
	Members int
	// Helper takes offers of parents that nobody can dial, for the channels that it carries.
	Helper bool
	// Brought lets sources bring a helper further channels.
	Brought Brought
	// MaxRate is the highest bit rate, bit/s, of a stream from elsewhere; a channel with a higher
	// one ends with a TooFastError. 0 if there is none.
	MaxRate int
	// Recordings takes a stream that is older than a minute by this machine's clock, too.
	Recordings bool
	// AskDomain returns the addresses at which a domain says that the channel is, those to try first in
	// front; nil if no domain in an invite is asked. It is called again and again while there is no parent,
	// from several goroutines, and keeps what it has learnt for a while. Its errors are for people.
	AskDomain func(ctx context.Context, domain string, id stream.ChannelID) ([]netip.AddrPort, error)
	// Store keeps the nodes of channels that are watched; nil for none.
	Store *store.Store
	Ring  stream.Limits
	// Version is the program's, for others to see: up to wire.MaxVersion printable
	// ASCII characters; may be empty.
	Version string
	// Name is what the node calls itself to all, and HostName to nodes in its own networks as long as it
	// has to do with no others, in channels that are not private. Either may be empty.
	Name, HostName string
	// HideNames says to all nodes of the channel of which this one is the source that none is called by
	// its name.
	HideNames bool
	// Suggested says that addresses may come by [Channel.SuggestPlaces]: a channel goes on without any.
	Suggested bool
	// DHT is what is told of nodes of the BitTorrent DHT.
	DHT DHT
	// Notices, if not nil, is called with what happens in any channel. It must not block.
	Notices func(stream.ChannelID, Notice)
	Log     *zap.Logger // nil for none
	// Dial replaces net.Dialer in tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Near replaces the look at this machine's own subnets in tests: whether an
	// address is in one of them.
	Near func(netip.Addr) bool
}

// ErrOpen means that the node carries the channel already.
var ErrOpen = errors.New("it is open already")

func (c *Config) validate() error {
	switch {
	case len(c.Key) != ed25519.PrivateKeySize:
		return errors.New("relay: Config.Key is missing")
	case c.Upload < 0:
		return fmt.Errorf("relay: Config.Upload is %d", c.Upload)
	case c.MaxRate < 0 || c.Brought.Most < 0:
		return fmt.Errorf("relay: Config.MaxRate is %d, Config.Brought.Most %d", c.MaxRate, c.Brought.Most)
	}
	return nil
}

// Node is one relaying process: its identity, its listener and its channels.
type Node struct {
	cfg   Config
	ident identity
	log   *zap.Logger

	dialShort dialer                                         // connections with short segments; nil where there are none
	knock     func(context.Context, knock) (net.Conn, error) // nil where no port can be shared
	onePort   bool                                           // links into the Internet leave from localPort
	localPort localPort
	outside   outside

	portTLS, linkTLS, gossipTLS *tls.Config

	nobody pass // of no channel; see named

	mu       sync.Mutex
	addrs    []netip.AddrPort // where others can reach the listener; never changed in place
	channels map[stream.ChannelID]*Channel
	clusters map[membership.Label]*Channel // those that take part in gossip

	thefts  thefts
	door    door
	hearsay hearsay
	joins   quota.Addrs
	packets quota.Addrs
	// gossipRefused counts what gossip has refused, of all channels.
	gossipRefused refusal.Counts
	gossips       clusterCount
	subnets       hostnet.Subnets
	answers       *rate.Limiter // bytes to those who ask for a view

	trials    quota.Addrs   // connections that try nodes
	trialSlot chan struct{} // one for each that is under way
	callbacks chan struct{} // likewise of those that were asked for with DialMe

	uploads uploadShares
	brought brought
	tooFast tooFast
}

// New returns a node. It does nothing until Run.
func New(cfg Config) (*Node, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Slots == 0 {
		cfg.Slots = DefaultSlots
	}
	cfg.Slots = max(0, cfg.Slots)
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	var short dialer                                          // none beside a dialer of tests
	var knocks func(context.Context, knock) (net.Conn, error) // likewise
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
		if hasShortSegments {
			short = (&net.Dialer{Control: shortSegments}).DialContext
		}
		if sharesPorts {
			knocks = knockOnce
		}
	}
	ident, err := newIdentity(cfg.Key)
	if err != nil {
		return nil, err
	}
	return &Node{
		cfg:       cfg,
		dialShort: short,
		knock:     knocks,
		onePort:   knocks != nil,
		outside:   outside{now: time.Now},
		ident:     ident,
		log:       cfg.Log,
		addrs:     cfg.Addrs[:min(len(cfg.Addrs), tree.MaxAddrs)],
		portTLS:   ident.tlsConfig(alpn, alpn5, alpn4, alpn3, alpn2, alpn1, alpnGossip),
		linkTLS:   ident.tlsConfig(alpn, alpn5, alpn4, alpn3, alpn2, alpn1),
		gossipTLS: ident.tlsConfig(alpnGossip),
		nobody:    pass{join: seal.Nobody()},
		channels:  make(map[stream.ChannelID]*Channel),
		clusters:  make(map[membership.Label]*Channel),
		hearsay:   newHearsay(),
		joins:     quota.Addrs{Rate: joinRate, Burst: joinBurst},
		packets:   quota.Addrs{Rate: packetRate, Burst: packetBurst},
		answers:   rate.NewLimiter(answerRate, answerBurst),
		trials:    quota.Addrs{Rate: trialRate, Burst: trialBurst},
		trialSlot: make(chan struct{}, trials),
		callbacks: make(chan struct{}, dialBacksMost),
		brought:   newBrought(),
	}, nil
}

// Addrs returns where others can reach the node, the most useful first.
func (n *Node) Addrs() []netip.AddrPort {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.addrs
}

// Seen returns the IPv4 addresses of the Internet at which the newest parents saw this node;
// none if there was no parent out there.
func (n *Node) Seen() []netip.Addr {
	var seen []netip.Addr
	for _, c := range n.Channels() {
		if a := c.peers.seenInTheWorld(); a.IsValid() && !slices.Contains(seen, a) {
			seen = append(seen, a)
		}
	}
	return seen
}

// Near reports whether an address is this machine's or in one of its own subnets.
func (n *Node) Near(addr netip.Addr) bool { return n.near(time.Now(), addr) }

// near reports whether traffic to addr stays off this machine's Internet link.
func (n *Node) near(now time.Time, addr netip.Addr) bool {
	if n.cfg.Near != nil {
		return n.cfg.Near(addr)
	}
	return n.subnets.Near(now, addr)
}

// Refused returns how often something of strangers or on others' word was refused since the node was
// made, by where and why: connections at the node's port (link), addresses that others named (dial),
// and gossip. `relay doctor` has words for the reasons.
func (n *Node) Refused() map[string]map[refusal.Reason]uint64 {
	return map[string]map[refusal.Reason]uint64{
		"link": n.door.refused.All(), "dial": n.hearsay.refused.All(), "gossip": n.gossipRefused.All(),
	}
}

// ID returns the node's own ID.
func (n *Node) ID() tree.ID { return n.ident.id }

// Channel returns the channel with that ID, nil if the node does not carry it.
func (n *Node) Channel(id stream.ChannelID) *Channel {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.channels[id]
}

// Channels returns the channels that the node carries, in the order of their IDs.
func (n *Node) Channels() []*Channel {
	n.mu.Lock()
	defer n.mu.Unlock()
	var cs []*Channel
	for _, c := range n.channels {
		cs = append(cs, c)
	}
	slices.SortFunc(cs, func(a, b *Channel) int { return slices.Compare(a.id[:], b.id[:]) })
	return cs
}

func (n *Node) add(c *Channel) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.channels[c.id] != nil {
		return fmt.Errorf("channel %s: %w", c.id.Short(), ErrOpen)
	}
	c.peers.readdress(n.addrs, nil, false) // Relocate may have come since the channel was made
	n.channels[c.id] = c
	if c.peers.gossip != nil {
		n.clusters[c.gossipLabel()] = c
	}
	return nil
}

func (n *Node) remove(c *Channel) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.uploads.forget(c.id)
	delete(n.channels, c.id)
	delete(n.clusters, c.gossipLabel())
}

// Run accepts links until ctx ends, and then waits for handshakes under way. If a channel has ended
// with a [StolenError] less than 3 s before, it goes on until then, and tells that to those who come. It
// fails if the listener does.
func (n *Node) Run(ctx context.Context) error {
	if n.cfg.Listener == nil {
		<-ctx.Done()
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer n.brought.running.Wait()
	if n.cfg.Packet != nil {
		wg.Go(func() { n.readPackets(ctx) })
	}
	defer wg.Wait()
	defer cancel()
	told, end := n.thefts.outlast(ctx)
	defer end()
	stop := context.AfterFunc(told, func() { n.cfg.Listener.Close() })
	defer stop()

	for {
		conn, err := n.cfg.Listener.Accept()
		if err != nil {
			if told.Err() != nil {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("accept: %w", err)
			}
			n.log.Warn("accept", zap.Error(err)) // out of file descriptors, most likely
			select {
			case <-time.After(100 * time.Millisecond):
			case <-told.Done():
			}
			continue
		}
		from := remoteAddr(conn).Addr()
		if !lets(&n.joins, time.Now(), from) {
			n.door.refused.Add(doorTooOften)
			conn.Close()
			continue
		}
		v := n.door.enter(conn, from)
		wg.Go(func() { // ends with its own deadline, or with told
			defer n.door.leave(v)
			if err := n.greet(ctx, told, conn, v); err != nil {
				n.door.turnedAway(v, err)
				n.log.Debug("stranger turned away", zap.Stringer("from", conn.RemoteAddr()), zap.Error(err))
				conn.Close()
			}
		})
	}
}

// greet makes a stranger's connection a link of the channel it asks for. The connection ends with told
// at the latest; what else is begun for it, with ctx.
func (n *Node) greet(ctx, told context.Context, conn net.Conn, v *visitor) error {
	defer context.AfterFunc(told, func() { conn.Close() })()
	if err := conn.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return err
	}
	if err := boundUnsent(conn); err != nil {
		n.log.Debug("connection may hide what waits", zap.Error(err)) // it works all the same
	}
	g := newGuardedConn(conn)
	if err := g.readFirst(func() { n.door.spoke(v) }); err != nil {
		return refuse(doorSilent, fmt.Errorf("read the first message: %w", err))
	}
	if err := n.door.await(told, v); err != nil {
		return refuse(doorBusy, err)
	}
	tc := tls.Server(g, n.portTLS)
	if err := tc.HandshakeContext(told); err != nil {
		return refuse(doorTLS, fmt.Errorf("handshake: %w", err))
	}
	peer, err := peerID(tc.ConnectionState())
	if err != nil {
		return refuse(doorTLS, err)
	}
	if tc.ConnectionState().NegotiatedProtocol == alpnGossip {
		return n.greetGossip(g, tc, v)
	}
	r := wire.NewReader(tc, wire.Stranger)
	f, with, err := firstFrame(r)
	if err != nil {
		if errors.Is(err, wire.ErrVersion) {
			sayBye(tc, tree.ReasonVersion)
			return refuse(doorVersion, fmt.Errorf("read hello: %w", err))
		}
		return refuse(doorHello, fmt.Errorf("read hello: %w", err))
	}
	if s, ok := f.(wire.Survey); ok {
		return n.answer(tc, r, s, with.proof)
	}
	if o, ok := f.(wire.Offer); ok {
		d := dialed{guard: g, conn: tc, peer: peer, addr: remoteAddr(conn), offered: true}
		if err := n.admitOffer(ctx, o, with, d); err != nil {
			return refuse(doorOffer, err)
		}
		n.door.know(v)
		return refuse(doorOffer, n.takeOffer(o, d, with.proof))
	}
	if l, ok := f.(wire.Later); ok {
		return n.answerLater(tc, l, with.proof)
	}
	if d, ok := f.(wire.DialMe); ok {
		return n.dialBack(ctx, tc, d, peer, v, with.proof)
	}
	hello, ok := f.(wire.Hello)
	if !ok {
		return refuse(doorHello, fmt.Errorf("read hello: %w", wire.ErrNotDue))
	}
	c := n.named(hello.Channel, with.proof, tc)
	if c == nil {
		return n.notCarried(tc, hello.Channel, with.proof)
	}
	n.door.know(v)
	if err := c.proveBack(tc); err != nil {
		return err
	}
	if !c.accept(g, tc, r, peer, hello.Join, with.lineage, cameIn) {
		if t, ok := n.thefts.get(time.Now(), c.id); ok && knows3(tc) {
			return t.tell(tc)
		}
		sayBye(tc, tree.ReasonChannel)
		return refuse(doorChannel, tree.ReasonChannel)
	}
	return nil
}

// notCarried tells a stranger that the channel it has named is not carried, and ends the connection.
func (n *Node) notCarried(tc *tls.Conn, id stream.ChannelID, proof wire.Frame) error {
	if told, err := n.answerTheft(tc, id, proof); told {
		return err
	}
	sayBye(tc, tree.ReasonChannel)
	return refuse(doorChannel, tree.ReasonChannel)
}

// sayBye tells a peer why it is turned away, if that still reaches it.
func sayBye(conn net.Conn, r tree.Reason) {
	// The connection is about to close: an error here changes nothing.
	_, _ = conn.Write(wire.Append(nil, tree.Bye{Reason: r}))
}

func remoteAddr(conn net.Conn) netip.AddrPort { return addrPort(conn.RemoteAddr()) }

func addrPort(addr net.Addr) netip.AddrPort {
	a, ok := addr.(interface{ AddrPort() netip.AddrPort })
	if !ok {
		return netip.AddrPort{}
	}
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
