package relay

import (
	"io"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socket is a connection whose system calls the runtime is not told of. They do not block, and it
// would wake a thread to watch over each, and look for another to run the other goroutines. One
// goroutine at a time may use it.
type socket struct {
	raw         syscall.RawConn
	reads, puts func(fd uintptr) bool // system calls with b, made once: each would be garbage
	b           []byte
	n           int
	errno       syscall.Errno
}

// socketOf returns conn's socket, nil if conn is none that can be swept.
func socketOf(conn net.Conn) *socket {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil // it is closed
	}
	s := &socket{raw: raw}
	s.reads = func(fd uintptr) bool { return s.call(unix.SYS_READ, fd) && s.errno != unix.EAGAIN }
	s.puts = func(fd uintptr) bool { return s.call(unix.SYS_WRITE, fd) }
	return s
}

// write writes what the socket takes at once, and returns how many bytes that was. Less than all is
// no error.
func (s *socket) write(b []byte) (int, error) {
	s.b = b
	err := s.raw.Write(s.puts)
	s.b = nil
	switch {
	case err != nil:
		return 0, err
	case s.errno == unix.EAGAIN:
		return 0, nil
	case s.errno != 0:
		return 0, s.errno
	}
	return s.n, nil
}

// read waits for bytes.
func (s *socket) read(b []byte) (int, error) {
	s.b = b
	err := s.raw.Read(s.reads)
	s.b = nil
	switch {
	case err != nil:
		return 0, err
	case s.errno != 0:
		return 0, s.errno
	case s.n == 0:
		return 0, io.EOF
	}
	return s.n, nil
}

func (s *socket) call(trap, fd uintptr) bool {
	for {
		n, _, errno := unix.RawSyscall(trap, fd, uintptr(unsafe.Pointer(&s.b[0])), uintptr(len(s.b)))
		if errno != unix.EINTR {
			s.n, s.errno = int(n), errno
			return true
		}
	}
}
