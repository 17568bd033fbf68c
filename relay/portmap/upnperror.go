package portmap

import (
	"errors"
	"fmt"
	"strings"

	"github.com/huin/goupnp/soap"

	"relay/relay/oneline"
)

// Error codes of UPnP (Device Architecture 1.1 §3.2.5, WANIPConnection:2 §2.6 and
// WANIPv6FirewallControl:1 §2.6).
const (
	upnpInvalidAction  = 401
	upnpInvalidArgs    = 402
	upnpNotImplemented = 602
	upnpNoSuchPinhole  = 704
	upnpNoSuchEntry    = 714
	upnpConflict       = 718
	upnpSamePorts      = 724
	upnpOnlyPermanent  = 725
	upnpNoPortsLeft    = 728
	upnpOtherMechanism = 729
)

// upnpCode is the code that a router refused with; 0 for any other error.
func upnpCode(err error) int {
	if f, ok := errors.AsType[*soap.SOAPFaultError](err); ok {
		return f.Detail.UPnPError.Errorcode
	}
	return 0
}

// upnpError gives an error of goupnp's its reason, in bounded words: the library puts whole
// documents into its own.
func upnpError(err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	f, ok := errors.AsType[*soap.SOAPFaultError](err)
	if !ok {
		reason := Broken
		if unanswered(err.Error()) {
			reason = NoAnswer
		}
		return &failure{reason, fmt.Errorf("UPnP: %s", oneline.Clean(err.Error(), wordsMost))}
	}
	code := f.Detail.UPnPError.Errorcode
	reason := Refused
	switch code {
	case upnpInvalidAction, upnpNotImplemented:
		reason = Unsupported
	case upnpNoPortsLeft, upnpConflict, upnpOtherMechanism:
		reason = Full
	}
	return &failure{reason, fmt.Errorf("UPnP error %d %s: %w", code, oneline.Clean(f.Detail.UPnPError.ErrorDescription, wordsMost), upnpFault{f})}
}

// unanswered reports whether goupnp's words are about a request that got no answer. It wraps no
// error: what the HTTP client said is known by them alone, also that an answer was refused.
func unanswered(words string) bool {
	return strings.HasPrefix(words, "goupnp: error performing SOAP HTTP request:") &&
		!strings.Contains(words, errDocument.Error()) && !strings.Contains(words, errRedirect.Error())
}

// wordsMost is how many characters of a router's words are told.
const wordsMost = 120

// upnpFault hides the text of a fault, and leaves its code.
type upnpFault struct{ fault *soap.SOAPFaultError }

func (f upnpFault) Error() string { return "refused" }
func (f upnpFault) Unwrap() error { return f.fault }
