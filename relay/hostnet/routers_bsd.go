//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package hostnet

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// routers is the gateways of the default routes of both families, IPv4 first, in the order
// of the kernel's table (route(4)).
func routers() []netip.Addr {
	b, err := syscall.RouteRIB(syscall.NET_RT_DUMP, 0)
	if err != nil {
		return nil
	}
	msgs, err := syscall.ParseRoutingMessage(b)
	if err != nil {
		return nil
	}
	var four, six []netip.Addr
	for _, m := range msgs {
		route, ok := m.(*syscall.RouteMessage)
		if !ok || route.Header.Flags&syscall.RTF_GATEWAY == 0 || route.Header.Flags&syscall.RTF_UP == 0 {
			continue
		}
		addrs, err := syscall.ParseRoutingSockaddr(m)
		if err != nil || len(addrs) <= syscall.RTAX_NETMASK {
			continue
		}
		switch a := toEverywhere(addrs); {
		case !a.IsValid():
		case a.Is4() && !slices.Contains(four, a):
			four = append(four, a)
		case a.Is6() && !slices.Contains(six, a):
			six = append(six, a)
		}
	}
	return append(four, six...)
}

// toEverywhere is the gateway of a route, not valid unless it is a default route.
func toEverywhere(addrs []syscall.Sockaddr) netip.Addr {
	switch to := addrs[syscall.RTAX_DST].(type) {
	case *syscall.SockaddrInet4:
		mask, ok := addrs[syscall.RTAX_NETMASK].(*syscall.SockaddrInet4)
		gateway, is := addrs[syscall.RTAX_GATEWAY].(*syscall.SockaddrInet4)
		if is && to.Addr == [4]byte{} && (!ok || mask.Addr == [4]byte{}) {
			return netip.AddrFrom4(gateway.Addr)
		}
	case *syscall.SockaddrInet6:
		mask, ok := addrs[syscall.RTAX_NETMASK].(*syscall.SockaddrInet6)
		gateway, is := addrs[syscall.RTAX_GATEWAY].(*syscall.SockaddrInet6)
		if is && to.Addr == [16]byte{} && (!ok || mask.Addr == [16]byte{}) {
			return linkAddr(gateway.Addr)
		}
	}
	return netip.Addr{}
}

// linkAddr is a gateway's address. The kernel puts the number of the interface into the
// third and fourth byte of those that are known on their link alone.
func linkAddr(b [16]byte) netip.Addr {
	a := netip.AddrFrom16(b)
	if !a.IsLinkLocalUnicast() {
		return a
	}
	index := binary.BigEndian.Uint16(b[2:])
	b[2], b[3] = 0, 0
	i, err := net.InterfaceByIndex(int(index))
	if err != nil {
		return netip.Addr{}
	}
	return netip.AddrFrom16(b).WithZone(i.Name)
}
