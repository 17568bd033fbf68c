package playback

import (
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxVectors is how many slices the system takes in one writev (UIO_MAXIOV).
const maxVectors = 1024

// vectors is a list of slices as the system wants it, made once for all sockets that are swept.
type vectors struct {
	list  []unix.Iovec
	total int // bytes
}

// add appends slices, and reports false if there is no room for them.
func (v *vectors) add(parts net.Buffers) bool {
	if len(v.list)+len(parts) > maxVectors {
		return false
	}
	for _, p := range parts {
		if len(p) == 0 {
			continue
		}
		e := unix.Iovec{Base: &p[0]}
		e.SetLen(len(p))
		v.list = append(v.list, e)
		v.total += len(p)
	}
	return true
}

func (v *vectors) reset() {
	clear(v.list)
	v.list, v.total = v.list[:0], 0
}

// socket is a connection that is written to without waiting for it. It belongs to one goroutine at a
// time.
type socket struct {
	raw   syscall.RawConn
	try   func(fd uintptr) bool // one write of list, made once: each would be garbage
	list  []unix.Iovec
	n     int
	errno syscall.Errno
}

// socketOf returns conn's socket, nil if conn is none that can be swept.
func socketOf(conn net.Conn) *socket {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{raw: raw}
	s.try = s.writev
	return s
}

// write writes what the socket takes at once of the vectors from the i-th on, and returns how many
// bytes that was. Less than all is no error.
func (s *socket) write(v *vectors, i int) (int, error) {
	if i == len(v.list) {
		return 0, nil
	}
	s.list = v.list[i:]
	err := s.raw.Write(s.try)
	s.list = nil
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

// writev does not block, so the runtime is not told of the call: that would have it look for
// another thread to run the other goroutines.
func (s *socket) writev(fd uintptr) bool {
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&s.list[0])), uintptr(len(s.list)))
		if errno != unix.EINTR {
			s.n, s.errno = int(n), errno
			return true
		}
	}
}

// closed reports whether the other end has closed the connection. What it sent is dropped.
func (s *socket) closed() (gone bool) {
	var drop [probeSize]byte
	err := s.raw.Read(func(fd uintptr) bool {
		n, _, e := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&drop[0])), uintptr(len(drop)))
		gone = e == 0 && n == 0 || e != 0 && e != unix.EAGAIN && e != unix.EINTR
		return true
	})
	return gone || err != nil
}
