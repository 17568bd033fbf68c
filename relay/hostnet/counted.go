package hostnet

import "net/netip"

// Counted returns what counts as one address where strangers have a share each, an IPv6
// customer's whole /64, and what counts as one neighbourhood: a /24, or an IPv6 /48. Those of an
// address that is not valid are not valid either, and count as one.
func Counted(a netip.Addr) (one, neighbours netip.Prefix) {
	a = a.Unmap().WithZone("")
	bits, wide := 32, 24
	if a.Is6() {
		bits, wide = 64, 48
	}
	one, _ = a.Prefix(bits) // fails only for one that is not valid
	neighbours, _ = a.Prefix(wide)
	return one, neighbours
}
