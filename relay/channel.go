package relay

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// eventQueue bounds what links have told the channel's goroutine and it has
	// not yet looked at; links wait when it is full.
	eventQueue = 256
	// gaugeInterval is how often slots are computed from the bit rate.
	gaugeInterval = 500 * time.Millisecond
	// uploadShare is the part of the upload that chunks may fill; the rest is for
	// headers of every layer, control, and the bit rate's ups and downs.
	uploadShare = 0.9
	// resolveInterval is how often names in the link are looked up again while
	// there is no parent.
	resolveInterval = 15 * time.Second
	// labelSlack is how far, in ms of the root's clock, a label may be ahead of the
	// newest signed beat: the interval of beats, and a few of them lost in a move.
	labelSlack = 5000
)

// Notice is something that a person may want to know about a channel.
type Notice struct {
	Attached *tree.Attached // a parent was found
	Orphaned *tree.Orphaned // the parent was lost
	Failed   *DialError     // a place did not answer
	Refused  *Refusal       // a place answered, and had nothing to offer
}

// Refusal is a node that neither took this one nor knew a better place.
type Refusal struct {
	Peer   tree.ID
	Reason tree.Reason
}

// DialError is a place that could not be reached.
type DialError struct {
	Place tree.Place
	Err   error
}

// Channel is one channel on this node: its ring, its place in the tree, its links.
type Channel struct {
	// Static.
	id      stream.ChannelID
	node    *Node
	ring    *stream.Ring
	writer  *stream.Writer // at the source only
	url     URL            // elsewhere: where to begin
	log     *zap.Logger
	notices func(Notice)
	started time.Time

	events chan tree.Event
	ask    chan func(*tree.Node)
	done   chan struct{}  // closed when the goroutine that drives the tree has ended
	wg     sync.WaitGroup // links, dials

	// Owned by Run's goroutine.
	tree  *tree.Node
	links map[tree.Link]*link
	dials map[tree.Link]context.CancelFunc
	gone  bool // the tree said Left

	// Shared.
	inbound atomic.Uint64 // numbers given to links that came in
	clock   atomic.Pointer[rootClock]
	beat    atomic.Pointer[stream.Beat]
	delay   atomic.Int64  // of the newest chunk, nanoseconds
	told    atomic.Uint64 // chunks that parents said they could not give
	fan     chan *stream.Beat
}

func (n *Node) newChannel(id stream.ChannelID, notices func(Notice)) *Channel {
	if notices == nil {
		notices = func(Notice) {}
	}
	return &Channel{
		id:      id,
		node:    n,
		ring:    stream.NewRing(n.cfg.Ring),
		log:     n.log.With(zap.String("channel", id.Short())),
		notices: notices,
		started: time.Now(),
		events:  make(chan tree.Event, eventQueue),
		ask:     make(chan func(*tree.Node)),
		done:    make(chan struct{}),
		links:   make(map[tree.Link]*link),
		dials:   make(map[tree.Link]context.CancelFunc),
		fan:     make(chan *stream.Beat, 1),
	}
}

// Source opens the channel of which this node is the root. The epoch must be later
// than every one used with the key before. Media goes into the writer.
func (n *Node) Source(key ed25519.PrivateKey, epoch stream.Epoch) (*Channel, *stream.Writer, error) {
	c := n.newChannel(stream.IDOf(key), nil)
	c.writer = stream.NewWriter(c.ring, key, epoch, time.Now())
	return c, c.writer, n.add(c)
}

// Watch opens a channel that comes from elsewhere. notices, which may be nil, is
// called with what happens; it must not block.
func (n *Node) Watch(u URL, notices func(Notice)) (*Channel, error) {
	c := n.newChannel(u.Channel, notices)
	c.url = u
	return c, n.add(c)
}

// ID returns the channel's ID.
func (c *Channel) ID() stream.ChannelID { return c.id }

// Ring returns the channel's recent chunks.
func (c *Channel) Ring() *stream.Ring { return c.ring }

