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
	var c Census
	c.Real, c.Alone = p.Sim.Depths()
	ms := make([]Member, 0, len(p.alive))
	for _, h := range p.alive {
		ms = append(ms, Member{h.Slots, h.Kind})
		if h.firstUp != 0 {
			c.Attach = append(c.Attach, time.Duration(h.firstUp-h.born))
		}
		if up := h.Parent(); up != nil && !up.Root {
			c.Below[up.Kind]++
		}
	}
	c.Ideal = IdealOf(p.Root.Slots, ms, func(i, k int) bool { return p.Sim.Meet(p.alive[i], p.alive[k]) })
	return c
}
