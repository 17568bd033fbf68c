package relay

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"relay/relay/wire"
	"relay/tree"
)

// A parent tries whether it gets through to a child at the address at which it sees it, so over
// IPv4 or over IPv6. What holds for the other, a node finds out by asking somebody to dial back.

const (
	// familyFirst is how long a node has had a parent when it asks first: the stream comes first.
	familyFirst = 10 * time.Second
	// familyFresh is how long what was found out counts; a parent tries more often.
	familyFresh = 30 * time.Minute
	// familyRetry is when one asks again that nobody could answer.
	familyRetry = 5 * time.Minute
	// familyAsks is how many nodes are asked then at most.
	familyAsks = 4
)

// family is one of the Internet's two kinds of addresses.
type family uint8

const (
	ipv4 family = iota
	ipv6
	families
)

func familyOf(a netip.Addr) family {
	if a.Unmap().Is4() {
		return ipv4
	}
	return ipv6
}

func (f family) other() family { return 1 - f }

// tryFamilies asks another node to dial back over a family of which nobody has told lately. It
// runs on the channel's goroutine.
func (c *Channel) tryFamilies(ctx context.Context, now time.Time, i tree.Info) {
	p := &c.peers
	if c.node.cfg.Listener == nil || !i.Attached {
		p.askAt = [families]time.Time{}
		return
	}
	for f := range families {
		switch {
		case p.askAt[f].IsZero():
			p.askAt[f] = now.Add(familyFirst + rand.N(familyFirst))
			continue
		case now.Before(p.askAt[f]):
			continue
		case now.Sub(p.triedOver(f).At) < familyFresh:
			p.askAt[f] = now.Add(familyRetry)
			continue
		}
		p.askAt[f] = now.Add(familyRetry/2 + rand.N(familyRetry))
		c.askOver(ctx, f, i)
	}
}

// askOver asks nodes beyond this network, one after the other, until one has dialled back: some
// cannot be reached themselves.
func (c *Channel) askOver(ctx context.Context, f family, i tree.Info) {
	var far []netip.AddrPort
	for _, a := range c.toDialBack(i) {
		if familyOf(a.Addr()) == f && worldwide(a) && !c.node.Near(a.Addr()) {
			far = append(far, a)
		}
	}
	if len(far) == 0 {
		return
	}
	rand.Shuffle(len(far), func(i, j int) { far[i], far[j] = far[j], far[i] })
	far = far[:min(len(far), familyAsks)]
	port := c.node.portOutside(far[0].Addr(), addrPort(c.node.cfg.Listener.Addr()).Port())
	c.wg.Go(func() { // ends within familyAsks times dialBackWait, or with ctx
		for _, at := range far {
			d, err := c.node.askDialBack(ctx, c.id, c.pass, at, port)
			if err == nil {
				c.peers.dialledBack(f, d)
				return
			}
			c.log.Debug("nobody dials back", zap.Stringer("asked", at), zap.Error(err))
		}
	})
}

// dialledBack takes what another node has found out. One that answers with an address of the
// other family is not believed.
func (p *peers) dialledBack(f family, d wire.Dialled) {
	if familyOf(d.Addr.Addr()) != f || d.TCP == wire.NotAsked {
		return
	}
	t := Trial{Reach: tree.Closed, Addr: d.Addr, At: time.Now()}
	if d.TCP == wire.Answered {
		t.Reach = tree.Open
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trials[f] = t
}

// triedOver is what was found out last over one family.
func (p *peers) triedOver(f family) Trial {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trials[f]
}

// Trials is what others have found out over IPv4 and over IPv6, in that order: whether they get
// through to this node. A family over which nobody has tried is left out.
func (c *Channel) Trials() []Trial {
	var ts []Trial
	for f := range families {
		if t := c.peers.triedOver(f); t.Reach != tree.Untried {
			t.Reach = c.node.outside.judge(t)
			ts = append(ts, t)
		}
	}
	return ts
}
