package relay

import (
	"context"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"relay/relay/wire"
	"relay/tree"
)

const (
	// trials is how many children are tried at a time; the others wait for their turn. Each is a
	// connection that nobody may answer. In a crowd most are closed, and each of those takes
	// tree.ProbeTime.
	trials = 32
	// trialRate and trialBurst bound the connections to one address. The burst lets a
	// household come in together.
	trialRate  = 1. / 60 // a second
	trialBurst = 8
)

// Trial is what a parent, or a node that was asked to dial back, has found out about this node.
type Trial struct {
	Reach tree.Reach
	Addr  netip.AddrPort // that was dialled
	At    time.Time
}

// probe tries whether others get through to a joiner or child: past its firewall and its router.
// Its own word does not count, and neither does the link that it opened. Of its addresses only
// those are dialled at which it is seen, so that nobody can have somebody else's dialled.
func (c *Channel) probe(a tree.Probe) {
	d := c.down[a.Link]
	if d == nil {
		return
	}
	seen := remoteAddr(d.conn.NetConn()).Addr()
	at := tree.Place{ID: a.Place.ID}
	for _, p := range a.Place.Addrs {
		if p.Addr().Unmap() == seen {
			at.Addrs = []netip.AddrPort{p} // the one at which it says that it is reached there
			break
		}
	}
	child := d.served // and no joiner; those wait for it, a few and not for long
	switch {
	case len(at.Addrs) == 0:
		c.handle(tree.Probed{Link: a.Link})
		return
	case lets(&c.node.trials, time.Now(), seen):
	case child:
		return // the tree asks again, and sends nobody there before
	default:
		c.handle(tree.Probed{Link: a.Link})
		return
	}
	c.wg.Go(func() { // ends with the dial, or with the link
		if child {
			select {
			case c.node.trialSlot <- struct{}{}:
				defer func() { <-c.node.trialSlot }()
			case <-d.ctx.Done():
				return
			}
		}
		ctx, cancel := context.WithTimeout(d.ctx, tree.ProbeTime)
		defer cancel()
		reach := tree.Open
		if conn, err := c.node.dial(ctx, at); err == nil {
			conn.conn.Close()
		} else if d.ctx.Err() != nil {
			return
		} else {
			reach = failedAt(a.Place.Addrs, seen)
			c.log.Debug("nobody gets through to a child", zap.String("peer", d.peer.Short()), zap.Error(err))
		}
		if d.knows2() && reach != tree.Untried {
			d.send(wire.Probed{Addr: at.Addrs[0], Open: reach == tree.Open})
		}
		c.tell(tree.Probed{Link: a.Link, Reach: reach})
	})
}

// failedAt says what it means that a node could not be reached where it is seen. One whose user
// has named another address of the same kind for the Internet may be reached there: some homes
// have several lines. That address is not tried, since it may be somebody else's.
func failedAt(addrs []netip.AddrPort, seen netip.Addr) tree.Reach {
	for _, p := range addrs {
		if ip := p.Addr().Unmap(); ip != seen && ip.Is4() == seen.Is4() && worldwide(p) {
			return tree.Untried
		}
	}
	return tree.Closed
}

// mayTrial reports whether an address may be dialled now. If so, it has put one into slots, which
// the caller takes out again.
func (n *Node) mayTrial(slots chan struct{}, addr netip.Addr) bool {
	select {
	case slots <- struct{}{}:
	default:
		return false
	}
	if !lets(&n.trials, time.Now(), addr) {
		<-slots
		return false
	}
	return true
}

// probed takes what a parent tells of a trial. It runs on the link's reader.
func (p *peers) probed(f wire.Probed) {
	t := Trial{Reach: tree.Closed, Addr: f.Addr, At: time.Now()}
	if f.Open {
		t.Reach = tree.Open
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trial, p.trials[familyOf(t.Addr.Addr())] = t, t
}

func (p *peers) tried() Trial {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trial
}
