package socket

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Receiver receives datagrams from a UDP socket. One goroutine at a time may use it. It ends when the socket is closed.
type Receiver struct {
	raw     syscall.RawConn
	receive func(fd uintptr) bool // made once: each would be garbage

	b    []byte
	n    int
	err  error
	from unix.RawSockaddrAny

	// The newest zone of an address: the name of an interface, which takes a system call to look up.
	scope uint32
	zone  string
}

// ReceiverOf returns what receives from conn.
func ReceiverOf(conn *net.UDPConn) (*Receiver, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	r := &Receiver{raw: raw}
	r.receive = func(fd uintptr) bool {
		for {
			size := uint32(unsafe.Sizeof(r.from))
			n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&r.b[0])), uintptr(len(r.b)), 0,
				uintptr(unsafe.Pointer(&r.from)), uintptr(unsafe.Pointer(&size)))
			switch r.n, r.err = int(n), nil; errno {
			case 0:
			case unix.EINTR:
				continue
			case unix.EAGAIN:
				return false
			default:
				r.err = os.NewSyscallError("recvfrom", errno)
			}
			return true
		}
	}
	return r, nil
}

// Receive waits for a datagram, as [net.UDPConn.ReadFromUDPAddrPort] does, until the socket's deadline. What of it does not fit
// into b, which has room for a byte at least, is lost.
func (r *Receiver) Receive(b []byte) (int, netip.AddrPort, error) {
	r.b = b
	err := r.raw.Read(r.receive)
	r.b = nil
	switch {
	case err != nil:
		return 0, netip.AddrPort{}, err
	case r.err != nil:
		return 0, netip.AddrPort{}, r.err
	}
	return r.n, r.address(), nil
}

// address is that of the newest datagram's sender.
func (r *Receiver) address() netip.AddrPort {
	switch r.from.Addr.Family {
	case unix.AF_INET:
		a := (*unix.RawSockaddrInet4)(unsafe.Pointer(&r.from))
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), portOf(&a.Port))
	case unix.AF_INET6:
		a := (*unix.RawSockaddrInet6)(unsafe.Pointer(&r.from))
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).WithZone(r.zoneOf(a.Scope_id)), portOf(&a.Port))
	}
	return netip.AddrPort{}
}

// portOf reads a port, which the system has in the network's order.
func portOf(p *uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(p))[:])
}

// zoneOf names an interface, by its number if it has no name any more.
func (r *Receiver) zoneOf(scope uint32) string {
	switch {
	case scope == 0:
		return ""
	case scope == r.scope:
	default:
		r.scope, r.zone = scope, strconv.Itoa(int(scope))
		if i, err := net.InterfaceByIndex(int(scope)); err == nil {
			r.zone = i.Name
		}
	}
	return r.zone
}
