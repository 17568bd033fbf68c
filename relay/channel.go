package relay

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"relay/relay/refusal"
	"relay/relay/seal"
	"relay/relay/stream"
	"relay/tree"
)

// Channel is one channel on this node: its ring, its place in the tree, its links.
type Channel struct {
	// Static.
	id      stream.ChannelID
	access  seal.Access // to a private channel; zero for a public one
	pass    pass        // that follows from it
	node    *Node
	ring    *stream.Ring   // what crosses links
	plain   *stream.Ring   // what players get: the same, or opened
	opener  *stream.Opener // that fills it; nil if it is the same, or stays empty
	writer  *stream.Writer // at the source only
	invite  Invite         // elsewhere: where to begin
	found   []tree.Place   // likewise, of this network
	log     *zap.Logger
	notices func(Notice)
	started time.Time

	events    chan tree.Event
	ask       chan func(*tree.Node)
	relocated chan struct{}  // holds one value when there are other addresses to look at
	done      chan struct{}  // closed when the channel's goroutine has ended
	wg        sync.WaitGroup // links, dials, gossip

	// Owned by the channel's goroutine, which is in drive.
	tree      *tree.Node
	up        map[tree.Link]*uplink
	down      map[tree.Link]*downlink
	dials     map[tree.Link]context.CancelFunc
	left      bool // the tree said Left
	lag       lag
	behind    time.Duration // the lag as it was last measured
	room      *headroom
	lingering int // links that wait for calls
	change    parentChange
	leftPeers leftPeers
	speed     speedCheck
	// tooFast is why it ends, if its stream is above Config.MaxRate.
	tooFast *TooFastError

	// Shared; each says who may do what.
	intake    intake
	peers     peers
	reporting reporting
	audience  audience
	names     names
	dialBacks dialBacks
	offers    offers
	descent   descent
	epochs    epochs
	history   history
	theft     *StolenError // why it ends, if its key is used by two; owned by the channel's goroutine
	calls     calls
	meetings  meetings
	refused   refusal.Counts // in calls
	answers   answers
	sweeper   sweeper
	inbound   atomic.Uint64 // numbers given to links that came in
	sent      atomic.Uint64 // payload bytes to children, including those that are gone
}

func (n *Node) newChannel(id stream.ChannelID, access seal.Access, notices func(Notice)) *Channel {
	all := n.cfg.Notices
	ring, addrs, now := stream.NewRing(n.cfg.Ring), n.Addrs(), time.Now()
	plain, opener := ring, (*stream.Opener)(nil)
	if access.Private() {
		plain = stream.NewRing(n.cfg.Ring)
	}
	if access.CanRead() {
		opener = stream.NewOpener(access.Content(id), ring, plain)
	}
	c := &Channel{
		id:        id,
		access:    access,
		pass:      passOf(id, access),
		node:      n,
		ring:      ring,
		plain:     plain,
		opener:    opener,
		log:       n.log.With(zap.String("channel", id.Short())),
		started:   now,
		events:    make(chan tree.Event, eventQueue),
		ask:       make(chan func(*tree.Node)),
		relocated: make(chan struct{}, 1),
		done:      make(chan struct{}),
		up:        make(map[tree.Link]*uplink),
		down:      make(map[tree.Link]*downlink),
		dials:     make(map[tree.Link]context.CancelFunc),
		intake:    newIntake(id, ring, now),
		room:      newHeadroom(n.cfg.Slots, n.cfg.Upload),
		peers:     peers{self: n.ID(), given: addrs, addrs: addrs, noPackets: n.cfg.NoPackets},

		reporting: reporting{survey: newSurvey()},
		dialBacks: dialBacks{turn: make(chan struct{}, 1)},
		epochs:    newEpochs(),
		history:   newHistory(),
		descent:   descent{node: n.cfg.Key, strangers: rate.NewLimiter(placeRate, placeBurst)},
		sweeper:   newSweeper(),
	}
	c.notices = func(n Notice) {
		c.answers.note(n, time.Now())
		if notices != nil {
			notices(n)
		}
		if all != nil {
			all(id, n)
		}
	}
	return c
}

// Source opens the channel of which this node is the root. The epoch must be later
// than all that were used with the key before. Media goes into the writer.
func (n *Node) Source(key ed25519.PrivateKey, epoch stream.Epoch) (*Channel, *stream.Writer, error) {
	return n.PrivateSource(key, seal.Access{}, epoch)
}

// PrivateSource is Source for a channel that only those watch who have the secret; a public one if
// access is zero.
func (n *Node) PrivateSource(key ed25519.PrivateKey, access seal.Access, epoch stream.Epoch) (*Channel, *stream.Writer, error) {
	id := stream.IDOf(key)
	if access.Private() && !access.CanRead() {
		return nil, nil, fmt.Errorf("channel %s: the secret is missing", id.Short())
	}
	c := n.newChannel(id, access, nil)
	c.descent.root = key
	c.writer = stream.NewSealedWriter(c.ring, key, access.Content(id), epoch, time.Now())
	c.peers.gossip = c.newCluster()
	return c, c.writer, n.add(c)
}

