package station

import (
	"net"
	"net/netip"

	"relay/relay/hostnet"
)

// Page is where browsers find the station's page, by the address that the others in
// this network can use; near reports whether there is one.
func (s *Station) Page() (url string, near bool) {
	a := s.HTTP.Addr().(*net.TCPAddr).AddrPort()
	ip := a.Addr().Unmap()
	if !ip.IsUnspecified() {
		return "http://" + netip.AddrPortFrom(ip, a.Port()).String() + "/", !ip.IsLoopback()
	}
	if ip, near = hostnet.NearAddr(); !near {
		return "http://" + LocalAddr(s.HTTP) + "/", false
	}
	return "http://" + netip.AddrPortFrom(ip, a.Port()).String() + "/", true
}
