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
// It obeys the connection's deadlines, and ends when that is closed.
type Socket struct {
	raw syscall.RawConn
	// System calls, made once: each would be garbage.
	read, write, writev func(fd uintptr) bool

	b     []byte       // of read and write
	list  []unix.Iovec // of writev
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
		s.call(unix.SYS_READ, fd, unsafe.Pointer(&s.b[0]), len(s.b))
		return s.errno != unix.EAGAIN
	}
	s.write = func(fd uintptr) bool {
		s.call(unix.SYS_WRITE, fd, unsafe.Pointer(&s.b[0]), len(s.b))
		return true
	}
	s.writev = func(fd uintptr) bool {
		s.call(unix.SYS_WRITEV, fd, unsafe.Pointer(&s.list[0]), len(s.list))
		return true
	}
	return s
}

func (s *Socket) call(trap, fd uintptr, p unsafe.Pointer, size int) {
	for {
		n, _, errno := unix.RawSyscall(trap, fd, uintptr(p), uintptr(size))
		if errno != unix.EINTR {
			s.n, s.errno = int(n), errno
			return
		}
	}
}

// Read waits for bytes, as [net.Conn] does.
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
// error.
func (s *Socket) Put(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	s.b = b
	err := s.raw.Write(s.write)
	s.b = nil
	return s.put("write", err)
}

// PutAll is Put for vectors, from the i-th on.
func (s *Socket) PutAll(v *Vectors, i int) (int, error) {
	if i == len(v.list) {
		return 0, nil
	}
	s.list = v.list[i:]
	err := s.raw.Write(s.writev)
	s.list = nil
	return s.put("writev", err)
}

func (s *Socket) put(call string, err error) (int, error) {
	switch {
	case err != nil:
		return 0, err
	case s.errno == unix.EAGAIN:
		return 0, nil
	case s.errno != 0:
		return 0, os.NewSyscallError(call, s.errno)
	}
	return s.n, nil
}

// Closed reports whether the other end has closed the connection. It does not wait. What has come, up
// to some hundred bytes, is dropped.
func (s *Socket) Closed() (gone bool) {
	var drop [512]byte
	err := s.raw.Read(func(fd uintptr) bool {
		s.call(unix.SYS_READ, fd, unsafe.Pointer(&drop[0]), len(drop))
		return true
	})
	return err != nil || s.errno == 0 && s.n == 0 || s.errno != 0 && s.errno != unix.EAGAIN
}
