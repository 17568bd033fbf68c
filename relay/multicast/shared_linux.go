package multicast

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// shared lets several programs have the port open, of different users too, which
// SO_REUSEPORT would not. What goes to many is handed to each.
func shared(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}); e != nil {
		return e
	}
	return err
}
