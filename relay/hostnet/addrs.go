package hostnet

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
)

// Interface is one interface that is up.
type Interface struct {
	Name         string
	PointToPoint bool
	Addrs        []netip.Addr
}

// Interfaces are those that are up, the loopback left out.
func Interfaces() []Interface {
	var all []Interface
	devices, _ := Devices() // without them there is no network to speak of
	for _, d := range devices {
		if d.Flags&net.FlagLoopback != 0 {
			continue
		}
		i := Interface{Name: d.Name, PointToPoint: d.Flags&net.FlagPointToPoint != 0}
		for _, p := range d.Prefixes {
			i.Addrs = append(i.Addrs, p.Addr())
		}
		all = append(all, i)
	}
	return all
}

// NearAddr is this machine's address in the network that its neighbours most likely
// share: not a VPN's, nor that of a network within this machine, and where there are
// several the one towards the Internet.
func NearAddr() (netip.Addr, bool) { return likeliest(nearest(ifaces()), Outward()) }

// nearest lists the addresses at which neighbours can be, in the order of their use.
func nearest(all []iface) []netip.Addr {
	all = slices.DeleteFunc(slices.Clone(all), func(i iface) bool { return i.tunnel || i.inner && i.idle })
	key := func(i iface) int {
		switch {
		case i.idle:
			return 3000
		case i.way > 0:
			return min(i.way, 999)
		case i.inner:
			return 2000
		}
		return 1000
	}
	slices.SortStableFunc(all, func(a, b iface) int { return cmp.Compare(key(a), key(b)) })
	var addrs []netip.Addr
	for _, i := range all {
		addrs = append(addrs, i.addrs()...)
	}
	return addrs
}

// likeliest picks the address to show of those that there are, in the order of the
// interfaces. outward is the one towards the Internet; it may be the zero Addr.
func likeliest(all []netip.Addr, outward netip.Addr) (netip.Addr, bool) {
	all = slices.DeleteFunc(slices.Clone(all), func(a netip.Addr) bool { return !a.IsGlobalUnicast() })
	if len(all) == 0 {
		return netip.Addr{}, false
	}
	rank := func(a netip.Addr) int {
		switch {
		case a == outward:
			return 0
		case a.Is4() && a.IsPrivate():
			return 1
		case a.Is4():
			return 2
		}
		return 3
	}
	slices.SortStableFunc(all, func(a, b netip.Addr) int { return cmp.Compare(rank(a), rank(b)) })
	return all[0], true
}

// Outward is the IPv4 address from which packets to the Internet leave; zero without a
// way. Connecting UDP sends none; the address is one for documentation (RFC 5737).
func Outward() netip.Addr { return leavesFrom("udp4", "192.0.2.1:9") }

// Outward6 is the IPv6 address likewise (RFC 3849).
func Outward6() netip.Addr { return leavesFrom("udp6", "[2001:db8::1]:9") }

// leavesFrom is the address from which packets to that one leave; zero without a way.
func leavesFrom(network, to string) netip.Addr {
	conn, err := net.Dial(network, to)
	if err != nil {
		return netip.Addr{}
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

// SharedByCarrier is the block of addresses with which providers number customers that
// get no address of their own (RFC 6598).
var SharedByCarrier = netip.MustParsePrefix("100.64.0.0/10")