// Run drives the channel until ctx ends, and then leaves in good order: children
// are told where to go and served until they have moved, 2 s at most.
func (c *Channel) Run(ctx context.Context) error {
	seeds, err := c.seeds(ctx)
	if err != nil {
		c.node.remove(c)
		close(c.done)
		return err
	}
	now := time.Now()
	cfg := tree.Config{
		Self:  tree.Place{ID: c.node.ID(), Addrs: c.node.cfg.Addrs},
		Slots: c.slots(),
		Seeds: seeds,
		Rand:  rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}
	if c.writer != nil {
		cfg.Root, cfg.Epoch, cfg.Start = true, tree.Epoch(c.writer.Epoch()), c.writer.Start()
		c.beat.Store(c.writer.Beat())
	}
	c.tree = tree.New(cfg, now)
	c.drive(ctx)
	c.node.remove(c)
	close(c.done)
	c.ring.Close()
	for _, l := range c.links {
		l.close(tree.ReasonLeaving)
	}
	for _, cancel := range c.dials {
		cancel()
	}
	c.wg.Wait()
	return nil
}

// drive is the one goroutine that touches c.tree. It never blocks but here.
func (c *Channel) drive(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	gauge := time.NewTicker(gaugeInterval)
	defer gauge.Stop()
	beat := time.NewTicker(stream.BeatInterval)
	defer beat.Stop()
	resolve := time.NewTicker(resolveInterval)
	defer resolve.Stop()
	leave := ctx.Done()
	for !c.gone {
		select {
		case ev := <-c.events:
			c.handle(ev)
		case <-timer.C:
			c.tree.Advance(time.Now())
		case f := <-c.ask:
			f(c.tree)
		case <-gauge.C:
			c.handle(tree.Capacity{Slots: c.slots()})
			c.handle(tree.Progress{Lost: c.ring.Stats().Lost})
		case <-beat.C:
			if c.writer != nil {
				c.fanOut(c.writer.Beat())
			}
		case b := <-c.fan:
			c.fanOut(b)
		case <-resolve.C:
			c.resolveAgain(ctx)
		case <-leave:
			leave = nil
			c.handle(tree.Leave{})
		}
		for a, ok := c.tree.Poll(); ok; a, ok = c.tree.Poll() {
			c.carryOut(a)
		}
		now := time.Now()
		if t, ok := c.tree.RootClock(now); ok {
			c.clock.Store(&rootClock{when: now, beat: t})
		}
		timer.Reset(time.Until(c.tree.Deadline()))
	}
}

func (c *Channel) handle(ev tree.Event) {
	if d, ok := ev.(tree.Down); ok {
		if l := c.links[d.Link]; l != nil {
			delete(c.links, d.Link)
			c.log.Debug("link ended", zap.String("peer", l.peer.Short()), zap.Stringer("reason", d.Reason),
				zap.NamedError("cause", context.Cause(l.ctx)))
		}
		delete(c.dials, d.Link)
	}
	if r, ok := ev.(tree.Received); ok {
		c.noticeRefusal(r)
		r.Msg = c.vouched(r.Msg)
		ev = r
	}
	c.tree.Handle(time.Now(), ev)
}

// vouched returns m without its label if the root has not signed for it. A label
// from the future would bind this node to whoever told it: no honest node could
// ever show a newer one. The root's newest signed beat is the bound, and every
// parent sends it ahead of its welcome; a label that outruns it for the moment is
// left out, not held against the sender.
func (c *Channel) vouched(m tree.Message) tree.Message {
	switch m := m.(type) {
	case tree.Welcome:
		m.Label = c.vouchedLabel(m.Label)
		return m
	case tree.Heartbeat:
		m.Label = c.vouchedLabel(m.Label)
		return m
	}
	return m
}

