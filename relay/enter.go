package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"relay/relay/nameplate"
	"relay/relay/seal"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// dialPlace dials in a goroutine of its own, which ends with the dial.
func (c *Channel) dialPlace(a tree.Dial) {
	ctx, cancel := context.WithCancel(context.Background())
	c.dials[a.Link] = cancel
	c.wg.Go(func() {
		defer cancel()
		if d, ok := c.offers.take(a.Place.ID); ok {
			c.enter(d, a)
			return
		}
		a := a
		a.Place = c.node.believed(a.Place)
		d, err := c.dialOrCall(ctx, a)
		if err == nil {
			c.node.answered(a.Place, d)
		}
		if err == nil && c.pass.private && !knows3(d.conn) {
			d.conn.NetConn().Close()
			err = fmt.Errorf("%v: %w", d.addr, ErrOldPrivate)
		}
		if err != nil {
			if ctx.Err() == nil {
				c.log.Debug("dial failed", zap.Error(err))
				c.notices(DialFailed{a.Place, err})
			}
			switch {
			case errors.Is(err, errWrongNode):
				c.tell(tree.Down{Link: a.Link, End: tree.ByUs(tree.ReasonWrongNode)})
			case errors.Is(err, errNoCarrier), errors.Is(err, errNotCalled):
				c.tell(tree.Uncalled{Link: a.Link})
			default:
				c.tell(tree.Down{Link: a.Link, End: tree.Lost(tree.ReasonUnreachable)})
			}
			return
		}
		c.enter(d, a)
	})
}

