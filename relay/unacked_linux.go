package relay

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// unacked is how many bytes of a connection the other side has not acknowledged, sent or not; 0 if
// the system does not say. What this machine holds of them may be lost when the program ends.
func unacked(conn net.Conn) (bytes int) {
	if g, ok := conn.(*guardedConn); ok {
		conn = g.Conn
	}
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return 0 // a test's connection in memory
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return 0 // it is closed
	}
	_ = raw.Control(func(fd uintptr) { // likewise
		if n, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ); err == nil {
			bytes = n
		}
	})
	return bytes
}
