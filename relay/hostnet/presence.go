package hostnet

import (
	"net"
	"net/netip"
	"slices"
)

// Presence notices which addresses come to this machine and go from it. Its zero value is
// ready; one goroutine may use it.
type Presence struct{ had []netip.Addr }

// Look asks the system for the addresses of all interfaces, also of those that are down: the
// address stays there, and so do its connections. lost are those that are gone since the
// call before, without zones; each is told once. fresh reports whether there is a new one
// that others could use. If the system does not answer, nothing has changed.
func (p *Presence) Look() (lost []netip.Addr, fresh bool) { return p.look(allAddrs) }

func (p *Presence) look(list func() ([]netip.Addr, error)) (lost []netip.Addr, fresh bool) {
	now, err := list()
	if err != nil {
		return nil, false
	}
	if len(without(p.had, now)) > 0 { // a list that was read while it changed may lack some
		again, err := list()
		if err != nil {
			return nil, false
		}
		now = append(now, without(again, now)...)
	}
	lost = without(p.had, now)
	fresh = slices.ContainsFunc(without(now, p.had), netip.Addr.IsGlobalUnicast)
	p.had = now
	return lost, fresh
}

// without returns the addresses that are not among the others.
func without(addrs, others []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool { return slices.Contains(others, a) })
}

func allAddrs() ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, a := range all {
		if p, ok := prefixOf(a); ok {
			addrs = append(addrs, p.Addr())
		}
	}
	return addrs, nil
}
