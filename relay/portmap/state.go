package portmap

import (
	"net/netip"
	"slices"
	"time"
)

// Mapping is a port that a router says it has opened.
type Mapping struct {
	Protocol Protocol
	Gateway  netip.Addr     // the router
	Internal netip.AddrPort // this machine's end
	// External is where others can dial by TCP. It is this machine's own address for a
	// pinhole in an IPv6 firewall.
	External netip.AddrPort
	// UDP is the external port for UDP; 0 if the router did not give one. It need not be
	// TCP's.
	UDP uint16
	// Lease is how long the router keeps it unless it is asked again, which happens in
	// half that time; 0 if it keeps it for good. A day at most.
	Lease time.Duration
	Since time.Time // when it got this External
	// Reason is None, or says why External cannot be dialled from the Internet. The port
	// may still be right: a provider that passes everything on to the router's private
	// address makes External.Port() dialable at the address that others see.
	Reason Reason
}

// Failure is why one router gave nothing by one protocol.
type Failure struct {
	Protocol Protocol
	Gateway  netip.Addr
	Internal netip.AddrPort // what was to be reached: this machine's end
	Reason   Reason
	Detail   string // for a log: at most 250 characters or so on one line, partly the router's words
}

// State is what a [Mapper] has at one moment.
type State struct {
	// Mappings are ordered as the gateways are, IPv4 first; one for each gateway, and one
	// for each IPv6 address.
	Mappings []Mapping
	// Failures are of gateways without a mapping, in the same order.
	Failures []Failure
	// Searching and Searching6 are set while an IPv4 gateway, or one for an IPv6 address, is
	// asked for the first time.
	Searching, Searching6 bool
}

// Why is one reason for a person why nobody is expected to reach the port by IPv4: None if
// a mapping has a public address, else what matters most.
func (s State) Why() Reason {
	return s.why(s.Searching, func(a netip.AddrPort) bool { return a.Addr().Is4() })
}

// Why6 is the same for IPv6. NoGateway may mean that this machine has no address to open
// the port for.
func (s State) Why6() Reason {
	return s.why(s.Searching6, func(a netip.AddrPort) bool { return a.Addr().Is6() })
}

func (s State) why(searching bool, ours func(netip.AddrPort) bool) Reason {
	why, asked := None, false
	for _, f := range s.Failures {
		if ours(f.Internal) {
			why, asked = max(why, f.Reason), true
		}
	}
	if searching {
		why, asked = Searching, true
	}
	for _, m := range s.Mappings {
		switch {
		case !ours(m.External):
		case m.Reason == None:
			return None
		default:
			why, asked = max(why, m.Reason), true
		}
	}
	if !asked {
		return NoGateway
	}
	return why
}

func (s State) equal(o State) bool {
	return s.Searching == o.Searching && s.Searching6 == o.Searching6 && slices.Equal(s.Mappings, o.Mappings) && slices.Equal(s.Failures, o.Failures)
}
