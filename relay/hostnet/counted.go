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

// Shares is how many of something each address has, and each neighbourhood, as [Counted] counts
// them. Its zero value is ready. It is not safe for concurrent use.
type Shares struct{ ones, neighbours map[netip.Prefix]int }

// Add gives an address so many more.
func (s *Shares) Add(a netip.Addr, n int) {
	if s.ones == nil {
		s.ones, s.neighbours = make(map[netip.Prefix]int), make(map[netip.Prefix]int)
	}
	one, neighbours := Counted(a)
	add(s.ones, one, n)
	add(s.neighbours, neighbours, n)
}

func add(to map[netip.Prefix]int, p netip.Prefix, n int) {
	if to[p] += n; to[p] == 0 {
		delete(to, p)
	}
}

// Of returns how many an address has, and how many its neighbourhood.
func (s *Shares) Of(a netip.Addr) (one, neighbours int) {
	o, n := Counted(a)
	return s.ones[o], s.neighbours[n]
}
