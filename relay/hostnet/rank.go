package hostnet

import (
	"cmp"
	"net/netip"
	"slices"
)

const (
	// mostAddrs is how many of this machine's addresses others are told: as many as a
	// frame of a link has room for (tree.MaxAddrs).
	mostAddrs = 4
	// mostOfAKind bounds those of one kind, so that a machine with a dozen networks of one
	// kind tells of the other kinds as well.
	mostOfAKind = 2
)

// kind is what an address is good for, the most useful first.
type kind int

const (
	publicIPv6 kind = iota // reached from everywhere, if no firewall keeps others off
	publicIPv4
	lanOutward // in the network towards the Internet, which the neighbours most likely share
	lanOther
	vpn
	idle // nothing is plugged in there now
)

// iface is an interface that is up, with what the rank of its addresses depends on.
type iface struct {
	name     string
	prefixes []netip.Prefix // its addresses, with the lengths of their subnets
	way      int            // its place among those with a default route, from 1; 0 if it has none
	tunnel   bool           // a VPN, or another line to one place
	inner    bool           // a network within this machine: of containers, of virtual machines
	idle     bool           // it has no carrier; a bridge has none while no member has
	passing  []netip.Addr   // temporary addresses (RFC 8981): they are gone in a day
	unfit    []netip.Addr   // no longer or not yet to be used (RFC 4862)
}

// ranked returns the addresses under which others may reach this machine, the most useful
// first: mostAddrs in all, and mostOfAKind of one kind. There is one for each subnet of an
// interface, and none for a network within this machine in which nobody is.
func ranked(all []iface) []netip.Addr {
	type candidate struct {
		addr  netip.Addr
		kind  kind
		tail  int // behind others of its kind
		order int
	}
	var cs []candidate
	for _, i := range all {
		if i.inner && i.idle {
			continue
		}
		for _, a := range i.addrs() {
			c := candidate{addr: a, kind: i.kindOf(a), order: len(cs)}
			switch {
			case i.inner:
				c.tail = 3000
			case i.tunnel:
				c.tail = 2000
			case i.way == 0:
				c.tail = 1000
			default:
				c.tail = min(i.way, 999)
			}
			cs = append(cs, c)
		}
	}
	slices.SortStableFunc(cs, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.tail, b.tail),
			cmp.Compare(a.addr.BitLen(), b.addr.BitLen()), cmp.Compare(a.order, b.order))
	})
	var addrs []netip.Addr
	of := make(map[kind]int)
	for _, c := range cs {
		if of[c.kind] == mostOfAKind || len(addrs) == mostAddrs || slices.Contains(addrs, c.addr) {
			continue
		}
		of[c.kind]++
		addrs = append(addrs, c.addr)
	}
	return addrs
}

// addrs is the interface's addresses that others can use, one for each subnet. A temporary
// one is only taken if its subnet has no other.
func (i iface) addrs() []netip.Addr {
	var taken []netip.Prefix
	var addrs []netip.Addr
	for _, passing := range []bool{false, true} {
		for _, p := range i.prefixes {
			a, net := p.Addr(), subnetOf(p)
			if !a.IsGlobalUnicast() || slices.Contains(i.unfit, a) || slices.Contains(i.passing, a) != passing || slices.Contains(taken, net) {
				continue
			}
			taken = append(taken, net)
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// subnetOf is the subnet of an address, for IPv6 always a /64: DHCPv6 gives addresses as
// /128 in the same subnet in which the machine has made one for itself.
func subnetOf(p netip.Prefix) netip.Prefix {
	if p.Addr().Is6() {
		p = netip.PrefixFrom(p.Addr(), 64)
	}
	return p.Masked()
}

func (i iface) kindOf(a netip.Addr) kind {
	switch {
	case i.idle:
		return idle
	case Public(a) && a.Is6():
		return publicIPv6
	case Public(a):
		return publicIPv4
	case i.tunnel:
		return vpn
	case i.way > 0:
		return lanOutward
	}
	return lanOther
}

// notPublic are blocks within the address space of the Internet that are not reached from
// there: carriers' networks; the inner side of an IPv4 line that is carried in IPv6
// (RFC 7335); test networks, which some VPNs use (RFC 2544); Teredo and 6to4, whose relays
// are gone (RFC 4380, RFC 7526).
var notPublic = []netip.Prefix{
	SharedByCarrier,
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("2002::/16"),
}

// internet6 is the IPv6 address space that is given out (RFC 4291). Some overlay networks
// take theirs from elsewhere.
var internet6 = netip.MustParsePrefix("2000::/3")

// Public reports whether an address is one of the Internet, so that it may be reached from
// everywhere. A firewall may still keep others off.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !internet6.Contains(a) {
		return false
	}
	return !slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(a) })
}
