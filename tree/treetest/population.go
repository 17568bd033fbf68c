package treetest

import (
	"math/rand/v2"
	"time"
)

// Crowd says who comes, what they give and when they go.
type Crowd struct {
	N        int // how many there are at a time
	Mix      Mix
	Sessions Sessions // without them nobody comes or goes after the beginning
	// Graceful is the share that takes leave; of the others, Silent is the share whose
	// machine goes rather than the process.
	Graceful, Silent float64
	// Spread is the time in which those who are there at the beginning join.
	Spread time.Duration
	// Seeds is how many others a newcomer knows besides the root.
	Seeds int
	// Limited gives every host the uplink that its slots are meant for.
	Limited bool
	Gossip  Gossip
	// Script, if set, is who comes and goes, in place of N, Mix, Sessions and Spread.
	Script []Visit
}

// uplinkShare is the part of an uplink that slots are computed from, as in relay.
const uplinkShare = 0.9

// Population is a crowd in a network.
type Population struct {
	Sim   *Sim
	Crowd Crowd
	Root  *Host

	rand      *rand.Rand
	alive     []*Host // all who run, but the root
	gossip    gossip
	liarSeeds []*Host // liars, of which newcomers know one each
	// OnJoin, if set, is called for everybody who comes.
	OnJoin func(h *Host)
}

// NewPopulation sets up a root and those who come. Time has not passed yet.
func NewPopulation(s *Sim, c Crowd) *Population {
	p := &Population{Sim: s, Crowd: c, rand: rand.New(rand.NewPCG(s.cfg.Seed, 4))}
	p.gossip = gossip{Gossip: c.Gossip, p: p}
	p.Root = s.AddRoot(RootSlots)
	p.limit(p.Root)
	p.gossip.start()
	if c.Script != nil {
		for _, v := range c.Script {
			s.After(v.Join, func() { p.join(v.Slots, 0, v.Leave-v.Join) })
		}
		return p
	}
	for _, slots := range p.firstSlots() {
		s.After(p.upTo(c.Spread), func() {
			age, stay := time.Duration(0), time.Duration(-1)
			if c.Sessions.met != nil {
				age, stay = c.Sessions.running(p.rand)
			}
			p.join(slots, age, stay)
		})
	}
	if c.Sessions.draw != nil {
		p.nextArrival()
	}
	return p
}

// firstSlots draws what those give who are there at the beginning: enough for all,
// which in a small crowd is not a matter of course.
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

// nextArrival makes arrivals a Poisson process that replaces those who go.
func (p *Population) nextArrival() {
	c := &p.Crowd
	gap := seconds(p.rand.ExpFloat64() * c.Sessions.Mean.Seconds() / float64(c.N))
	p.Sim.After(gap, func() {
		p.join(c.Mix(p.rand), 0, c.Sessions.new(p.rand))
		p.nextArrival()
	})
}

// join adds a host of that age, which goes after stay if that is not negative.
func (p *Population) join(slots int, age, stay time.Duration) *Host {
	seeds := []*Host{p.Root}
	for range p.Crowd.Seeds {
		if len(p.alive) > 0 {
			seeds = append(seeds, p.Any())
		}
	}
	if len(p.liarSeeds) > 0 {
		seeds = append(seeds, p.liarSeeds[p.rand.IntN(len(p.liarSeeds))])
	}
	h := p.Sim.AddAged(slots, age, seeds...)
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

// Any is a random one of those who run, the root apart.
func (p *Population) Any() *Host { return p.alive[p.rand.IntN(len(p.alive))] }

// Alive are those who run, the root apart.
func (p *Population) Alive() []*Host { return p.alive }

// end ends a session the way chance has it.
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
		return
	default:
		h.Kill()
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
