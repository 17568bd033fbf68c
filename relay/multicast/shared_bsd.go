//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package multicast

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// shared lets several programs have the port open. BSD's systems want both options for
// that, and hand what goes to many to each.
func shared(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		if err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err == nil {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}
	}); e != nil {
		return e
	}
	return err
}
