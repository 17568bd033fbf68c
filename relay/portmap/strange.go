package portmap

import (
	"errors"
	"sync/atomic"
)

// strange counts what came and was not believed.
type strange struct {
	Sender    uint64 // packets from an address that was not asked
	Malformed uint64 // packets that are no answers
	Unasked   uint64 // answers to another question: a wrong nonce, operation or port
	Location  uint64 // UPnP addresses that are not the router's
	Document  uint64 // UPnP documents that are too long, too deep or a way elsewhere
}

// strangers counts the same while the program runs.
type strangers struct{ sender, malformed, unasked, location, document atomic.Uint64 }

func (s *strangers) counts() strange {
	return strange{s.sender.Load(), s.malformed.Load(), s.unasked.Load(), s.location.Load(), s.document.Load()}
}

// Why a packet is passed over, and the next one waited for.
var (
	errMalformed = errors.New("malformed answer")
	errUnasked   = errors.New("an answer to something else")
	errMore      = errors.New("there may be a better answer")
)

// errOldVersion is what a router that knows no PCP says to it.
var errOldVersion error = &failure{Unsupported, errors.New("the router does not speak this version")}
