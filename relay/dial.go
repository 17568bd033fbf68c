package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"time"

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

var errWrongNode = errors.New("another node answers at that address")

// dialed is a connection that is ready, and who is at its other end.
type dialed struct {
	guard *guardedConn
	conn  *tls.Conn
	peer  tree.ID
	addr  netip.AddrPort
}

// dial connects to the first address of the place that answers as the node it is
// expected to be. The error is that of the last address to fail.
func (n *Node) dial(ctx context.Context, p tree.Place) (dialed, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	type result struct {
		d   dialed
		err error
	}
	addrs := zoned(p.Addrs, hostnet.Devices)
	results := make(chan result, len(addrs)) // never blocks the dialling goroutines
	next := time.NewTimer(0)
	defer next.Stop()
	err := fmt.Errorf("no address known")
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
			err = r.err
			next.Reset(0)
		}
	}
	return dialed{}, err
}

func (n *Node) dialAddr(ctx context.Context, cfg *tls.Config, addr netip.AddrPort, want tree.ID) (dialed, error) {
	conn, err := n.cfg.Dial(ctx, "tcp", addr.String())
	if err != nil {
		return dialed{}, err
	}
	g := newGuardedConn(conn)
	tc := tls.Client(g, cfg)
	if err := tc.HandshakeContext(ctx); err != nil {
		conn.Close()
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
	return dialed{g, tc, peer, addr}, nil
}
