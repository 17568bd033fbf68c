package hostnet

import "net/netip"

// Reachable returns where others can reach a listener at a: its own address, or if it
// listens on all those of the machine's interfaces, the most useful first. A machine
// without any has the loopback address.
//
// The order is: public IPv6, public IPv4, the network towards the Internet, other
// networks, VPNs, and interfaces without a carrier; at most two of a kind and four in all.
// A bridge in which nobody is has none, and a temporary IPv6 address is left out where
// there is a stable one.
func Reachable(a netip.AddrPort) []netip.AddrPort {
	if ip := a.Addr().Unmap(); !ip.IsUnspecified() {
		return []netip.AddrPort{netip.AddrPortFrom(ip, a.Port())}
	}
	var addrs []netip.AddrPort
	for _, ip := range ranked(ifaces()) {
		addrs = append(addrs, netip.AddrPortFrom(ip, a.Port()))
	}
	if len(addrs) == 0 {
		addrs = append(addrs, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port()))
	}
	return addrs
}
