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
	// Searching is set while a gateway is asked for the first time.
	Searching bool
}

// Why is one reason for a person: None if a mapping has a public address, else what
// matters most. It speaks of IPv4 where there is anything to say of it, because that is
// what most others have.
func (s State) Why() Reason {
	why := NoGateway
	if len(s.Failures) > 0 {
		why = None
	}
	for _, f := range s.Failures {
		why = max(why, f.Reason)
	}
	if s.Searching {
		why = Searching
	}
	for _, m := range s.Mappings {
		if m.Reason == None {
			return None
		}
		why = max(why, m.Reason)
	}
	return why
}

func (s State) equal(o State) bool {
	return s.Searching == o.Searching && slices.Equal(s.Mappings, o.Mappings) && slices.Equal(s.Failures, o.Failures)
}
