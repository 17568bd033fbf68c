package hostnet

import (
	"net"
	"net/netip"
)

// Device is a network interface that is up.
type Device struct {
	net.Interface
	// Prefixes are its addresses with the lengths of their subnets, IPv4 ones as such.
	Prefixes []netip.Prefix
}

// Devices lists the interfaces that are up, loopback among them. It asks the system each
// time, and is the only place that does: cables are plugged in and networks joined while
// the program runs.
func Devices() ([]Device, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var up []Device
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it went away just now
		}
		d := Device{Interface: i}
		for _, a := range addrs {
			if p, ok := prefixOf(a); ok {
				d.Prefixes = append(d.Prefixes, p)
			}
		}
		up = append(up, d)
	}
	return up, nil
}

// prefixOf is an interface's address with the length of its subnet. The system gives an
// IPv4 address in 16 bytes, with a mask of 4 or of 16.
func prefixOf(a net.Addr) (netip.Prefix, bool) {
	n, ok := a.(*net.IPNet)
	if !ok {
		return netip.Prefix{}, false
	}
	ip, ok := netip.AddrFromSlice(n.IP)
	ones, bits := n.Mask.Size()
	if !ok || bits == 0 {
		return netip.Prefix{}, false
	}
	ip = ip.Unmap()
	if ip.Is4() && bits == 128 {
		ones -= 96
	}
	return netip.PrefixFrom(ip, ones), ones >= 0
}
