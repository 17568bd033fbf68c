package relay

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"relay/relay/wire"
	"relay/tree"
)

// Two nodes that have no family of addresses in common can meet only where the caller listens: at an
// address that the node in between does not see on the link with it. What the caller says of it does
// not count, since it could have somebody else dialled. It has the node in between dial back there
// first.

const (
	// proofTime bounds the dial-back that a call waits for.
	proofTime = 1 * time.Second
	// proofFresh is how long it counts: a home's address may be another's tomorrow.
	proofFresh = 10 * time.Minute
)

// proof is an address at which this node got through to the other end of a link, of the family that is
// not the link's.
type proof struct {
	addr netip.AddrPort
	at   time.Time
}

// of is the address if it still counts, and is of that address's family; not valid if not.
func (p proof) of(other netip.AddrPort) netip.AddrPort {
	if !p.addr.IsValid() || familyOf(p.addr.Addr()) != familyOf(other.Addr()) || time.Since(p.at) >= proofFresh {
		return netip.AddrPort{}
	}
	return p.addr
}

// proved takes that this node has dialled a node back, and got through.
func (c *Channel) proved(id tree.ID, a netip.AddrPort) {
	if !worldwide(a) {
		return
	}
	c.query(func(*tree.Node) {
		for _, d := range c.down {
			if d.peer == id && familyOf(remoteAddr(d.conn.NetConn()).Addr()) != familyOf(a.Addr()) {
				d.proof = proof{a, time.Now()}
			}
		}
	})
}

// proveTo has the node in between dial back over the family that is not that of the link with it. It
// reports false if that is of no use, or was done already.
func (c *Channel) proveTo(ctx context.Context, carrier *uplink) bool {
	f := familyOf(remoteAddr(carrier.conn.NetConn()).Addr()).other()
	ofF := func(a netip.AddrPort) bool { return familyOf(a.Addr()) == f && worldwide(a) }
	if c.node.cfg.Listener == nil || !slices.ContainsFunc(c.node.Addrs(), ofF) {
		return false
	}
	to := tree.Place{ID: carrier.peer}
	c.query(func(*tree.Node) {
		if time.Since(carrier.provedAt) < proofFresh {
			return
		}
		carrier.provedAt = time.Now()
		for _, p := range append([]tree.Place{carrier.place}, c.peers.invited...) {
			for _, a := range p.Addrs {
				if (p.ID.IsZero() || p.ID == to.ID) && ofF(a) && !slices.Contains(to.Addrs, a) && len(to.Addrs) < tree.MaxAddrs {
					to.Addrs = append(to.Addrs, a)
				}
			}
		}
	})
	if len(to.Addrs) == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	d, err := c.node.dial(ctx, to)
	if err != nil {
		return false
	}
	defer d.conn.NetConn().Close()
	defer context.AfterFunc(ctx, func() { d.conn.NetConn().Close() })()
	port := c.node.portOutside(d.addr.Addr(), addrPort(c.node.cfg.Listener.Addr()).Port())
	if err := c.pass.begin(d.conn, wire.DialMe{Channel: c.id, Port: port}); err != nil {
		return false
	}
	// Whatever it answers: it knows already when packets are still awaited.
	_, _ = c.pass.answer(d.conn, wire.NewReader(d.conn, wire.Parent))
	return true
}
