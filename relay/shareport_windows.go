package relay

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// sharePort lets several connections leave from one local port. Each of them has to ask for it
// before it is bound.
func sharePort(_, _ string, c syscall.RawConn) error {
	var set error
	if err := c.Control(func(fd uintptr) {
		set = windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_REUSEADDR, 1)
	}); err != nil {
		return err
	}
	return set
}

const sharesPorts = true

// limitHops sets how far what a socket sends goes from now on (the TTL of IP).
func limitHops(c syscall.RawConn, ipv6 bool, hops int) error {
	var set error
	if err := c.Control(func(fd uintptr) {
		if ipv6 {
			set = windows.SetsockoptInt(windows.Handle(fd), windows.IPPROTO_IPV6, windows.IPV6_UNICAST_HOPS, hops)
		} else {
			set = windows.SetsockoptInt(windows.Handle(fd), windows.IPPROTO_IP, windows.IP_TTL, hops)
		}
	}); err != nil {
		return err
	}
	return set
}