// dialOrCall connects to a place, and has it called if that may be the only way: whichever is quicker.
func (c *Channel) dialOrCall(ctx context.Context, a tree.Dial) (dialed, error) {
	if a.Through.IsZero() {
		return c.node.dial(ctx, a.Place)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of no effect on a connection that is ready
	type result struct {
		d   dialed
		err error
	}
	results := make(chan result, 2)
	go func() { // both end with ctx at the latest
		d, err := c.callPlace(ctx, a.Place.ID, a.Through)
		d.called = true
		if err != nil {
			err = fmt.Errorf("called: %w", err)
		}
		results <- result{d, err}
	}()
	go func() {
		d, err := c.node.dial(ctx, a.Place)
		results <- result{d, err}
	}()
	first := <-results
	if first.err == nil {
		go func() { // the slower one is not needed
			if r := <-results; r.err == nil {
				r.d.conn.NetConn().Close()
			}
		}()
		return first.d, nil
	}
	second := <-results
	if second.err != nil {
		return dialed{}, fmt.Errorf("%w; %w", first.err, second.err)
	}
	return second.d, nil
}

// enter makes a dialled connection a link. The tree must not hear of it before it
// is in c.up, so both happen on the channel's goroutine.
func (c *Channel) enter(d dialed, a tree.Dial) {
	num := a.Link
	u := c.newUplink(num, d)
	u.place = a.Place
	addr := d.addr
	if d.offered || d.called {
		addr = netip.AddrPort{}
	}
	if !d.offered {
		c.node.noteLink(time.Now(), remoteAddr(d.conn.NetConn()).Addr(), true)
	}
	ok := c.query(func(*tree.Node) {
		delete(c.dials, num)
		c.up[num] = u
		c.names.abroad = c.names.abroad || !u.home
		c.showPass(u, d)
		c.begin(u, d.guard, wire.NewReader(d.conn, wire.Parent).Lend())
		c.handle(tree.Up{Link: num, Peer: d.peer, Addr: addr, Near: u.near, Called: d.called})
	})
	if !ok {
		d.conn.Close()
	}
}

// showPass has a link of a private channel begin with this node's proof, and wait for that of the other
// side, unless that has dialled: it has shown it then, with its offer.
func (c *Channel) showPass(u *uplink, d dialed) {
	if !c.pass.private {
		return
	}
	by := seal.Client
	if d.offered {
		by = seal.Server
	} else {
		u.proves = func(f wire.Frame) bool { return c.pass.proves(f, d.conn, seal.Server) }
	}
	proof, err := c.pass.prove(d.conn, by)
	if err != nil {
		u.cancel(err)
		return
	}
	u.send(proof)
}

func (c *Channel) newUplink(num tree.Link, d dialed) *uplink {
	near := c.node.near(time.Now(), d.addr.Addr())
	u := &uplink{
		link: newLink(num, d.peer, d.conn, near), intake: &c.intake, sample: func(s wire.Sample) { c.takeSample(d.peer, s) }, probed: c.peers.probed, later: c.takeLater, double: c.takeDouble, stolen: c.stolen,
		repeats: rate.NewLimiter(repeatRate, repeatBurst), begun: time.Now(),
		delivered: func() { c.tell(tree.Delivered{Link: num}) }, sweeper: &c.sweeper,
		pulse: pulse{link: num, started: c.started},
	}
	u.lineages, u.placed = rate.NewLimiter(lineageRate, lineageBurst), func(f wire.Lineage) error { return c.takeLineage(u, f) }
	u.home = c.node.homely(remoteAddr(d.conn.NetConn()).Addr())
	u.nodes = func(f wire.DHTNodes) error { return c.takeDHTNodes(u, f) }
	u.introduced = func(f wire.Frame) error {
		switch f := f.(type) {
		case *stream.About:
			return c.intake.takeAbout(f)
		case wire.Names:
			return c.takeName(u, f.Of)
		}
		return nil
	}
	d.guard.pass(u.passOn)
	u.calls = func(f wire.Frame) {
		switch f := f.(type) {
		case wire.Seen:
			c.saw(&u.link, f.Addr)
		case wire.Called:
			if !c.calls.answered(f) {
				c.refused.Add(callUnasked)
			}
		case wire.Meet:
			c.meet(&u.link, f)
		case wire.Ready:
			c.ready(&u.link, f)
		}
	}
	return u
}

// arrival is how the connection of a child was made.
type arrival uint8

const (
	cameIn    arrival = iota // the child has dialled this node
	dialledTo                // this node has dialled the child
	met                      // half-way, by a call
)

// accept makes a stranger who said Hello a link. It reports false if the channel has ended.
func (c *Channel) accept(g *guardedConn, conn *tls.Conn, r *wire.Reader, peer tree.ID, j tree.Join, shown *wire.Lineage, how arrival) bool {
	addr := remoteAddr(conn.NetConn())
	c.node.noteLink(time.Now(), addr.Addr(), false)
	came := c.believeAge(&j, shown, peer)
	d := c.newDownlink(tree.Link(c.inbound.Add(2)), peer, conn, c.node.near(time.Now(), addr.Addr()))
	joined := tree.Joined{Link: d.num, Peer: peer, Addr: addr, Near: d.near, Calls: d.knows2() && !j.NoCalls, Met: how == met, Join: j}
	d.listens, d.arrival, d.came = joined.Listens(), how, came
	d.sweepable(g)
	d.needy = !j.Standby && j.Within == 0
	return c.query(func(*tree.Node) {
		// The connection has no deadline but its writer's from here on.
		if err := conn.SetDeadline(time.Time{}); err != nil {
			return
		}
		r.Expect(wire.Child)
		c.down[d.num] = d
		c.names.abroad = c.names.abroad || !d.home
		c.begin(d, g, r)
		c.handle(joined)
	})
}

func (c *Channel) newDownlink(num tree.Link, peer tree.ID, conn *tls.Conn, near bool) *downlink {
	d := &downlink{
		link:    newLink(num, peer, conn, near),
		ring:    c.ring,
		started: c.started,
		total:   &c.sent,
		facts:   &c.reporting.facts,
		refused: &c.node.door.refused,
		cursors: make(chan *stream.Cursor, 1),
		told:    rate.NewLimiter(factsFrames, factsFrames),
		calling: rate.NewLimiter(callRate, callBurst),
		naming:  rate.NewLimiter(namesRate, namesBurst),
		sweeper: &c.sweeper,
		back:    make(chan error, 1),
	}
	d.later, d.double = c.takeLater, c.takeDouble
	d.seek = func(f wire.Seek) error { return c.takeSeek(d, f) }
	d.recall = func(f wire.Recall) error { return c.takeRecall(d, f) }
	d.home = conn != nil && c.node.homely(remoteAddr(conn.NetConn()).Addr()) // a test's has none
	d.watching.Store(untold)
	d.named = func(of []nameplate.Plate) error { return c.takeNames(d, of) }
	d.calls = func(f wire.Frame) {
		switch f := f.(type) {
		case wire.Call:
			c.carry(d, f)
		case wire.Meet:
			c.meet(&d.link, f)
		case wire.Ready:
			c.ready(&d.link, f)
		}
	}
	return d
}
