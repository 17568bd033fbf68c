package treetest

import "time"

// Census is what a look at a crowd shows, and what there was until then.
type Census struct {
	Real, Ideal Levels
	Alone       int             // without a way to the root
	Attach      []time.Duration // from the beginning to the first parent, of those that have had one
	Below       [Closed + 1]int // children of hosts of each kind, the root apart
}

// Census looks at the crowd.
func (p *Population) Census() Census {
	c := Census{Ideal: p.ideal()}
	c.Real, c.Alone = p.Sim.Depths()
	for _, h := range p.alive {
		if h.firstUp != 0 {
			c.Attach = append(c.Attach, time.Duration(h.firstUp-h.born))
		}
		if up := h.Parent(); up != nil && !up.Root {
			c.Below[up.Kind]++
		}
	}
	return c
}

// ideal is the ideal tree of those that run now, as far as others get through to them.
func (p *Population) ideal() Levels {
	if p.Crowd.Kinds == nil {
		slots := make([]int, 0, len(p.alive))
		for _, h := range p.alive {
			slots = append(slots, h.Slots)
		}
		return Ideal(p.Root.Slots, slots)
	}
	ms := make([]Member, 0, len(p.alive))
	for _, h := range p.alive {
		ms = append(ms, Member{Slots: h.Slots, Kind: h.Kind})
	}
	return IdealOf(p.Root.Slots, ms, func(i, k int) bool { return p.Sim.Meet(p.alive[i], p.alive[k]) })
}
