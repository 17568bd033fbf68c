package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"relay/relay/seal"
	"relay/relay/wire"
	"relay/tree"
)

// How long two nodes try to meet. See wire/spec.md, Calls.
const (
	meetTime = 4 * time.Second
	// meetTries bounds the packets to an address that only a third node has told of.
	meetTries = 10
	// meetTry is less than the second after which a system sends the first packet again.
	meetTry   = 900 * time.Millisecond
	meetSoon  = 50 * time.Millisecond  // after a refusal,
	meetLater = 250 * time.Millisecond // and after one more than meetFirst
	meetFirst = 5
	// calledTime is how long the node in between may take to answer.
	calledTime = 2 * time.Second
	// carriedFor is how long a link is kept on which a node was sent to others by a call; the node
	// that was sent gives it up a second before.
	carriedFor = 6 * time.Second
	// carriedMost bounds these.
	carriedMost = 64
)

var (
	errNoCarrier = errors.New("the node that named it is linked with this one no more")
	errNotCalled = errors.New("the node that named it does not call it")
	errMissed    = errors.New("it does not get through either")
)

// calls are the nodes that this one has called, and what came of it.
type calls struct {
	mu      sync.Mutex
	waiting map[tree.ID]*awaited
}

// awaited is what a call waits for.
type awaited struct {
	called  chan wire.Called
	offered chan dialed
}

// begin registers a call. It reports false if there is one already.
func (c *calls) begin(id tree.ID) (*awaited, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting[id] != nil {
		return nil, false
	}
	if c.waiting == nil {
		c.waiting = make(map[tree.ID]*awaited)
	}
	w := &awaited{called: make(chan wire.Called, 1), offered: make(chan dialed, 1)}
	c.waiting[id] = w
	return w, true
}

// end forgets a call, and closes a connection that came too late.
func (c *calls) end(id tree.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case d := <-c.waiting[id].offered:
		d.conn.NetConn().Close()
	default:
	}
	delete(c.waiting, id)
}

// answered takes an answer of the node in between. It reports false if none is waited for: one is
// enough.
func (c *calls) answered(f wire.Called) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.waiting[f.Target]; w != nil {
		select {
		case w.called <- f:
			return true
		default:
		}
	}
	return false
}

// awaits reports whether a node is called.
func (c *calls) awaits(id tree.ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting[id] != nil
}

// offered takes a connection that a node has made which this one has called. It reports false if it
// has not, or if there is one already.
func (c *calls) offered(d dialed) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.waiting[d.peer]; w != nil {
		select {
		case w.offered <- d:
			return true
		default:
		}
	}
	return false
}

// callPlace has the node that named a place carry a call there, and connects at the same time as
// the node that is called.
func (c *Channel) callPlace(ctx context.Context, to, through tree.ID) (dialed, error) {
	w, ok := c.calls.begin(to)
	if !ok {
		return dialed{}, errNotCalled
	}
	defer c.calls.end(to)
	ctx, cancel := context.WithTimeout(ctx, calledTime+meetTime)
	defer cancel()
	var carrier *uplink
	c.query(func(*tree.Node) {
		for _, u := range c.up {
			if u.peer == through && u.knows2() && u.ctx.Err() == nil {
				carrier = u
				return
			}
		}
	})
	if carrier == nil {
		return dialed{}, errNoCarrier
	}
	f, d, err := w.ask(ctx, carrier, to)
	if err == nil && d.conn == nil && !f.Addr.IsValid() && c.proveTo(ctx, carrier) {
		f, d, err = w.ask(ctx, carrier, to)
	}
	if err != nil || d.conn != nil {
		return d, err
	}
	from, at := localAddr(carrier.conn.NetConn()), f.Addr
	if !c.node.mayMeet(at, remoteAddr(carrier.conn.NetConn()).Addr()) { // the node in between may lie
		c.refused.Add(callAddress)
		return dialed{}, errNotCalled
	}
	if !at.IsValid() {
		return dialed{}, errNotCalled
	}
	type result struct {
		d   dialed
		err error
	}
	met := make(chan result, 1)
	go func() { // ends with ctx at the latest
		if from.Addr().Is4() != at.Addr().Is4() { // it dials where this node listens
			met <- result{err: errMissed}
			return
		}
		d, err := c.node.meetAsCaller(ctx, from, at, to)
		met <- result{d, err}
	}()
	select {
	case d := <-w.offered:
		cancel()
		if r := <-met; r.err == nil {
			r.d.conn.NetConn().Close()
		}
		return d, nil
	case r := <-met:
		if r.err == nil {
			return r.d, nil
		}
		select { // its own dial may take longer
		case d := <-w.offered:
			return d, nil
		case <-ctx.Done():
			return dialed{}, r.err
		}
	}
}

// ask has the node in between carry the call. It returns what that answers, or the connection that the
// node which is called has made before.
func (w *awaited) ask(ctx context.Context, carrier *uplink, to tree.ID) (f wire.Called, d dialed, err error) {
	carrier.send(wire.Call{Target: to})
	select {
	case f = <-w.called:
		return f, dialed{}, nil
	case d = <-w.offered:
		return wire.Called{}, d, nil
	case <-time.After(calledTime):
	case <-ctx.Done():
	}
	return wire.Called{}, dialed{}, errNotCalled
}

// meetAsCaller meets a node, and proves who is at the other end.
func (n *Node) meetAsCaller(ctx context.Context, from, to netip.AddrPort, want tree.ID) (dialed, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return n.meet(ctx, from, to, nil) }
	return n.shake(ctx, dial, n.linkTLS, to, want, func() {})
}

// metConn is a connection between two ports that are used for more than it. When it is closed, it
// sends what it still has, and then leaves nothing behind that would keep the two from meeting
// again, as it would for a minute.
type metConn struct {
	*net.TCPConn
	once sync.Once
	err  error
}

func (c *metConn) Close() error {
	c.once.Do(func() {
		past := time.Unix(1, 0)
		c.err = errors.Join(c.SetDeadline(past), c.CloseWrite())
		time.AfterFunc(closeTime, func() {
			_ = c.SetLinger(0) // without it, it only takes longer
			_ = c.TCPConn.Close()
		})
	})
	return c.err
}

// acceptMet is the side of the node that was called: the caller speaks first.
func (c *Channel) acceptMet(ctx context.Context, conn net.Conn, caller tree.ID) error {
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := boundUnsent(conn); err != nil {
		c.log.Debug("connection may hide what waits", zap.Error(err)) // it works all the same
	}
	g := newGuardedConn(conn)
	tc := tls.Server(g, c.node.linkTLS)
	if err := tc.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	peer, err := peerID(tc.ConnectionState())
	if err != nil {
		return err
	}
	if peer != caller {
		return errWrongNode
	}
	r := wire.NewReader(tc, wire.Stranger)
	f, with, err := firstFrame(r)
	if err != nil {
		return err
	}
	if c.pass.private && !c.pass.proves(with.proof, tc, seal.Client) {
		sayBye(tc, tree.ReasonChannel)
		return errUnproved
	}
	if err := c.proveBack(tc); err != nil {
		return err
	}
	if h, ok := f.(wire.Hello); !ok || h.Channel != c.id || !c.accept(g, tc, r, peer, h.Join, with.lineage, met) {
		return wire.ErrNotDue
	}
	return nil
}
