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

// socket is a connection that is written to without waiting for it.
type socket struct{ raw syscall.RawConn }

// socketOf returns conn's socket. It reports false if conn is none that can be swept.
func socketOf(conn net.Conn) (socket, bool) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return socket{}, false
	}
	raw, err := tcp.SyscallConn()
	return socket{raw}, err == nil
}

// write writes what the socket takes at once of the vectors from the i-th on, and returns how many
// bytes that was. Less than all is no error. The write does not block, so the runtime is not told
// of the call: that would have it look for another thread to run the others.
func (s socket) write(v *vectors, i int) (n int, err error) {
	list := v.list[i:]
	if len(list) == 0 {
		return 0, nil
	}
	var errno syscall.Errno
	err = s.raw.Write(func(fd uintptr) bool {
		for {
			r, _, e := unix.RawSyscall(unix.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&list[0])), uintptr(len(list)))
			if e == unix.EINTR {
				continue
			}
			n, errno = int(r), e
			return true
		}
	})
	switch {
	case err != nil:
		return 0, err
	case errno == unix.EAGAIN:
		return 0, nil
	case errno != 0:
		return 0, errno
	}
	return n, nil
}

// closed reports whether the other end has closed the connection. What it sent is dropped.
func (s socket) closed() (gone bool) {
	var drop [probeSize]byte
	err := s.raw.Read(func(fd uintptr) bool {
		n, _, e := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&drop[0])), uintptr(len(drop)))
		gone = e == 0 && n == 0 || e != 0 && e != unix.EAGAIN && e != unix.EINTR
		return true
	})
	return gone || err != nil
}
