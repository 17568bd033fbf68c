//go:build darwin || freebsd

package relay

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// limitHops sets how far what a socket sends goes from now on (the TTL of IP).
func limitHops(c syscall.RawConn, ipv6 bool, hops int) error {
	var set error
	if err := c.Control(func(fd uintptr) {
		if ipv6 {
			set = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, hops)
		} else {
			set = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, hops)
		}
	}); err != nil {
		return err
	}
	return set
}
