package relay

import (
	"net"
	"net/netip"

	"relay/relay/hostnet"
)

// maxZones bounds the interfaces on which a link-local address is tried.
const maxZones = 8

// zoned gives link-local addresses zones. An address that another node tells has none,
// because the name of an interface means nothing on another machine. Which of this
// machine's networks it is in is not known, so it is tried in each.
func zoned(addrs []netip.AddrPort, interfaces func() ([]hostnet.Device, error)) []netip.AddrPort {
	var all []netip.AddrPort
	for _, a := range addrs {
		if !a.Addr().Is6() || !a.Addr().IsLinkLocalUnicast() || a.Addr().Zone() != "" {
			all = append(all, a)
			continue
		}
		ifs, err := interfaces()
		if err != nil {
			all = append(all, a)
			continue
		}
		n := 0
		for _, i := range ifs {
			if i.Flags&net.FlagUp == 0 || i.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 || n == maxZones {
				continue
			}
			all = append(all, netip.AddrPortFrom(a.Addr().WithZone(i.Name), a.Port()))
			n++
		}
	}
	return all
}
