package discovery

import (
	"net/netip"

	"relay/relay/multicast"
)

// broadcast is the address of everybody in an IPv4 subnet; false if it has none.
func broadcast(p netip.Prefix) (netip.Addr, bool) {
	if !p.Addr().Is4() || p.Bits() > 30 || p.Bits() == 0 {
		return netip.Addr{}, false
	}
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(b), true
}

// askable are the addresses to ask from: every IPv4 one, for each has a subnet of its
// own; and of IPv6 the link-local one, since a group is asked that ends with the link,
// or the first of those there are.
func askable(n multicast.Interface) []netip.Prefix {
	var all []netip.Prefix
	six := -1
	for i, p := range n.Prefixes {
		switch a := p.Addr(); {
		case a.Is4():
			all = append(all, p)
		case six < 0 || a.IsLinkLocalUnicast() && !n.Prefixes[six].Addr().IsLinkLocalUnicast():
			six = i
		}
	}
	if six >= 0 {
		all = append(all, n.Prefixes[six])
	}
	return all
}
