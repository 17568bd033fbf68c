package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"relay/relay/hostnet"
)

const (
	// openingHops is how far the first packet of a node that is called goes: past its own router, and
	// its provider's, both of which it opens to the caller. It must not come as far as the caller's
	// router, which might refuse it: the refusal would close again what it has opened.
	openingHops = 4
	// openedAfter is how long a packet takes to leave and to be gone, once that was asked for.
	openedAfter = 10 * time.Millisecond
)

// knock is one try to connect from a local port that other connections leave from.
type knock struct {
	from, to netip.AddrPort
	// opened is called when this side's routers are open, without a packet that comes all the way;
	// nil for a try that does.
	opened func()
}

// knockOnce connects, or fails if nobody lets it in or does the same at that moment.
func knockOnce(ctx context.Context, k knock) (net.Conn, error) {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(k.from), Timeout: meetTry, Control: sharePort}
	var opening *time.Timer
	if k.opened != nil {
		d.Control = both(sharePort, func(_, _ string, c syscall.RawConn) error {
			opening = time.AfterFunc(openedAfter, func() {
				// What answers the caller goes all the way. The try may be over by then.
				_ = limitHops(c, k.to.Addr().Is6(), 64)
				k.opened()
			})
			return limitHops(c, k.to.Addr().Is6(), openingHops)
		})
	}
	conn, err := d.DialContext(ctx, "tcp", k.to.String())
	if err != nil {
		if opening != nil && hostnet.PairInUse(err) { // nothing was sent
			opening.Stop()
		}
		return nil, err
	}
	return &metConn{TCPConn: conn.(*net.TCPConn)}, nil
}

// meet connects from a local port to an address until whoever is there does the same: to the
// routers of both, what comes is an answer then. The node that is called is the first to begin; it
// calls opened when the other may. While a connection between the two ports is not over, as one that
// was given up for this, nothing can be sent.
func (n *Node) meet(ctx context.Context, from, to netip.AddrPort, opened func()) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, meetTime)
	defer cancel()
	err := errMissed
	for tries := 0; tries < meetTries; {
		k := knock{from: from, to: to}
		if tries == 0 {
			k.opened = opened
		}
		var conn net.Conn
		if conn, err = n.knock(ctx, k); err == nil {
			return conn, nil
		}
		pause := meetSoon
		if !hostnet.PairInUse(err) {
			tries++
			var ne net.Error
			if errors.As(err, &ne) && ne.Timeout() && ctx.Err() == nil {
				continue
			}
		}
		if tries > meetFirst {
			pause = meetLater
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, fmt.Errorf("%v: %w", to, errMissed)
		}
	}
	return nil, fmt.Errorf("%v: %w: %v", to, errMissed, err)
}
