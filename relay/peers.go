package relay

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"relay/relay/hostnet"
	"relay/relay/membership"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// candidateInterval is how often the tree is told of other nodes, give or take a
	// quarter.
	candidateInterval = 15 * time.Second
	// sampleInterval is how often children are told of other nodes.
	sampleInterval = 30 * time.Second
	// rememberFirst is when the channel's nodes are first written to the store,
	// rememberInterval how often from then on. They are written once more when the node
	// leaves.
	rememberFirst    = 10 * time.Second
	rememberInterval = time.Minute
)

// peers is what a channel knows of nodes to which it has no link: by gossip, and by its
// parent's samples. It also has what the others are told of this node.
type peers struct {
	// Static.
	self   tree.ID
	gossip *membership.Cluster // nil if the node cannot take part
	// noPackets is Config.NoPackets; nil for none.
	noPackets func(netip.AddrPort) bool

	linked atomic.Pointer[map[tree.ID]bool] // never changed in place

	// Owned by the channel's goroutine.
	candidatesAt time.Time
	sampleAt     time.Time
	rememberAt   time.Time
	invited      []tree.Place        // the invite's addresses, resolved
	askAt        [families]time.Time // when somebody is asked to dial back over each

	mu      sync.Mutex
	sampled []tree.Candidate // the newest that a parent told
	counted int              // members, as it counts them
	given   []netip.AddrPort // where this node can be dialled, as its user or its machine says
	seen    netip.AddrPort   // how two parents see it; not valid if that is of no use
	world   netip.Addr       // the newest IPv4 address of the Internet at which a parent saw it
	addrs   []netip.AddrPort // where it can be dialled: both of these
	gone    []netip.Addr     // of this machine, and the channel's goroutine has not looked
	moved   bool             // to another network, likewise
	trial   Trial            // the newest of a parent
	trials  [families]Trial  // the newest of anybody, over each

	offering bool // it offers itself to a helper
}

// updatePeers does what is due. The channel's goroutine calls it every gaugeInterval.
func (c *Channel) updatePeers(ctx context.Context, now time.Time) {
	p, i := &c.peers, c.tree.Info()
	p.announce(i)
	c.noteLinks(now)
	c.tryFamilies(ctx, now, i)
	c.compareWithRoots(now, i)
	c.compareWithInvited(now, i)
	c.secondOpinion(now, i)
	if !now.Before(p.candidatesAt) {
		p.candidatesAt = now.Add(candidateInterval*3/4 + rand.N(candidateInterval/2))
		c.hint()
	}
	if !now.Before(p.sampleAt) {
		p.sampleAt = now.Add(sampleInterval)
		for _, ch := range i.Children {
			if d := c.down[ch.Link]; d != nil && ch.Pulling {
				d.send(p.sample(ch.Place.ID, i))
			}
		}
	}
	if !now.Before(p.rememberAt) {
		p.rememberAt = now.Add(rememberInterval)
		c.remember(now, i)
	}
}

// noteLinks keeps what others may ask of the links that there are.
func (c *Channel) noteLinks(now time.Time) {
	ids := make(map[tree.ID]bool, len(c.up)+len(c.down))
	for _, u := range c.up {
		ids[u.peer] = true
		c.node.noteLink(now, remoteAddr(u.conn.NetConn()).Addr(), true)
	}
	for _, d := range c.down {
		ids[d.peer] = true
		c.node.noteLink(now, remoteAddr(d.conn.NetConn()).Addr(), false)
	}
	c.peers.linked.Store(&ids)
}

// isLinkedWith reports whether there was a link to a node a moment ago.
func (p *peers) isLinkedWith(id tree.ID) bool {
	ids := p.linked.Load()
	return ids != nil && (*ids)[id]
}

// hint tells the tree of nodes it could ask.
func (c *Channel) hint() {
	if of := c.peers.known(tree.ID{}); len(of) > 0 {
		c.handle(tree.Candidates{Of: of})
	}
}

// announce tells the gossip how this node stands in the tree.
func (p *peers) announce(i tree.Info) {
	if p.gossip != nil {
		p.gossip.Tell(p.standing(i))
	}
}

// standing is what gossip tells. Nobody who hears it is linked with this node, to carry a call: the
// slots are for those who can dial it.
func (p *peers) standing(i tree.Info) membership.Self {
	s := membership.Self{Addrs: p.announced(i), Depth: i.Depth, Slots: i.Slots, Free: max(0, i.Slots-len(i.Children))}
	if !i.Attached {
		s.Depth = -1
	}
	if p.tried().Reach == tree.Closed || i.Root && p.shut(true) {
		s.Slots, s.Free = 0, 0
	}
	return s
}

