package station

import (
	"net"
	"net/netip"

	"relay/relay/hostnet"
)

// Page returns the address of the station's page. near reports whether other machines on this
// network can use it; if not, it is one for this machine.
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
