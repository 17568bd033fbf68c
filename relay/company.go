package relay

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"relay/relay/membership"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// candidateInterval is how often the tree is told of other nodes, give or take a
	// quarter.
	candidateInterval = 15 * time.Second
	// sampleInterval is how often children are.
	sampleInterval = 30 * time.Second
	// rememberFirst and rememberInterval are when the channel's nodes are written to the
	// store first, and how often from then on; and when the node leaves.
	rememberFirst    = 10 * time.Second
	rememberInterval = time.Minute
)

// company is what a channel knows of nodes besides those it has links with.
type company struct {
	// Owned by Run's goroutine.
	candidatesAt time.Time
	sampleAt     time.Time
	rememberAt   time.Time
	links        []tree.Place // the user's link, resolved

	mu      sync.Mutex
	sampled []tree.Candidate // the newest that a parent told
	counted int              // members, as it counts them
	addrs   []netip.AddrPort // where this node can be dialled
}

// mingle does what is due. The driving goroutine calls it every gaugeInterval.
func (c *Channel) mingle(now time.Time) {
	i := c.tree.Info()
	if c.gossip != nil {
		s := membership.Self{Addrs: c.gossipAddrs(i), Depth: i.Depth, Slots: i.Slots, Free: max(0, i.Slots-len(i.Children))}
		if !i.Attached {
			s.Depth = -1
		}
		c.gossip.Tell(s)
	}
	if !now.Before(c.company.candidatesAt) {
		c.company.candidatesAt = now.Add(candidateInterval*3/4 + rand.N(candidateInterval/2))
		c.offer()
	}
	if !now.Before(c.company.sampleAt) {
		c.company.sampleAt = now.Add(sampleInterval)
		for _, ch := range i.Children {
			if d := c.down[ch.Link]; d != nil && ch.Pulling {
				d.send(c.sample(ch.Place.ID))
			}
		}
	}
	if !now.Before(c.company.rememberAt) {
		c.company.rememberAt = now.Add(rememberInterval)
		c.remember(now, i)
	}
}

// offer tells the tree of nodes it could ask.
func (c *Channel) offer() {
	if of := c.acquaintances(tree.ID{}); len(of) > 0 {
		c.handle(tree.Candidates{Of: of})
	}
}

// acquaintances returns up to wire.MaxSample nodes at random, none of them not: what
// gossip tells, and what the parent does if that is not enough.
func (c *Channel) acquaintances(not tree.ID) []tree.Candidate {
	var of []tree.Candidate
	add := func(cand tree.Candidate) {
		same := func(o tree.Candidate) bool { return o.Place.ID == cand.Place.ID }
		if id := cand.Place.ID; id != not && id != c.node.ID() && len(of) < wire.MaxSample && !slices.ContainsFunc(of, same) {
			of = append(of, cand)
		}
	}
	if c.gossip != nil {
		for _, m := range c.gossip.Sample(wire.MaxSample + 1) {
			depth := int(m.Depth)
			if m.Depth == membership.NoDepth {
				depth = -1
			}
			add(tree.Candidate{Place: m.Place, Depth: depth, Free: int(m.Free), Slots: int(m.Slots)})
		}
	}
	c.company.mu.Lock()
	defer c.company.mu.Unlock()
	for _, i := range rand.Perm(len(c.company.sampled)) {
		add(c.company.sampled[i])
	}
	return of
}

// sample is what a child is told: other nodes, and the child's siblings if there are
// few others.
func (c *Channel) sample(child tree.ID) wire.Sample {
	s := wire.Sample{Of: c.acquaintances(child)}
	i := c.tree.Info()
	for _, ch := range i.Children {
		known := func(o tree.Candidate) bool { return o.Place.ID == ch.Place.ID }
		if len(s.Of) == wire.MaxSample || ch.Place.ID == child || len(ch.Place.Addrs) == 0 || slices.ContainsFunc(s.Of, known) {
			continue
		}
		s.Of = append(s.Of, tree.Candidate{
			Place: ch.Place, Depth: i.Depth + 1, Free: int(ch.Report.Free), Slots: int(ch.Report.Slots),
		})
	}
	c.company.mu.Lock()
	defer c.company.mu.Unlock()
	n := c.company.counted
	if c.gossip != nil {
		n = max(n, c.gossip.Len())
	}
	s.Members = uint16(min(n, 1<<16-1))
	return s
}

