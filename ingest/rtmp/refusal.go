package rtmp

import (
	"errors"
	"io"
	"sync/atomic"
)

// Refusal is why a peer was not taken, as a metric's label has it.
type Refusal string

// Refusals.
const (
	RefusedCrowd    Refusal = "crowd"    // it had to give way to another connection
	RefusedSilent   Refusal = "silent"   // it said nothing
	RefusedSlow     Refusal = "slow"     // it had not asked for a stream in time
	RefusedProtocol Refusal = "protocol" // it does not speak RTMP
	RefusedGarbage  Refusal = "garbage"  // its RTMP is malformed, or too much
	RefusedKey      Refusal = "key"      // the address or the stream key is wrong
	RefusedBusy     Refusal = "busy"     // another encoder is sending
	RefusedStream   Refusal = "stream"   // it cannot play what it asked for
)

// AllRefusals lists them, in the order in which to show them.
var AllRefusals = []Refusal{
	RefusedCrowd, RefusedSilent, RefusedSlow, RefusedProtocol, RefusedGarbage, RefusedKey, RefusedBusy, RefusedStream,
}

var (
	errCrowd = errors.New("there are too many connections that have not asked for a stream, and it gave way to another")
	// errNoRTMP says that a peer does not begin as RTMP does.
	errNoRTMP = errors.New("not plain RTMP")
	errSilent = errors.New("nothing came for 5 s")
)

// refusalOf returns the reason in an error; "" for a peer that has left.
func refusalOf(err error) Refusal {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case is(errCrowd):
		return RefusedCrowd
	case is(errSilent):
		return RefusedSilent
	case is(errSlow):
		return RefusedSlow
	case is(ErrTLS), is(ErrHTTP), is(errNoRTMP):
		return RefusedProtocol
	case is(ErrDenied), is(errPublish):
		return RefusedKey
	case is(ErrBusy):
		return RefusedBusy
	case is(errPlay), is(ErrNoStream):
		return RefusedStream
	case is(io.EOF), is(io.ErrUnexpectedEOF), isReset(err):
		return ""
	}
	return RefusedGarbage
}

// Refusals counts peers that were not taken. Its zero value is ready, and safe for concurrent use.
type Refusals struct{ n [8]atomic.Uint64 } // as AllRefusals

func (c *Refusals) add(r Refusal) {
	for i, of := range AllRefusals {
		if of == r {
			c.n[i].Add(1)
		}
	}
}

// Of returns how many were not taken for that reason.
func (c *Refusals) Of(r Refusal) uint64 {
	for i, of := range AllRefusals {
		if of == r {
			return c.n[i].Load()
		}
	}
	return 0
}
