package portmap

import (
	"errors"
	"fmt"
	"net/netip"

	"relay/relay/hostnet"
)

// Reason is why nobody outside can be expected to reach the port.
type Reason uint8

// Reasons. Those that a person can do more about are greater, so that the greatest of
// several is the one to tell.
const (
	None        Reason = iota // there is a mapping with a public address
	Searching                 // the routers are being asked
	NoGateway                 // this machine knows no router
	NoAnswer                  // no router speaks any of the protocols, or it is switched off there
	Unsupported               // the router speaks the protocol but cannot do this
	Broken                    // the router's answers make no sense
	Full                      // the router has no port left for this machine
	Refused                   // the router does not allow it
	// NoAddress: the router says that it has none itself. It is not connected, or it is behind
	// another one and does not tell: miniupnpd hides a private address and maps nothing then.
	NoAddress
	DoubleNAT  // the router's own address is private: there is another router before it
	CarrierNAT // the router's own address is one of a provider's for many customers (RFC 6598)
)

var reasonNames = [...]string{
	"none", "searching", "no gateway", "no answer", "unsupported", "broken", "full", "refused", "no address", "double NAT", "carrier NAT",
}

// String returns the reason in a word or two.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return "unknown"
}

// dsLite is what a provider's line without IPv4 of its own numbers routers with (RFC 6333).
var dsLite = netip.MustParsePrefix("192.0.0.0/24")

// judge says what is wrong with an external address.
func judge(a netip.Addr) Reason {
	a = a.Unmap()
	switch {
	case !a.IsValid() || a.IsUnspecified():
		return NoAddress
	case hostnet.SharedByCarrier.Contains(a) || dsLite.Contains(a):
		return CarrierNAT
	case a.IsPrivate() || a.IsLinkLocalUnicast():
		return DoubleNAT
	case !hostnet.Public(a): // loopback, multicast, broadcast, networks for tests
		return Broken
	}
	return None
}

// failure is an error with its reason.
type failure struct {
	reason Reason
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func failf(r Reason, format string, args ...any) error {
	return &failure{r, fmt.Errorf(format, args...)}
}

// reasonOf is the reason of an error that says none: nobody answered.
func reasonOf(err error) Reason {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.reason
	}
	return NoAnswer
}

// behind gives an error the better reason, if the router's own address has one: a router
// that is behind another may refuse to map at all.
func behind(router netip.Addr, err error) error {
	if r := judge(router); r == DoubleNAT || r == CarrierNAT {
		return &failure{r, fmt.Errorf("%w; the router's own address is %v", err, router)}
	}
	return err
}

// errForgotten is what a check returns when the router no longer has what it gave.
var errForgotten = errors.New("the router has forgotten the mapping")