// takeSample takes what a parent tells. It runs on the link's reader.
func (c *Channel) takeSample(s wire.Sample) {
	c.company.mu.Lock()
	c.company.sampled, c.company.counted = s.Of, int(s.Members)
	c.company.mu.Unlock()
	if c.gossip != nil {
		c.gossip.Expect(int(s.Members))
	}
	c.tell(tree.Candidates{Of: s.Of})
}

// gossipSeeds returns nodes through which to join the gossip: the parent and the root,
// since the tree holds together what gossip may have lost, and then others.
func (c *Channel) gossipSeeds(ctx context.Context) []tree.Place {
	var ps []tree.Place
	c.query(func(n *tree.Node) {
		i := n.Info()
		if !i.Parent.ID.IsZero() {
			ps = append(ps, i.Parent)
		}
		if len(i.Path) > 1 {
			ps = append(ps, i.Path[0])
		}
		ps = append(ps, c.company.links...)
	})
	c.company.mu.Lock()
	defer c.company.mu.Unlock()
	for _, k := range rand.Perm(len(c.company.sampled)) {
		ps = append(ps, c.company.sampled[k].Place)
	}
	if len(ps) > 2 {
		rand.Shuffle(len(ps)-2, func(i, j int) { ps[i+2], ps[j+2] = ps[j+2], ps[i+2] })
	}
	return ps
}

// gossipAddrs is where the node tells others that it is, none if it must not take
// part: a channel whose root the world can reach has members that the world can reach,
// since each member probes each other and has the dead announced to all.
func (c *Channel) gossipAddrs(i tree.Info) []netip.AddrPort {
	c.company.mu.Lock()
	defer c.company.mu.Unlock()
	own := c.company.addrs
	if len(i.Path) > 0 && len(own) > 0 && slices.ContainsFunc(i.Path[0].Addrs, worldwide) && !worldwide(own[0]) {
		return nil
	}
	return own
}

// noticeSeen learns from a parent's welcome under which address the world sees this
// node. That is believed unless the user has given an address for the world.
func (c *Channel) noticeSeen(seen netip.AddrPort) {
	ip := seen.Addr().Unmap()
	if !seen.IsValid() || seen.Port() == 0 || ip.IsLoopback() || slices.ContainsFunc(c.node.cfg.Addrs, worldwide) {
		return
	}
	seen = netip.AddrPortFrom(ip, seen.Port())
	c.company.mu.Lock()
	defer c.company.mu.Unlock()
	if len(c.company.addrs) == 0 || slices.Contains(c.company.addrs, seen) {
		return
	}
	own := c.node.cfg.Addrs
	if worldwide(seen) {
		own = append([]netip.AddrPort{seen}, own...)
	} else {
		own = append(slices.Clip(own), seen)
	}
	c.company.addrs = own[:min(len(own), tree.MaxAddrs)]
}

// worldwide reports whether an address may be reached from everywhere.
func worldwide(a netip.AddrPort) bool {
	ip := a.Addr().Unmap()
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !carrierNAT.Contains(ip)
}

// carrierNAT is what providers number their customers with whom they give no address
// of their own (RFC 6598).
var carrierNAT = netip.MustParsePrefix("100.64.0.0/10")

// remember writes the channel's nodes to the store, for the next time it is watched.
func (c *Channel) remember(now time.Time, i tree.Info) {
	store := c.node.cfg.Store
	if store == nil || c.writer != nil || !i.Attached {
		return
	}
	var ps []tree.Place
	for _, p := range slices.Backward(i.Path) {
		ps = append(ps, p)
	}
	for _, ch := range i.Children {
		ps = append(ps, ch.Place)
	}
	for _, a := range c.acquaintances(tree.ID{}) {
		ps = append(ps, a.Place)
	}
	if err := store.Remember(c.id, ps, now); err != nil {
		c.log.Warn("remember the channel's nodes", zap.Error(err))
	}
}
