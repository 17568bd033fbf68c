package rtspout

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"relay/relay/refusal"
)

// Why a player is not served, or no longer.
const (
	RefusedCrowd    refusal.Reason = "crowd"    // it had to give way to another connection
	RefusedSilent   refusal.Reason = "silent"   // it said nothing
	RefusedSlow     refusal.Reason = "slow"     // it had not begun to play in time
	RefusedProtocol refusal.Reason = "protocol" // it does not speak RTSP
	RefusedGarbage  refusal.Reason = "garbage"  // its RTSP is malformed, or too much
	RefusedPublish  refusal.Reason = "publish"  // it wants to send
	RefusedStream   refusal.Reason = "stream"   // it cannot have what it asked for
)

// Refusals are all reasons, in the order in which to list them.
var Refusals = []refusal.Reason{RefusedCrowd, RefusedSilent, RefusedSlow, RefusedProtocol, RefusedGarbage, RefusedPublish, RefusedStream}

var (
	errSaidTooMuch = errors.New("it sends more than a player has to say")
	errPublish     = errors.New("it wants to send")
	errStream      = errors.New("it cannot have what it asks for")
	errMany        = errors.New("it asks and asks, and does not play")
	errTornDown    = errors.New("it stopped")
	errGone        = errors.New("it has not been heard of for 90 s")
)

// refusalOf is the reason in an error of a dialogue; "" for a player that has left.
func refusalOf(err error) refusal.Reason {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case is(errNoRTSP), is(errHTTP):
		return RefusedProtocol
	case is(errLong), is(errSaidTooMuch), is(errMany):
		return RefusedGarbage
	case is(errPublish):
		return RefusedPublish
	case is(errStream):
		return RefusedStream
	case is(os.ErrDeadlineExceeded):
		return RefusedSlow
	case is(io.EOF), is(io.ErrUnexpectedEOF), is(syscall.ECONNRESET), is(syscall.EPIPE), is(net.ErrClosed), is(errTornDown):
		return ""
	}
	return RefusedGarbage
}
