package discovery

import (
	"net"
	"net/netip"
	"slices"

	"relay/relay/hostnet"
)

// maxAddrs bounds the addresses of one interface that are looked at: a router that
// announces prefixes without end must not make a packet for each.
const maxAddrs = 16

// netIf is an interface that is up, with what discovery needs of it.
type netIf struct {
	net.Interface
	prefixes []netip.Prefix // its addresses with the lengths of their subnets, at most maxAddrs
}

// interfaces lists those that are up, of the names in only if that has some. It is
// called anew for each query: cables are plugged in and networks joined at any time.
func interfaces(only []string) ([]netIf, error) {
	all, err := hostnet.Devices()
	if err != nil {
		return nil, err
	}
	var up []netIf
	for _, d := range all {
		if len(only) > 0 && !slices.Contains(only, d.Name) || len(d.Prefixes) == 0 {
			continue
		}
		up = append(up, netIf{d.Interface, d.Prefixes[:min(len(d.Prefixes), maxAddrs)]})
	}
	return up, nil
}

// local is this machine's address in the subnet of the interface that peer is in, not
// valid if it is in none. Links between two points have none: a VPN's other end is no
// neighbour, and strangers share its subnet. Neither is a subnet that holds everything.
func (n netIf) local(peer netip.Addr) netip.Addr {
	peer = peer.Unmap().WithZone("")
	if n.Flags&net.FlagPointToPoint != 0 {
		return netip.Addr{}
	}
	for _, p := range n.prefixes {
		if p.Bits() > 0 && p.Contains(peer) {
			return p.Addr()
		}
	}
	return netip.Addr{}
}

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
func (n netIf) askable() []netip.Prefix {
	var all []netip.Prefix
	six := -1
	for i, p := range n.prefixes {
		switch a := p.Addr(); {
		case a.Is4():
			all = append(all, p)
		case six < 0 || a.IsLinkLocalUnicast() && !n.prefixes[six].Addr().IsLinkLocalUnicast():
			six = i
		}
	}
	if six >= 0 {
		all = append(all, n.prefixes[six])
	}
	return all
}