func (c *Channel) vouchedLabel(l tree.Label) tree.Label {
	b := c.beat.Load()
	if b == nil {
		return tree.Label{}
	}
	signed := tree.Label{Epoch: tree.Epoch(b.Epoch()), E: (b.Ms() + labelSlack) / uint64(tree.LabelStep.Milliseconds())}
	if l.Newer(signed) {
		return tree.Label{}
	}
	return l
}

func (c *Channel) noticeRefusal(r tree.Received) {
	l := c.links[r.Link]
	if l == nil || l.feeding.Load() || r.Link%2 == 0 {
		return
	}
	switch m := r.Msg.(type) {
	case tree.Refer:
		if len(m.Places) == 0 {
			c.notices(Notice{Refused: &Refusal{l.peer, m.Reason}})
		}
	case tree.Bye:
		c.notices(Notice{Refused: &Refusal{l.peer, m.Reason}})
	}
}

// tell gives the driving goroutine an event, and waits if it is behind.
func (c *Channel) tell(ev tree.Event) {
	select {
	case c.events <- ev:
	case <-c.done:
	}
}

// hear reports that bytes came over a link, if there is room: the next ones will
// say the same.
func (c *Channel) hear(l tree.Link) {
	select {
	case c.events <- tree.Heard{Link: l}:
	default:
	}
}

func (c *Channel) carryOut(a tree.Action) {
	switch a := a.(type) {
	case tree.Dial:
		c.dialPlace(a)
	case tree.Send:
		if l := c.links[a.Link]; l != nil {
			if r, ok := a.Msg.(tree.Refer); ok {
				c.log.Debug("joiner referred", zap.String("peer", l.peer.Short()), zap.Stringer("reason", r.Reason))
			}
			if j, ok := a.Msg.(tree.Join); ok {
				l.send(wire.Hello{Channel: c.id, Join: j})
				return
			}
			if _, ok := a.Msg.(tree.Welcome); ok { // what makes its label believable
				if b := c.beat.Load(); b != nil {
					l.send(b)
				}
			}
			l.send(a.Msg)
		}
	case tree.Close:
		if l := c.links[a.Link]; l != nil {
			l.close(a.Reason)
		}
		if cancel := c.dials[a.Link]; cancel != nil {
			cancel()
		}
	case tree.Feed:
		if l := c.links[a.Link]; l != nil {
			l.feeding.Store(true)
			h := c.ring.Head()
			l.send(tree.Pull{Have: tree.Position{Epoch: tree.Epoch(h.Epoch), Seq: h.Seq}})
		}
	case tree.Serve:
		if l := c.links[a.Link]; l != nil {
			l.serve <- c.ring.Resume(stream.Position{Epoch: stream.Epoch(a.Have.Epoch), Seq: a.Have.Seq}) // once per link
		}
	case tree.Attached:
		c.log.Info("attached", zap.String("parent", a.Parent.ID.Short()), zap.Int("depth", a.Depth))
		c.notices(Notice{Attached: &a})
	case tree.Orphaned:
		c.log.Info("parent lost", zap.Stringer("reason", a.Reason))
		c.notices(Notice{Orphaned: &a})
	case tree.Left:
		c.gone = true
	}
}

// dialPlace dials in a goroutine of its own, which ends with the dial.
func (c *Channel) dialPlace(a tree.Dial) {
	ctx, cancel := context.WithCancel(context.Background())
	c.dials[a.Link] = cancel
	c.wg.Go(func() {
		defer cancel()
		d, err := c.node.dial(ctx, a.Place)
		if err != nil {
			if ctx.Err() == nil {
				c.log.Debug("dial failed", zap.Error(err))
				c.notices(Notice{Failed: &DialError{a.Place, err}})
			}
			r := tree.ReasonUnreachable
			if errors.Is(err, errWrongNode) {
				r = tree.ReasonWrongNode
			}
			c.tell(tree.Down{Link: a.Link, Reason: r})
			return
		}
		c.enter(d, a.Link)
	})
}

