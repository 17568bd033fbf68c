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
	put  func(fd uintptr)

	// Of both: what they have, and what came of it.
	b   []byte
	n   int
	err error
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
		n, errno := call(unix.SYS_READ, fd, s.b, 0)
		switch s.n, s.err = n, nil; errno {
		case 0:
		case unix.EAGAIN:
			return false
		default:
			s.err = os.NewSyscallError("read", errno)
		}
		return true
	}
	s.put = func(fd uintptr) { s.n, s.err = File{fd}.Put(s.b) }
	return s
}

// call makes a system call that does not wait, with bytes, of which there is at least one.
func call(trap, fd uintptr, b []byte, flags uintptr) (int, syscall.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(trap, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), flags, 0, 0)
		if errno != unix.EINTR {
			return int(n), errno
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
	case s.err != nil:
		return 0, s.err
	case s.n == 0:
		return 0, io.EOF
	}
	return s.n, nil
}

// Put is [File.Put].
func (s *Socket) Put(b []byte) (n int, err error) {
	s.b = b
	gone := s.raw.Control(s.put)
	s.b = nil
	if gone != nil {
		return 0, gone
	}
	return s.n, s.err
}

// Hold runs f and returns what it does. The file stays open meanwhile: who closes the connection waits for f, which has
// to see by itself that it should return. It is an error if the connection is closed.
func (s *Socket) Hold(f func(File) error) (err error) {
	if gone := s.raw.Control(func(fd uintptr) { err = f(File{fd}) }); gone != nil {
		return gone
	}
	return err
}

// File is a socket's file while it is held.
type File struct{ fd uintptr }

// Put writes what the socket takes at once, and returns how many bytes that was. Less than all is no
// error. It looks at no deadline. One buffer and sendto are a tenth cheaper than writev: there is no
// list to check, and no file position to lock.
func (f File) Put(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, errno := call(unix.SYS_SENDTO, f.fd, b, unix.MSG_NOSIGNAL)
	switch errno {
	case 0:
		return n, nil
	case unix.EAGAIN:
		return 0, nil
	}
	return 0, os.NewSyscallError("sendto", errno)
}

// Closed reports whether the connection was closed, here or at the other end. It does not wait. What has come, up
// to some hundred bytes, is dropped.
func (s *Socket) Closed() bool {
	var drop [512]byte
	n, errno := 0, syscall.Errno(0)
	err := s.raw.Read(func(fd uintptr) bool {
		n, errno = call(unix.SYS_READ, fd, drop[:], 0)
		return true
	})
	return err != nil || errno == 0 && n == 0 || errno != 0 && errno != unix.EAGAIN
}
