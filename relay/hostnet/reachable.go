package hostnet

import (
	"net/netip"
	"slices"
)

// Reachable returns where others can reach a listener at a: its own address, or those of the
// machine's interfaces when it listens on all, IPv4 first. A machine without any has the
// loopback address.
func Reachable(a netip.AddrPort) []netip.AddrPort {
	if ip := a.Addr().Unmap(); !ip.IsUnspecified() {
		return []netip.AddrPort{netip.AddrPortFrom(ip, a.Port())}
	}
	var addrs []netip.AddrPort
	devices, _ := Devices() // without them the loopback address is left
	for _, d := range devices {
		for _, p := range d.Prefixes {
			if ip := p.Addr(); ip.IsGlobalUnicast() {
				addrs = append(addrs, netip.AddrPortFrom(ip, a.Port()))
			}
		}
	}
	slices.SortStableFunc(addrs, func(x, y netip.AddrPort) int { return x.Addr().BitLen() - y.Addr().BitLen() })
	if len(addrs) == 0 {
		addrs = append(addrs, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port()))
	}
	return addrs
}
