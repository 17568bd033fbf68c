package multicast

import (
	"net"
	"net/netip"
	"slices"

	"relay/relay/hostnet"
)

// maxAddrs bounds the addresses of one interface that are looked at: a router that
// announces prefixes without end must not make a packet for each.
const maxAddrs = 16

// Interface is an interface that is up, with what those who ask and answer need of it.
type Interface struct {
	net.Interface
	Prefixes []netip.Prefix // its addresses with the lengths of their subnets, at most maxAddrs
}

// Interfaces lists those that are up, of the names in only if that has some. It is
// called anew for each query: cables are plugged in and networks joined at any time.
func Interfaces(only []string) ([]Interface, error) {
	all, err := hostnet.Devices()
	if err != nil {
		return nil, err
	}
	var up []Interface
	for _, d := range all {
		if len(only) > 0 && !slices.Contains(only, d.Name) || len(d.Prefixes) == 0 {
			continue
		}
		up = append(up, Interface{d.Interface, d.Prefixes[:min(len(d.Prefixes), maxAddrs)]})
	}
	return up, nil
}

// Local is this machine's address in the subnet of the interface that peer is in, not
// valid if it is in none. Links between two points have none: a VPN's other end is no
// neighbour, and strangers share its subnet. Neither is a subnet that holds everything.
func (n Interface) Local(peer netip.Addr) netip.Addr {
	peer = peer.Unmap().WithZone("")
	if n.Flags&net.FlagPointToPoint != 0 {
		return netip.Addr{}
	}
	for _, p := range n.Prefixes {
		if p.Bits() > 0 && p.Contains(peer) {
			return p.Addr()
		}
	}
	return netip.Addr{}
}
