package tree

import (
	"net/netip"
	"slices"
)

// MaxAddrs is how many addresses of one node are kept and told: the one that its parent
// sees, and one for each network of a well-connected home.
const MaxAddrs = 4

// Place is where a node can be reached. Addrs are tried in order.
type Place struct {
	ID    ID
	Addrs []netip.AddrPort
}

// same reports whether two places are the same node, as far as that can be known.
func (p Place) same(q Place) bool {
	if !p.ID.IsZero() && !q.ID.IsZero() {
		return p.ID == q.ID
	}
	return slices.ContainsFunc(p.Addrs, func(a netip.AddrPort) bool { return slices.Contains(q.Addrs, a) })
}

// first is the first address. It is not valid if there is none.
func (p Place) first() netip.AddrPort {
	if len(p.Addrs) == 0 {
		return netip.AddrPort{}
	}
	return p.Addrs[0]
}

// withAddr returns p with a in front of its addresses, if a is valid.
func (p Place) withAddr(a netip.AddrPort) Place {
	if !a.IsValid() {
		return p
	}
	addrs := []netip.AddrPort{a}
	for _, b := range p.Addrs {
		if b != a && len(addrs) < MaxAddrs {
			addrs = append(addrs, b)
		}
	}
	return Place{p.ID, addrs}
}
