package hostnet

import (
	"net/netip"
	"slices"
	"time"
)

// nowhere are addresses at which no node is, whoever says so: this network (RFC 791), the services
// that tell machines in a data centre their names and keys, and what is reserved, with the broadcast
// address.
var nowhere = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("169.254.169.254/32"),
	netip.MustParsePrefix("169.254.170.2/32"),
	netip.MustParsePrefix("100.100.100.200/32"),
	netip.MustParsePrefix("192.0.0.192/32"),
	netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("fd00:ec2::/32"),
	netip.MustParsePrefix("240.0.0.0/4"),
}

// Nowhere reports whether no node can be at an address, so that nobody is to be sent there: it is
// for many, for nobody, or a data centre's service for its own machines.
func Nowhere(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || within(a, nowhere)
}

// insides are the blocks that many networks have for themselves: who is in one of those networks
// means another machine by such an address than who is in another.
var insides = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("::1/128"),
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("fec0::/10"),
	SharedByCarrier,
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
}

// uniqueLocal are the blocks that networks make for themselves (RFC 4193), each a /48.
var uniqueLocal = netip.MustParsePrefix("fc00::/7")

// Inside returns the block of an address that means something in one network alone. It reports false
// for one of the Internet.
func Inside(a netip.Addr) (netip.Prefix, bool) {
	a = a.Unmap().WithZone("")
	if i := slices.IndexFunc(insides, func(p netip.Prefix) bool { return p.Contains(a) }); i >= 0 {
		return insides[i], true
	}
	if uniqueLocal.Contains(a) {
		p, err := a.Prefix(48)
		return p, err == nil
	}
	return netip.Prefix{}, false
}

func within(a netip.Addr, blocks []netip.Prefix) bool {
	return slices.ContainsFunc(blocks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Gateway reports whether an address is a router's of this machine's, or of a network of containers:
// who seems to come from there may be anywhere.
func (s *Subnets) Gateway(now time.Time, a netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look(now)
	return slices.Contains(s.gateways, a.Unmap().WithZone(""))
}

// ForAll reports whether an address is the broadcast address of one of this machine's subnets.
func (s *Subnets) ForAll(now time.Time, a netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look(now)
	a = a.Unmap()
	return slices.ContainsFunc(s.own, func(p netip.Prefix) bool {
		return a.Is4() && p.Bits() < 31 && p.Contains(a) && !p.Contains(a.Next())
	})
}
