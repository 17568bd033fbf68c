package hostnet

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

// ownSubnets lists those of the interfaces that are up. Links between two points have
// none: a VPN's other end is no neighbour. Neither is a subnet that holds everything.
func ownSubnets() ([]netip.Prefix, error) {
	devices, err := Devices()
	if err != nil {
		return nil, err
	}
	var own []netip.Prefix
	for _, d := range devices {
		if d.Flags&net.FlagPointToPoint == 0 {
			own = append(own, subnetsOf(d.Prefixes)...)
		}
	}
	return own, nil
}

func subnetsOf(prefixes []netip.Prefix) []netip.Prefix {
	var own []netip.Prefix
	for _, p := range prefixes {
		if p.Bits() > 0 {
			own = append(own, p.Masked())
		}
	}
	return own
}

// Subnets remembers this machine's subnets. Its zero value is ready.
type Subnets struct {
	mu sync.Mutex
	at time.Time
	surroundings
}

// Near reports whether a peer's traffic stays off this machine's Internet link, at now:
// the peer is this machine or in one of its own subnets.
func (s *Subnets) Near(now time.Time, peer netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look(now)
	return s.surroundings.near(peer)
}

// look lists the subnets anew if it is time. It is called with mu held.
func (s *Subnets) look(now time.Time) {
	if !s.at.IsZero() && now.Sub(s.at) < subnetsAge {
		return
	}
	s.at = now
	if own, err := ownSubnets(); err == nil { // else the old list is the best there is
		s.own, s.gateways = own, gateways()
	}
}
