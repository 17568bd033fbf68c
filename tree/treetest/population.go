package treetest

import (
	"math/rand/v2"
	"time"
)

// Crowd says which hosts come, what they give and when they go.
type Crowd struct {
	N        int // how many there are at a time
	Mix      Mix
	Sessions Sessions // without them nobody comes or goes after the beginning
	// Graceful is the share of hosts that leave in good order. Of the others, Silent is the
	// share whose machine goes off, and not just the process.
	Graceful, Silent float64
	// Spread is the time in which the first N hosts join.
	Spread time.Duration
	// Seeds is how many others a newcomer knows besides the root.
	Seeds int
	// Limited gives every host the uplink that its slots are meant for.
	Limited bool
	Gossip  Gossip
	// Kinds, if set, says what kinds of hosts there are; without it all are open.
	Kinds *Kinds
	// Script, if set, says who comes and goes, in place of N, Mix, Sessions and Spread.
	Script []Visit
}

// uplinkShare is the part of an uplink from which slots are computed, as in relay.
const uplinkShare = 0.9

// Population is a crowd in a network.
type Population struct {
	Sim   *Sim
	Crowd Crowd
	Root  *Host

	rand      *rand.Rand
	alive     []*Host  // all that run, but the root
	dealt     []Member // the first hosts of a crowd of several kinds
	gossip    gossip
	liarSeeds []*Host // liars, of which newcomers know one each
	// OnJoin, if set, is called for everybody who comes.
	OnJoin func(h *Host)
}

// NewPopulation sets up a root and the hosts that will come. No time passes.
func NewPopulation(s *Sim, c Crowd) *Population {
	p := &Population{Sim: s, Crowd: c, rand: rand.New(rand.NewPCG(s.cfg.Seed, 4))}
	p.gossip = gossip{Gossip: c.Gossip, p: p}
	p.Root = s.AddRoot(RootSlots)
	p.limit(p.Root)
	p.gossip.start()
	if c.Script != nil {
		for _, v := range c.Script {
			s.After(v.Join, func() { p.join(Member{Slots: v.Slots}, 0, v.Leave-v.Join) })
		}
		return p
	}
	for _, m := range p.first() {
		s.After(p.upTo(c.Spread), func() {
			age, stay := time.Duration(0), time.Duration(-1)
			if c.Sessions.met != nil {
				age, stay = c.Sessions.running(p.rand)
			}
			p.join(m, age, stay)
		})
	}
	if c.Sessions.draw != nil {
		p.nextArrival()
	}
	return p
}

// first are the first hosts.
func (p *Population) first() []Member {
	ms := make([]Member, 0, p.Crowd.N)
	for _, slots := range p.firstSlots() {
		ms = append(ms, Member{Slots: slots})
	}
	if k := p.Crowd.Kinds; k != nil {
		k.deal(p.rand, ms)
		p.dealt = ms
	}
	return ms
}

// next is one who comes later. In a crowd of several kinds it is as one of the first is: that crowd has
// slots for all.
func (p *Population) next() Member {
	if len(p.dealt) > 0 {
		return p.dealt[p.rand.IntN(len(p.dealt))]
	}
	return Member{Slots: p.Crowd.Mix(p.rand)}
}

// firstSlots draws the slots of the first hosts, so that there are enough for all. In a small
// crowd chance alone would not see to that.
func (p *Population) firstSlots() []int {
	c := &p.Crowd
	slots := make([]int, c.N)
	for range 1000 {
		sum := RootSlots
		for i := range slots {
			slots[i] = c.Mix(p.rand)
			sum += slots[i]
		}
		if sum >= c.N+c.N/2 {
			break
		}
	}
	return slots
}

func (p *Population) upTo(d time.Duration) time.Duration {
	return time.Duration(p.rand.Int64N(max(1, int64(d))))
}

// nextArrival makes arrivals a Poisson process that replaces the hosts that go.
func (p *Population) nextArrival() {
	c := &p.Crowd
	gap := seconds(p.rand.ExpFloat64() * c.Sessions.Mean.Seconds() / float64(c.N))
	p.Sim.After(gap, func() {
		p.join(p.next(), 0, c.Sessions.new(p.rand))
		p.nextArrival()
	})
}

// join adds a host of that age, which goes after stay if that is not negative.
func (p *Population) join(m Member, age, stay time.Duration) *Host {
	seeds := []*Host{p.Root}
	for range p.Crowd.Seeds {
		if len(p.alive) > 0 {
			seeds = append(seeds, p.Any())
		}
	}
	if len(p.liarSeeds) > 0 {
		seeds = append(seeds, p.liarSeeds[p.rand.IntN(len(p.liarSeeds))])
	}
	h := p.Sim.add(m.Slots, seeds)
	h.Kind, h.feigns, h.came = m.Kind, m.Feigns, p.Sim.now.Add(-age)
	p.Sim.begin(h)
	p.limit(h)
	h.inCrowd = len(p.alive)
	p.alive = append(p.alive, h)
	p.gossip.tell(h)
	if p.OnJoin != nil {
		p.OnJoin(h)
	}
	if stay >= 0 {
		p.Sim.After(stay, func() { p.end(h) })
	}
	return h
}

func (p *Population) limit(h *Host) {
	if p.Crowd.Limited {
		h.Uplink = int64(float64(max(1, h.Slots)) * float64(p.Sim.cfg.Stream.bitRate()) / uplinkShare)
	}
}

// Any is a random host that runs, but not the root.
func (p *Population) Any() *Host { return p.alive[p.rand.IntN(len(p.alive))] }

// Alive are the hosts that run, but for the root.
func (p *Population) Alive() []*Host { return p.alive }

// end ends a session in the way that chance picks.
func (p *Population) end(h *Host) {
	if !h.alive {
		return
	}
	switch x := p.rand.Float64(); {
	case x < p.Crowd.Graceful:
		h.Leave()
	case p.rand.Float64() < p.Crowd.Silent:
		p.Remove(h)
		h.PowerOff()
		h.Forget()
		return
	default:
		h.Kill()
		h.Forget()
	}
	p.Remove(h)
}

// Remove takes a host that ends out of the crowd.
func (p *Population) Remove(h *Host) {
	if h.inCrowd >= len(p.alive) || p.alive[h.inCrowd] != h {
		return
	}
	last := p.alive[len(p.alive)-1]
	p.alive[h.inCrowd], last.inCrowd = last, h.inCrowd
	p.alive = p.alive[:len(p.alive)-1]
}
