package relay

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// limitHops sets how far what a socket sends goes from now on (the TTL of IP). Routers tell where a
// packet ended; that would end the try, and is not heard: such news quote a packet with less than
// the hops that the socket asks of all that comes.
func limitHops(c syscall.RawConn, ipv6 bool, hops int) error {
	level, limit, least := unix.IPPROTO_IP, unix.IP_TTL, unix.IP_MINTTL
	if ipv6 {
		level, limit, least = unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, unix.IPV6_MINHOPCOUNT
	}
	var set error
	if err := c.Control(func(fd uintptr) {
		if set = unix.SetsockoptInt(int(fd), level, least, 2); set == nil {
			set = unix.SetsockoptInt(int(fd), level, limit, hops)
		}
	}); err != nil {
		return err
	}
	return set
}
