package relay

import (
	"net/netip"
	"slices"

	"relay/tree"
)

// shut reports whether it is known that nobody dials this node from beyond its own networks. Of a
// node with a parent it is what a parent has found out, and nobody tries a source: others dial it back
// if they are asked to. Neither is believed of a node that has an address of the Internet, which its
// router may have opened since. A source that offers itself to a helper counts as shut until somebody
// has got through.
func (p *peers) shut(source bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	worldwideOver := func(f family) bool {
		return slices.ContainsFunc(p.given, func(a netip.AddrPort) bool { return worldwide(a) && familyOf(a.Addr()) == f })
	}
	if !source {
		return p.trial.Reach == tree.Closed && !worldwideOver(familyOf(p.trial.Addr.Addr()))
	}
	tried := false
	for f, t := range p.trials {
		switch {
		case t.Reach == tree.Open:
			return false
		case worldwideOver(family(f)) && !p.offering:
			return false
		case t.Reach != tree.Untried:
			tried = true
		}
	}
	return tried || p.offering
}

// offers notes that the source offers itself.
func (p *peers) offers() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offering = true
}
