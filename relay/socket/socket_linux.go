package socket

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Socket is a connection. One goroutine at a time may use it; for a reader and a writer make one each.
// It ends when the connection is closed.
type Socket struct {
	raw syscall.RawConn
	// System calls, made once: each would be garbage.
	read func(fd uintptr) bool
	send func(fd uintptr)

	b     []byte // of both
	n     int
	errno syscall.Errno
}

// Of returns conn's socket, nil if it has none: it is no TCP connection, or closed.
func Of(conn net.Conn) *Socket {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	s := &Socket{raw: raw}
	s.read = func(fd uintptr) bool {
		s.call(unix.SYS_READ, fd, unsafe.Pointer(&s.b[0]), len(s.b), 0)
		return s.errno != unix.EAGAIN
	}
	s.send = func(fd uintptr) {
		s.call(unix.SYS_SENDTO, fd, unsafe.Pointer(&s.b[0]), len(s.b), unix.MSG_NOSIGNAL)
	}
	return s
}

func (s *Socket) call(trap, fd uintptr, p unsafe.Pointer, size int, flags uintptr) {
	for {
		n, _, errno := unix.RawSyscall6(trap, fd, uintptr(p), uintptr(size), flags, 0, 0)
		if errno != unix.EINTR {
			s.n, s.errno = int(n), errno
			return
		}
	}
}

// Read waits for bytes, as [net.Conn] does, until the connection's deadline.
func (s *Socket) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	s.b = b
	err := s.raw.Read(s.read)
	s.b = nil
	switch {
	case err != nil:
		return 0, err
	case s.errno != 0:
		return 0, os.NewSyscallError("read", s.errno)
	case s.n == 0:
		return 0, io.EOF
	}
	return s.n, nil
}

// Put writes what the socket takes at once, and returns how many bytes that was. Less than all is no
// error. It looks at no deadline. One buffer and sendto are a tenth cheaper than writev: there is no
// list to check, and no file position to lock.
func (s *Socket) Put(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	s.b = b
	err := s.raw.Control(s.send)
	s.b = nil
	switch {
	case err != nil:
		return 0, err
	case s.errno == unix.EAGAIN:
		return 0, nil
	case s.errno != 0:
		return 0, os.NewSyscallError("sendto", s.errno)
	}
	return s.n, nil
}

// Closed reports whether the other end has closed the connection. It does not wait. What has come, up
// to some hundred bytes, is dropped.
func (s *Socket) Closed() (gone bool) {
	var drop [512]byte
	err := s.raw.Read(func(fd uintptr) bool {
		s.call(unix.SYS_READ, fd, unsafe.Pointer(&drop[0]), len(drop), 0)
		return true
	})
	return err != nil || s.errno == 0 && s.n == 0 || s.errno != 0 && s.errno != unix.EAGAIN
}
