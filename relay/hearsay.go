package relay

import (
	"net/netip"
	"sync"
	"time"

	"relay/relay/budget"
	"relay/relay/hostnet"
	"relay/relay/refusal"
	"relay/tree"
)

// Whoever is in a channel can name any address to any node of it, and so have others knock there. What
// comes of an address that was told and not given by the user is bounded: it has to mean something
// here, and it costs the one who told of it, and the machine that it is at, until a node answers.

const (
	// tellerRate and tellerBurst bound the addresses, per second, that are dialled on one node's word
	// and at which nobody answers. A crowd's root refers each newcomer to eight places.
	tellerRate  = 2.0
	tellerBurst = 64
	// targetRate and targetBurst bound such dials to one address.
	targetRate  = 0.1
	targetBurst = 8
	// toldMost bounds the addresses of which it is known who told of them, and the tellers.
	toldMost = 1024
	// insideFor is how long after a link this node counts as in that network.
	insideFor = 10 * time.Minute
)

// Why a place was not dialled.
const (
	toldAddress refusal.Reason = "address" // it means nothing here: private, loopback, for many, or a data centre's service
	toldBudget  refusal.Reason = "budget"  // nobody has answered where its teller named places, or at that address
)

// hearsay is what a node knows of who told of which addresses, and what that may still cost. It is safe
// for concurrent use.
type hearsay struct {
	refused refusal.Counts

	mu      sync.Mutex
	by      map[netip.AddrPort]tree.ID
	given   map[netip.AddrPort]bool // by the user, or found on this network
	tellers budget.Budgets[tree.ID]
	targets budget.Budgets[netip.Prefix]
	inside  map[netip.Prefix]time.Time // blocks in which this node had a link, and when last
}

func newHearsay() hearsay {
	return hearsay{
		by:      make(map[netip.AddrPort]tree.ID),
		given:   make(map[netip.AddrPort]bool),
		inside:  make(map[netip.Prefix]time.Time),
		tellers: budget.Budgets[tree.ID]{Rate: tellerRate, Burst: tellerBurst, Most: toldMost},
		targets: budget.Budgets[netip.Prefix]{Rate: targetRate, Burst: targetBurst, Most: toldMost},
	}
}

// give takes addresses on which there is no bound: the user has named them, or they were found.
func (h *hearsay) give(ps []tree.Place) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range ps {
		for _, a := range p.Addrs {
			for old := range h.given {
				if len(h.given) < toldMost {
					break
				}
				delete(h.given, old)
			}
			h.given[a] = true
		}
	}
}

// told takes that a node names places.
func (h *hearsay) told(by tree.ID, ps []tree.Place) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range ps {
		for _, a := range p.Addrs {
			for old := range h.by {
				if len(h.by) < toldMost {
					break
				}
				delete(h.by, old)
			}
			h.by[a] = by
		}
	}
}

// linked takes that there is a link to or from an address: this node is in its network.
func (h *hearsay) linked(now time.Time, a netip.Addr) {
	if block, ok := hostnet.Inside(a); ok {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.inside[block] = now
	}
}

// moved forgets in which networks this node was.
func (h *hearsay) moved() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.inside)
}

func (h *hearsay) isInside(now time.Time, block netip.Prefix) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, ok := h.inside[block]
	return ok && now.Sub(at) < insideFor
}

func (h *hearsay) isGiven(a netip.AddrPort) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.given[a]
}

// spend reports whether an address of a place may be dialled now, and counts that. A place of which
// nobody on a link has told has told of itself, by gossip.
func (h *hearsay) spend(now time.Time, id tree.ID, a netip.AddrPort) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	by, one := h.costs(id, a)
	if h.tellers.Left(now, by) < 1 || h.targets.Left(now, one) < 1 {
		return false
	}
	h.tellers.Take(now, by, 1)
	h.targets.Take(now, one, 1)
	return true
}

// refund gives back what a dial has cost its teller; reached says that there was a node at that address.
func (h *hearsay) refund(now time.Time, id tree.ID, a netip.AddrPort, reached bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	by, one := h.costs(id, a)
	h.tellers.Give(now, by, 1)
	if reached {
		h.targets.Give(now, one, targetBurst)
	}
}

// costs is whose budgets a dial costs: the teller's, and the machine's that it is at.
func (h *hearsay) costs(id tree.ID, a netip.AddrPort) (by tree.ID, one netip.Prefix) {
	by, ok := h.by[a]
	if !ok {
		by = id
	}
	one, _ = hostnet.Counted(a.Addr())
	return by, one
}

// mayTell reports whether an address of which others tell means something here. One of a private
// network does to who is in that very network: on a subnet of this machine's, or with a link to or
// from such an address. One of a machine itself does to who takes links there, or has a parent there.
func (n *Node) mayTell(a netip.Addr) bool {
	now := time.Now()
	if hostnet.Nowhere(a) || n.subnets.ForAll(now, a) {
		return false
	}
	block, inside := hostnet.Inside(a)
	switch {
	case !inside, n.hearsay.isInside(now, block):
		return true
	case a.Unmap().IsLoopback():
		for _, own := range n.Addrs() {
			if own.Addr().Unmap().IsLoopback() {
				return true
			}
		}
		return false
	}
	return n.near(now, a)
}

// noteLink takes that there is a link, and whether this node has opened it.
func (n *Node) noteLink(now time.Time, peer netip.Addr, up bool) {
	if peer.IsLoopback() && !up || n.cfg.Near == nil && n.subnets.Gateway(now, peer) {
		return // another program of this machine's has come; or somebody behind a router
	}
	n.hearsay.linked(now, peer)
}

// believed is a place without those addresses that are not dialled on others' word now. What it costs
// is given back by answered.
func (n *Node) believed(p tree.Place) tree.Place {
	now := time.Now()
	all := p.Addrs
	p.Addrs = nil
	for _, a := range all {
		switch {
		case n.hearsay.isGiven(a):
		case !n.mayTell(a.Addr()):
			n.hearsay.refused.Add(toldAddress)
			continue
		case a.Addr().IsLoopback(): // has no limits
		case !n.hearsay.spend(now, p.ID, a):
			n.hearsay.refused.Add(toldBudget)
			continue
		}
		p.Addrs = append(p.Addrs, a)
	}
	return p
}

// answered takes that a place was reached. What it has cost to dial the address at which it was is given
// back, and those that come after it, which were hardly dialled; all of them if it was called.
func (n *Node) answered(p tree.Place, d dialed) {
	now, before := time.Now(), !d.called
	for _, a := range p.Addrs {
		if a == d.addr {
			before = false
		}
		if !before && !n.hearsay.isGiven(a) && !a.Addr().IsLoopback() {
			n.hearsay.refund(now, p.ID, a, a == d.addr)
		}
	}
}

// placesIn are those that a message tells of.
func placesIn(m tree.Message) []tree.Place {
	switch m := m.(type) {
	case tree.Welcome:
		return append(m.Path[:len(m.Path):len(m.Path)], m.Others...)
	case tree.Refer:
		return m.Places
	case tree.Path:
		return m.Path
	case tree.Backups:
		return m.Places
	case tree.Bye:
		return m.Places
	}
	return nil
}
