//go:build linux || darwin || freebsd

package relay

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// sharePort lets several connections leave from one local port. Each of them has to ask for it
// before it is bound. A port that is listened on is not shared.
func sharePort(_, _ string, c syscall.RawConn) error {
	var set error
	if err := c.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		if set == nil && runtime.GOOS != "linux" {
			set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}
	}); err != nil {
		return err
	}
	return set
}

const sharesPorts = true