// known returns up to wire.MaxSample nodes at random, but neither the one that is named
// nor this one. They come from gossip, and if those are too few from the parent's sample
// as well.
func (p *peers) known(without tree.ID) []tree.Candidate {
	var of []tree.Candidate
	add := func(cand tree.Candidate) {
		same := func(o tree.Candidate) bool { return o.Place.ID == cand.Place.ID }
		if id := cand.Place.ID; id != without && id != p.self && len(of) < wire.MaxSample && !slices.ContainsFunc(of, same) {
			of = append(of, cand)
		}
	}
	if p.gossip != nil {
		for _, m := range p.gossip.Sample(wire.MaxSample + 1) {
			depth := int(m.Depth)
			if m.Depth == membership.NoDepth {
				depth = -1
			}
			add(tree.Candidate{Place: m.Place, Depth: depth, Free: int(m.Free), Slots: int(m.Slots)})
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, i := range rand.Perm(len(p.sampled)) {
		add(p.sampled[i])
	}
	return of
}

// sample is what a child is told: other nodes, and those of the child's siblings that can be dialled
// if there are few others.
func (p *peers) sample(child tree.ID, i tree.Info) wire.Sample {
	s := wire.Sample{Of: p.known(child)}
	for _, ch := range i.Children {
		listed := func(o tree.Candidate) bool { return o.Place.ID == ch.Place.ID }
		if len(s.Of) == wire.MaxSample || ch.Place.ID == child || ch.Reach == tree.Closed || ch.Reach == tree.Punchable || len(ch.Place.Addrs) == 0 || slices.ContainsFunc(s.Of, listed) {
			continue
		}
		s.Of = append(s.Of, tree.Candidate{
			Place: ch.Place, Depth: i.Depth + 1, Free: int(ch.Report.Free), Slots: int(ch.Report.Slots),
		})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.counted
	if p.gossip != nil {
		n = max(n, p.gossip.Len())
	}
	s.Members = uint16(min(n, 1<<16-1))
	return s
}

// takeSample takes what a parent tells. It runs on the link's reader.
func (c *Channel) takeSample(from tree.ID, s wire.Sample) {
	var ps []tree.Place
	for _, k := range s.Of {
		ps = append(ps, k.Place)
	}
	c.node.hearsay.told(from, ps)
	c.peers.take(s)
	c.tell(tree.Candidates{Of: s.Of})
}

func (p *peers) take(s wire.Sample) {
	p.mu.Lock()
	p.sampled, p.counted = s.Of, int(s.Members)
	p.mu.Unlock()
	if p.gossip != nil {
		p.gossip.Expect(int(s.Members))
	}
}

// gossipSeeds returns nodes through which to join the gossip: the parent and the root,
// since the tree holds together what gossip may have lost, and then others.
func (c *Channel) gossipSeeds(ctx context.Context) []tree.Place {
	var first, ps []tree.Place
	c.query(func(n *tree.Node) {
		i := n.Info()
		if !i.Parent.ID.IsZero() {
			first = append(first, i.Parent)
		}
		if len(i.Path) > 1 {
			first = append(first, i.Path[0])
		}
		ps = append(ps, c.peers.invited...)
	})
	for _, k := range c.peers.lastSample() {
		ps = append(ps, k.Place)
	}
	rand.Shuffle(len(ps), func(i, j int) { ps[i], ps[j] = ps[j], ps[i] })
	return append(first, ps...)
}

func (p *peers) lastSample() []tree.Candidate {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sampled // it is never changed
}

// announced returns the addresses that the node announces to the others, none if it must
// not take part in gossip. If the world can reach the root, it has to reach every member:
// each member probes every other, and has those that do not answer announced as dead to
// all. If it cannot, the members share a network, and what is of that comes first: gossip
// uses the first address alone, and not every machine there need have IPv6.
func (p *peers) announced(i tree.Info) []netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	addrs := p.addrs
	if p.noPackets != nil {
		addrs = slices.DeleteFunc(slices.Clone(addrs), p.noPackets)
	}
	if len(i.Path) == 0 || len(i.Path[0].Addrs) == 0 || len(addrs) == 0 {
		return addrs
	}
	if slices.ContainsFunc(i.Path[0].Addrs, worldwide) {
		if !worldwide(addrs[0]) {
			return nil
		}
		return addrs
	}
	return localFirst(addrs)
}

// localFirst returns the addresses with those behind that are of the Internet.
func localFirst(addrs []netip.AddrPort) []netip.AddrPort {
	local := slices.DeleteFunc(slices.Clone(addrs), worldwide)
	for _, a := range addrs {
		if worldwide(a) {
			local = append(local, a)
		}
	}
	return local
}

// heardSeen takes what a parent says of where it sees this node, beside what those say that this one
// is linked with now: after another address of the line none of the old ones is.
func (c *Channel) heardSeen(from tree.Link, seen netip.AddrPort) {
	u := c.up[from]
	if u == nil {
		return
	}
	u.seen = seen
	var others []netip.AddrPort
	for _, o := range c.up {
		if o.peer != u.peer && o.ctx.Err() == nil {
			others = append(others, o.seen)
		}
	}
	c.peers.seenAs(seen, others)
}

// seenAs learns from a parent's welcome under which address the world sees this node, given what
// others have said. One parent may lie: others are told of that address only when two see it, unless
// there is one of that family for the world already, given by the user or on an interface. A
// parent that two others contradict is not believed at all.
func (p *peers) seenAs(seen netip.AddrPort, others []netip.AddrPort) {
	ip := seen.Addr().Unmap()
	if !seen.IsValid() || seen.Port() == 0 || ip.IsLoopback() || outvoted(seen, others) {
		return
	}
	agreed := slices.Contains(others, seen)
	seen = netip.AddrPortFrom(ip, seen.Port())
	p.mu.Lock()
	defer p.mu.Unlock()
	if ip.Is4() && worldwide(seen) {
		p.world = ip
	}
	if !agreed || len(p.addrs) == 0 || slices.Contains(p.addrs, seen) {
		return
	}
	p.seen = seen
	p.addrs = withSeen(p.given, seen)
}

// outvoted reports whether two others have said the same, of that family, and it is not this.
func outvoted(seen netip.AddrPort, others []netip.AddrPort) bool {
	for i, o := range others {
		if o.IsValid() && o != seen && familyOf(o.Addr()) == familyOf(seen.Addr()) && slices.Contains(others[i+1:], o) {
			return !slices.Contains(others, seen)
		}
	}
	return false
}

func (p *peers) seenInTheWorld() netip.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.world
}

// readdress takes over where the node can be dialled from now on, and which of the
// machine's addresses are gone; moved says that its network is another. What a parent has
// seen stays until the next one says otherwise.
func (p *peers) readdress(given []netip.AddrPort, gone []netip.Addr, moved bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	void := func(t Trial) bool {
		return moved || slices.Contains(p.given, t.Addr) && !slices.Contains(given, t.Addr)
	}
	if void(p.trial) {
		p.trial = Trial{} // nobody has tried where this node is now
	}
	for f := range p.trials {
		if void(p.trials[f]) {
			p.trials[f] = Trial{}
		}
	}
	p.given, p.addrs = given, withSeen(given, p.seen)
	if len(gone) > 0 {
		p.world = netip.Addr{} // of the old network
	}
	p.gone, p.moved = append(p.gone, gone...), p.moved || moved
}

// takeReaddressed returns what readdress has taken over since the call before.
func (p *peers) takeReaddressed() (given []netip.AddrPort, gone []netip.Addr, moved bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	gone, p.gone = p.gone, nil
	moved, p.moved = p.moved, false
	return p.given, gone, moved
}

// withSeen puts the address that a parent sees where it is of use: behind the other
// addresses, but before those that the world cannot reach if it can reach this one.
func withSeen(given []netip.AddrPort, seen netip.AddrPort) []netip.AddrPort {
	better := func(a netip.AddrPort) bool {
		return a == seen || worldwide(a) && (!worldwide(seen) || a.Addr().Is4() == seen.Addr().Is4())
	}
	if len(given) == 0 || !seen.IsValid() || slices.ContainsFunc(given, better) {
		return given
	}
	at := len(given)
	if worldwide(seen) {
		if local := slices.IndexFunc(given, func(a netip.AddrPort) bool { return !worldwide(a) }); local >= 0 {
			at = local
		}
	}
	addrs := slices.Insert(slices.Clone(given), at, seen)
	return addrs[:min(len(addrs), tree.MaxAddrs)]
}

// worldwide reports whether an address may be reached from everywhere.
func worldwide(a netip.AddrPort) bool { return hostnet.Public(a.Addr()) }

// remember writes the channel's nodes to the store, for the next time it is watched.
func (c *Channel) remember(now time.Time, i tree.Info) {
	if c.node.cfg.Store == nil || !i.Attached || c.writer == nil && c.isBrought() {
		return
	}
	var ps []tree.Place
	for _, p := range slices.Backward(i.Path) {
		ps = append(ps, p)
	}
	for _, ch := range i.Children {
		ps = append(ps, ch.Place)
	}
	for _, a := range c.peers.known(tree.ID{}) {
		ps = append(ps, a.Place)
	}
	if err := c.node.cfg.Store.Remember(c.id, ps, now); err != nil {
		c.log.Warn("remember the channel's nodes", zap.Error(err))
	}
}