// Watch opens a channel that comes from elsewhere. notices, which may be nil, is
// called with what happens; it must not block. found are further addresses to begin at,
// such as those that answered on this network: they may have a zone, which an invite
// cannot have, and if there are some, or some may be suggested later, the invite needs no hosts.
func (n *Node) Watch(inv Invite, notices func(Notice), found ...netip.AddrPort) (*Channel, error) {
	if inv.Access.Private() && !inv.Access.CanJoin() {
		return nil, ErrPassphrase
	}
	c := n.newChannel(inv.Channel, inv.Access, notices)
	c.invite, c.found = inv, placesAt(found)
	c.peers.gossip = c.newCluster()
	return c, n.add(c)
}

// within returns a context that ends after a time, or with the channel.
func (c *Channel) within(d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	go func() { // ends with ctx
		select {
		case <-c.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// ID returns the channel's ID.
func (c *Channel) ID() stream.ChannelID { return c.id }

// Ring returns the channel's recent chunks, for players. It stays empty if the node cannot read them.
func (c *Channel) Ring() *stream.Ring { return c.plain }

// Carried returns the channel's recent chunks as they cross links: sealed, if the channel is private.
func (c *Channel) Carried() *stream.Ring { return c.ring }

// Run drives the channel until ctx ends, and then leaves in good order: children
// are told where to go and served until they have moved, 2 s at most. The source has
// nowhere to send them and leaves at once. It also ends, with a [TooFastError], if the
// stream is above Config.MaxRate, and at the source, with a [ReplacedError], if there is a later run of
// the channel elsewhere. A [StolenError] ends it if the channel's key is used by two.
func (c *Channel) Run(ctx context.Context) error {
	ctx, ended := context.WithCancel(ctx)
	defer ended()
	seeds, err := c.seeds(ctx)
	known := c.remembered()
	if err != nil && c.node.cfg.Suggested {
		c.notices(NoSuchHost{err})
	} else if err != nil && len(known) == 0 {
		c.node.remove(c)
		close(c.done)
		return err
	}
	c.intake.floor, c.intake.recordings = c.seenBefore(), c.node.cfg.Recordings
	now := time.Now()
	cfg := tree.Config{
		Self:  tree.Place{ID: c.node.ID(), Addrs: c.node.Addrs()},
		Slots: c.node.cfg.Slots,
		Seeds: seeds, Probes: true, Proofs: true, Calls: c.node.calls(),
		Rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}
	if c.writer != nil {
		cfg.Root, cfg.Epoch, cfg.Start = true, tree.Epoch(c.writer.Epoch()), c.writer.Start()
		c.writer.Follow(now, c.intake.wall()) // the run is later than the one before, even if that makes it begin in the past
		c.intake.beat.Store(c.writer.Beat())
	}
	c.tree = tree.New(cfg, now)
	c.peers.invited = seeds
	c.peers.rememberAt = now.Add(rememberFirst)
	if c.writer != nil {
		c.wg.Go(func() { c.meetOthers(placesOf(known)) }) // ends with the channel's goroutine
	} else if len(known) > 0 { // behind the invite's own addresses
		c.tree.Handle(now, tree.Candidates{Of: known})
	}
	if g := c.peers.gossip; g != nil {
		c.node.gossips.add(1)
		c.wg.Go(func() { // ends with ctx
			defer c.node.gossips.add(-1)
			_ = g.Run(ctx) // it never fails
		})
	}
	c.open()
	if c.history.archive != nil && c.writer == nil {
		c.wg.Go(c.recall) // ends with the channel's goroutine
	}
	sweeping, swept := context.WithCancel(context.Background())
	var sweeper sync.WaitGroup
	sweeper.Go(func() { c.sweeper.run(sweeping, c.writer != nil) })
	c.drive(ctx)
	ended() // it may have left for its own reasons
	c.node.remove(c)
	close(c.done)
	c.ring.Close()
	for _, u := range c.up {
		u.close(tree.ByUs(tree.ReasonLeaving))
	}
	for _, d := range c.down {
		d.close(tree.ByUs(tree.ReasonLeaving))
	}
	for _, cancel := range c.dials {
		cancel()
	}
	c.offers.close()
	c.wg.Wait()
	swept()
	sweeper.Wait()
	if c.tooFast != nil {
		return c.tooFast
	}
	if c.theft != nil {
		return c.theft
	}
	if c.epochs.replaced != nil {
		return c.epochs.replaced
	}
	return nil
}
