package hostnet

import (
	"errors"
	"net/netip"
	"syscall"
	"unsafe"
)

const (
	// adaptersFirst is the room for the system's list at first, and adaptersMost at most, in
	// bytes: an adapter takes about 700.
	adaptersFirst = 16 << 10
	adaptersMost  = 1 << 20
)

// routers is the IPv4 gateways of all adapters, as GetAdaptersInfo lists them.
func routers() []netip.Addr {
	size := uint32(adaptersFirst)
	for size <= adaptersMost {
		b := make([]byte, size)
		first := (*syscall.IpAdapterInfo)(unsafe.Pointer(&b[0]))
		err := syscall.GetAdaptersInfo(first, &size)
		if errors.Is(err, syscall.ERROR_BUFFER_OVERFLOW) {
			continue // size says how much it takes
		}
		if err != nil {
			return nil
		}
		return routersOf(first)
	}
	return nil
}

func routersOf(first *syscall.IpAdapterInfo) []netip.Addr {
	var all []netip.Addr
	for a := first; a != nil; a = a.Next {
		for g := &a.GatewayList; g != nil; g = g.Next {
			if addr, err := netip.ParseAddr(zeroEnded(g.IpAddress.String[:])); err == nil && !addr.IsUnspecified() {
				all = append(all, addr)
			}
		}
	}
	return all
}

func zeroEnded(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
