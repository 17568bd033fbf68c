package cli

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
)

// page is where browsers find the station's page, by the address that the others in
// this network can use; near reports whether there is one.
func (s *station) page() (url string, near bool) {
	a := s.http.Addr().(*net.TCPAddr).AddrPort()
	ip := a.Addr().Unmap()
	if !ip.IsUnspecified() {
		return "http://" + netip.AddrPortFrom(ip, a.Port()).String() + "/", !ip.IsLoopback()
	}
	if ip, near = nearAddr(); !near {
		return "http://" + localAddr(s.http) + "/", false
	}
	return "http://" + netip.AddrPortFrom(ip, a.Port()).String() + "/", true
}

// nearAddr is this machine's address in the network that its neighbours most likely
// share: not a VPN's, and where there are several the one towards the Internet.
func nearAddr() (netip.Addr, bool) {
	var all []netip.Addr
	ifs, _ := net.Interfaces() // without them there is none
	for _, i := range ifs {
		if i.Flags&net.FlagUp == 0 || i.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 {
			continue
		}
		addrs, _ := i.Addrs() // it may have gone away just now
		for _, n := range addrs {
			if p, err := netip.ParsePrefix(n.String()); err == nil {
				all = append(all, p.Addr().Unmap())
			}
		}
	}
	return likeliest(all, outward())
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

// outward is the address from which packets to the Internet leave. Connecting UDP
// sends none; the address is one for documentation (RFC 5737).
func outward() netip.Addr {
	conn, err := net.Dial("udp4", "192.0.2.1:9")
	if err != nil {
		return netip.Addr{}
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}
