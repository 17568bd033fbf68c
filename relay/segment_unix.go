//go:build linux || darwin

package relay

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// shortSegments has a connection that is about to be made ask for short segments in both
// directions: the other side takes the size from the first packet (RFC 9293 §3.7.1).
func shortSegments(_, _ string, c syscall.RawConn) error {
	var set error
	if err := c.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, segmentSize)
	}); err != nil {
		return err
	}
	return set
}

const hasShortSegments = true
