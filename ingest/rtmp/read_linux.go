package rtmp

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reader reads from a connection. The runtime is not told of the reads, which never block: each
// that it is told of on a machine that is idle otherwise wakes its monitor thread, which then looks
// on for a millisecond. That is a third of what a stream costs without viewers.
type reader struct {
	raw   syscall.RawConn
	try   func(fd uintptr) bool // one read into p, made once: each would be garbage
	p     []byte
	n     int
	errno syscall.Errno
}

// readerOf returns what reads from conn.
func readerOf(conn net.Conn) io.Reader {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn
	}
	r := &reader{raw: raw}
	r.try = r.read
	return r
}

// Read waits for bytes, and obeys the connection's deadlines.
func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	r.p = p
	err := r.raw.Read(r.try)
	r.p = nil
	switch {
	case err != nil:
		return 0, err
	case r.errno != 0:
		return 0, os.NewSyscallError("read", r.errno)
	case r.n == 0:
		return 0, io.EOF
	}
	return r.n, nil
}

func (r *reader) read(fd uintptr) bool {
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&r.p[0])), uintptr(len(r.p)))
		if errno != unix.EINTR {
			r.n, r.errno = int(n), errno
			return errno != unix.EAGAIN
		}
	}
}
