package rtmp

import (
	"errors"
	"io"

	"relay/relay/refusal"
)

// Why a peer is not taken.
const (
	RefusedCrowd    refusal.Reason = "crowd"    // it had to give way to another connection
	RefusedSilent   refusal.Reason = "silent"   // it said nothing
	RefusedSlow     refusal.Reason = "slow"     // it had not asked for a stream in time
	RefusedProtocol refusal.Reason = "protocol" // it does not speak RTMP
	RefusedGarbage  refusal.Reason = "garbage"  // its RTMP is malformed, or too much
	RefusedKey      refusal.Reason = "key"      // the address or the stream key is wrong
	RefusedBusy     refusal.Reason = "busy"     // another encoder is sending
	RefusedStream   refusal.Reason = "stream"   // it cannot play what it asked for
)

// Refusals lists all of them.
var Refusals = []refusal.Reason{
	RefusedCrowd, RefusedSilent, RefusedSlow, RefusedProtocol, RefusedGarbage, RefusedKey, RefusedBusy, RefusedStream,
}

var (
	errCrowd = errors.New("there are too many connections that have not asked for a stream, and it gave way to another")
	// errNoRTMP says that a peer does not begin as RTMP does.
	errNoRTMP = errors.New("not plain RTMP")
	errSilent = errors.New("nothing came for 5 s")
)

// refusalOf returns the reason in an error; "" for a peer that has left.
func refusalOf(err error) refusal.Reason {
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
	case is(errPlay):
		return RefusedStream
	case is(io.EOF), is(io.ErrUnexpectedEOF), isReset(err):
		return ""
	}
	return RefusedGarbage
}
