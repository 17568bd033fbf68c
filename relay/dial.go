package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"

	"relay/relay/hostnet"
	"relay/tree"
)

const (
	// dialTime bounds a dial to all addresses of a place.
	dialTime = 3 * time.Second
	// dialStagger is how long one address has before the next is tried too. RFC 8305
	// advises 250 ms; it is less here because a viewer waits for the picture.
	dialStagger = 100 * time.Millisecond
)

// A path may swallow packets for their length and tell nobody: a tunnel, or a line with PPPoE, whose
// messages a firewall holds back (RFC 2923 §2.1). The connection stands then, and the handshake is
// never answered, because its first message fills a packet.
const (
	// shakeTime is how long a handshake may go unanswered before that is supposed.
	shakeTime = 1200 * time.Millisecond
	// segmentSize is what a packet then holds at most, in bytes, in both directions: with its
	// headers less than IPv6 has every line carry (1280, RFC 8200 §5).
	segmentSize = 1160
)

// ErrNoHandshake means that something takes connections at an address and says nothing, not even to
// short packets.
var ErrNoHandshake = errors.New("it takes the connection and then says nothing; it may be frozen, no relay, or behind a line that loses all but short packets")

var errNoAddress = errors.New("no address known")

var errWrongNode = errors.New("another node answers at that address")

// dialer is net.Dialer's DialContext, or in place of it.
type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// dialed is a connection that is ready, and who is at its other end.
type dialed struct {
	guard *guardedConn
	conn  *tls.Conn
	peer  tree.ID
	addr  netip.AddrPort

	called  bool // the node that named it had to carry a call: addr is where it is seen, likewise
	offered bool // the other side has dialled: addr is where it comes from, and nobody can dial that
}

// dial connects to the first address of the place that answers as the node it is
// expected to be. The error is that of the last address to fail. That this network lacks a family of
// addresses is told only where nothing else is known.
func (n *Node) dial(ctx context.Context, p tree.Place) (dialed, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	type result struct {
		d   dialed
		err error
	}
	addrs := n.waysTo(p)
	results := make(chan result, len(addrs)) // never blocks the dialling goroutines
	next := time.NewTimer(0)
	defer next.Stop()
	err := errNoAddress
	for begun, ended := 0, 0; ended < len(addrs); {
		select {
		case <-next.C:
			if begun == len(addrs) {
				continue
			}
			addr := addrs[begun]
			begun++
			next.Reset(dialStagger)
			go func() { // ends with ctx at the latest
				d, err := n.dialAddr(ctx, n.linkTLS, addr, p.ID)
				results <- result{d, err}
			}()
		case r := <-results:
			ended++
			if r.err == nil {
				go func(left int) { // the slower ones are not needed
					for range left {
						if r := <-results; r.err == nil {
							r.d.conn.Close()
						}
					}
				}(begun - ended)
				return r.d, nil
			}
			if err == errNoAddress || !hostnet.NoWay(r.err) {
				err = r.err
			}
			next.Reset(0)
		}
	}
	return dialed{}, err
}

// waysTo are the addresses of a place in the order in which they are tried. This node's own are left
// out: homes have the same addresses inside, and a node of another home is not at that of this one.
// If the place is behind the router that this node is behind, those of this network come first:
// not every router leads back in.
func (n *Node) waysTo(p tree.Place) []netip.AddrPort {
	addrs, own := zoned(p.Addrs, hostnet.Devices), n.Addrs()
	if p.ID.IsZero() {
		return addrs
	}
	outside := n.Seen()
	addrs = slices.DeleteFunc(slices.Clone(addrs), func(a netip.AddrPort) bool { return slices.Contains(own, a) })
	if !slices.ContainsFunc(addrs, func(a netip.AddrPort) bool { return slices.Contains(outside, a.Addr()) }) {
		return addrs
	}
	far := func(a netip.AddrPort) int {
		if n.near(time.Now(), a.Addr()) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(addrs, func(a, b netip.AddrPort) int { return far(a) - far(b) })
	return addrs
}

// dialAddr connects to one address. If the connection stands and the handshake gets no answer, it
// tries another with short segments beside it; see [segmentSize].
func (n *Node) dialAddr(ctx context.Context, cfg *tls.Config, addr netip.AddrPort, want tree.ID) (dialed, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of no effect on a connection that is ready
	type result struct {
		d   dialed
		err error
	}
	results := make(chan result, 2)
	stands := make(chan struct{})
	go func() { // ends with ctx
		d, err := n.shake(ctx, n.dialerTo(addr, false), cfg, addr, want, func() { close(stands) })
		results <- result{d, err}
	}()
	late := time.NewTimer(shakeTime)
	defer late.Stop()
	for left := 1; ; {
		select {
		case r := <-results:
			if left--; r.err != nil && left > 0 {
				continue // the other may still do it
			}
			go func() { // the slower one is not needed
				for range left {
					if o := <-results; o.err == nil {
						o.d.conn.NetConn().Close()
					}
				}
			}()
			return r.d, r.err
		case <-late.C:
			select {
			case <-stands:
			default:
				continue // nobody answers at all
			}
			if n.dialShort == nil {
				continue
			}
			left++
			go func() { // ends with ctx
				d, err := n.shake(ctx, n.dialerTo(addr, true), cfg, addr, want, func() {})
				if err == nil {
					n.log.Info("only short packets get through", zap.Stringer("addr", addr))
				}
				results <- result{d, err}
			}()
		}
	}
}

// dialerTo is how an address is dialled: from one port if it is beyond this machine's own networks.
func (n *Node) dialerTo(addr netip.AddrPort, short bool) dialer {
	plain := n.cfg.Dial
	if short {
		plain = n.dialShort
	}
	if !n.onePort || n.near(time.Now(), addr.Addr()) {
		return plain
	}
	control := sharePort
	if short {
		control = both(sharePort, shortSegments)
	}
	return func(ctx context.Context, _, to string) (net.Conn, error) { return n.localPort.dial(ctx, control, to) }
}

// shake makes a connection and proves who is at its other end. It calls stands in between.
func (n *Node) shake(ctx context.Context, dial dialer, cfg *tls.Config, addr netip.AddrPort, want tree.ID, stands func()) (dialed, error) {
	conn, err := dial(ctx, "tcp", addr.String())
	if err != nil {
		return dialed{}, err
	}
	stands()
	g := newGuardedConn(conn)
	tc := tls.Client(g, cfg)
	if err := tc.HandshakeContext(ctx); err != nil {
		conn.Close()
		if g.left.Load() == handshakeBytes && ctx.Err() != nil {
			return dialed{}, fmt.Errorf("%v: %w", addr, ErrNoHandshake)
		}
		return dialed{}, fmt.Errorf("handshake with %v: %w", addr, err)
	}
	peer, err := peerID(tc.ConnectionState())
	if err == nil && !want.IsZero() && peer != want {
		err = errWrongNode
	}
	if err != nil {
		conn.Close()
		return dialed{}, fmt.Errorf("%v: %w", addr, err)
	}
	return dialed{guard: g, conn: tc, peer: peer, addr: addr}, nil
}
