package relay

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// subnetsAge is how long the list of this machine's subnets is used: a laptop that
// changes networks is right again this soon, and a crowd costs one look.
const subnetsAge = 10 * time.Second

// surroundings are what tells near from far.
type surroundings struct {
	own []netip.Prefix // this machine's subnets
	// gateways are the routers to everywhere else. A peer that seems to be one is
	// somebody behind it: routers and containers' networks put their own address on
	// what they pass in.
	gateways []netip.Addr
}

// near reports whether a peer's traffic stays off the Internet link: the peer is
// this machine or in one of its own subnets. A private address elsewhere is not: a
// carrier's NAT and a VPN have those too.
func (s surroundings) near(peer netip.Addr) bool {
	peer = peer.Unmap().WithZone("")
	switch {
	case peer.IsLoopback():
		return true
	case slices.Contains(s.gateways, peer):
		return false
	case peer.Is6() && peer.IsLinkLocalUnicast(): // no router passes it on
		return true
	}
	return slices.ContainsFunc(s.own, func(p netip.Prefix) bool { return p.Contains(peer) })
}

// ownSubnets is the subnets of this machine's interfaces that are up. Those of
// point-to-point links, as VPNs have, are left out: their traffic goes elsewhere.
func ownSubnets() ([]netip.Prefix, error) {
	ifs, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var own []netip.Prefix
	for _, i := range ifs {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagPointToPoint != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it went away just now
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				if p, ok := prefixOf(n); ok {
					own = append(own, p)
				}
			}
		}
	}
	return own, nil
}

// prefixOf is a subnet in the form in which addresses are compared with it. One
// that holds everything says nothing, and reports false.
func prefixOf(n *net.IPNet) (netip.Prefix, bool) {
	a, ok := netip.AddrFromSlice(n.IP)
	ones, bits := n.Mask.Size()
	if !ok || ones == 0 {
		return netip.Prefix{}, false
	}
	a = a.Unmap()
	if a.Is4() && bits == 128 {
		ones -= 96
	}
	p, err := a.Prefix(ones)
	return p, err == nil && ones > 0
}

// subnets remembers this machine's subnets. Its zero value is ready.
type subnets struct {
	mu sync.Mutex
	at time.Time
	surroundings
}

// near reports whether the peer is near, at now.
func (s *subnets) near(now time.Time, peer netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at.IsZero() || now.Sub(s.at) >= subnetsAge {
		s.at = now
		if own, err := ownSubnets(); err == nil { // else the old list is the best there is
			s.own, s.gateways = own, gateways()
		}
	}
	return s.surroundings.near(peer)
}