// enter makes a dialled connection a link. The tree must not hear of it before it
// is in c.links, so both happen on the driving goroutine.
func (c *Channel) enter(d dialed, num tree.Link) {
	l := c.newLink(num, d.peer, d.conn)
	ok := c.query(func(*tree.Node) {
		delete(c.dials, num)
		c.links[num] = l
		l.start(d.guard, wire.NewReader(d.conn, wire.Parent))
		c.handle(tree.Up{Link: num, Peer: d.peer, Addr: d.addr})
	})
	if !ok {
		d.conn.Close()
	}
}

// accept makes a stranger who said Hello a link. It reports false if the channel
// has ended.
func (c *Channel) accept(g *guardedConn, conn *tls.Conn, r *wire.Reader, peer tree.ID, j tree.Join) bool {
	num := tree.Link(c.inbound.Add(2))
	l := c.newLink(num, peer, conn)
	return c.query(func(*tree.Node) {
		// The connection has no deadline but its writer's from here on.
		if err := conn.SetDeadline(time.Time{}); err != nil {
			return
		}
		r.Expect(wire.Child)
		c.links[num] = l
		l.start(g, r)
		c.handle(tree.Joined{Link: num, Peer: peer, Addr: remoteAddr(conn.NetConn()), Join: j})
	})
}

// query runs f on the driving goroutine and waits for it. It reports false if the
// channel has ended.
func (c *Channel) query(f func(*tree.Node)) bool {
	ran := make(chan struct{})
	select {
	case c.ask <- func(n *tree.Node) { f(n); close(ran) }:
		<-ran
		return true
	case <-c.done:
		return false
	}
}

// passBeat hands a beat to the driving goroutine; a newer one replaces one that
// still waits.
func (c *Channel) passBeat(b *stream.Beat) {
	for {
		select {
		case c.fan <- b:
			return
		default:
		}
		select {
		case <-c.fan:
		default:
		}
	}
}

func (c *Channel) fanOut(b *stream.Beat) {
	c.beat.Store(b)
	for _, num := range slices.Sorted(maps.Keys(c.links)) {
		if num%2 == 0 { // a child: it came in
			c.links[num].send(b)
		}
	}
}

// slots is how many children the node can carry at the stream's bit rate.
func (c *Channel) slots() int {
	most := c.node.cfg.Slots
	if up := c.node.cfg.Upload; up > 0 {
		if rate := c.ring.Stats().BitRate; rate > 0 {
			return min(most, int(float64(up)*uploadShare/float64(rate)))
		}
	}
	return most
}

// seeds turns the link's addresses into places. Names are looked up; it is an
// error if none of them can be.
func (c *Channel) seeds(ctx context.Context) ([]tree.Place, error) {
	var ps []tree.Place
	var last error
	for _, h := range c.url.Hosts {
		addrs, err := lookup(ctx, h)
		if err != nil {
			last = err
			continue
		}
		ps = append(ps, tree.Place{Addrs: addrs})
	}
	if len(ps) == 0 && last != nil {
		return nil, last
	}
	return ps, nil
}

func lookup(ctx context.Context, h HostPort) ([]netip.AddrPort, error) {
	if ip, err := netip.ParseAddr(h.Host); err == nil {
		return []netip.AddrPort{netip.AddrPortFrom(ip, h.Port)}, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", h.Host)
	if err != nil {
		return nil, err
	}
	var addrs []netip.AddrPort
	for _, ip := range ips[:min(len(ips), tree.MaxAddrs)] {
		addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), h.Port))
	}
	return addrs, nil
}

// resolveAgain looks the link's names up once more while there is no parent: a
// home's address changes.
func (c *Channel) resolveAgain(ctx context.Context) {
	if c.writer != nil || c.tree.Info().Attached || ctx.Err() != nil {
		return
	}
	c.wg.Go(func() { // ends with the resolver, or with ctx
		if ps, err := c.seeds(ctx); err == nil {
			c.tell(tree.Candidates{Places: ps})
		}
	})
}
