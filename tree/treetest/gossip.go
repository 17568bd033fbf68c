package treetest

import (
	"time"

	"relay/tree"
)

// Gossip models membership: now and then every host is told of a few others, as they were a
// while ago. Some of them may have gone since.
type Gossip struct {
	// Sample is how many hosts a host is told of at a time; 0 is no gossip.
	Sample int
	// Stale is the age at which facts are replaced by new ones.
	Stale time.Duration
	// Least and Most bound the time between two samples of one host.
	Least, Most time.Duration
}

// DefaultGossip is what a member of gossip sees, and a host that gets samples.
var DefaultGossip = Gossip{Sample: 20, Stale: 5 * time.Second, Least: 15 * time.Second, Most: 30 * time.Second}

// fact is what gossip says of a host.
type fact struct {
	host              *Host
	depth, free, held int
}

type gossip struct {
	Gossip
	p     *Population
	facts []fact
	lies  []fact // what liars say of themselves
}

func (g *gossip) start() {
	if g.Sample > 0 {
		g.look()
	}
}

// look notes the present state of all hosts.
func (g *gossip) look() {
	g.facts = g.facts[:0]
	for _, h := range g.p.alive {
		if !h.alive || h.frozen || h.Fake != nil {
			continue
		}
		i := h.Node.Info()
		f := fact{h, i.Depth, max(0, i.Slots-len(i.Children)), i.Slots}
		if h.shut {
			f.free, f.held = 0, 0
		}
		g.facts = append(g.facts, f)
	}
	g.facts = append(g.facts, g.lies...)
	g.p.Sim.After(g.Stale, g.look)
}

// tell gives h a sample, and again later.
func (g *gossip) tell(h *Host) {
	if g.Sample == 0 {
		return
	}
	p := g.p
	run := h.run
	var again func()
	again = func() {
		if !h.alive || h.run != run {
			return
		}
		if ev, ok := g.sample(h); ok {
			h.tell(ev)
		}
		p.Sim.After(g.Least+time.Duration(p.rand.Int64N(int64(g.Most-g.Least)+1)), again)
	}
	p.Sim.After(time.Duration(p.rand.Int64N(int64(g.Least))), again)
}

func (g *gossip) sample(h *Host) (tree.Event, bool) {
	var c tree.Candidates
	for range min(g.Sample, len(g.facts)) {
		if f := g.facts[g.p.rand.IntN(len(g.facts))]; f.host != h {
			c.Of = append(c.Of, tree.Candidate{Place: f.host.Place, Depth: f.depth, Free: f.free, Slots: f.held})
		}
	}
	return c, len(c.Of) > 0
}
