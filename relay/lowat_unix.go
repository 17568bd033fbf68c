//go:build linux || darwin

package relay

import (
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// boundUnsent keeps what is written to a connection from piling up in the kernel
// ahead of what the network takes: see unsentMost.
func boundUnsent(conn net.Conn) error {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return nil // a test's connection in memory
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	if err := raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentMost)
	}); err != nil {
		return err
	}
	if set != nil {
		return fmt.Errorf("set TCP_NOTSENT_LOWAT: %w", set)
	}
	return nil
}
