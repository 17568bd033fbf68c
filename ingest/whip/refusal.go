package whip

import (
	"errors"

	"relay/ingest/flv"
	"relay/relay/refusal"
)

// Why an encoder, or a connection, is not taken.
const (
	RefusedKey       refusal.Reason = "key"       // the stream key is wrong, or there is none
	RefusedBusy      refusal.Reason = "busy"      // another encoder is sending
	RefusedCrowd     refusal.Reason = "crowd"     // too many have begun and are not connected
	RefusedOffer     refusal.Reason = "offer"     // what it offers is malformed, or too long
	RefusedCodec     refusal.Reason = "codec"     // nothing of what it offers can be carried
	RefusedRequest   refusal.Reason = "request"   // it is no request of WHIP
	RefusedUnreached refusal.Reason = "unreached" // it never connected
	RefusedPacket    refusal.Reason = "packet"    // packets that belong to no call
)

// Refusals lists all of them.
var Refusals = []refusal.Reason{
	RefusedKey, RefusedBusy, RefusedCrowd, RefusedOffer, RefusedCodec, RefusedRequest, RefusedUnreached, RefusedPacket,
}

// Errors that callers have sentences for.
var (
	ErrDenied = errors.New("no such stream key")
	ErrBusy   = errors.New("another encoder is sending")
	// ErrOffer refuses a description that is malformed, or has what WHIP does not.
	ErrOffer = errors.New("the offer is malformed")
	// ErrUnreached ends a call of somebody who never connected.
	ErrUnreached = errors.New("it never connected")
	// ErrSilent ends one of somebody who sends nothing.
	ErrSilent = errors.New("nothing came for 10 s")
	// ErrLean says that the program was built without WebRTC.
	ErrLean = errors.New("this program was built without WebRTC")
)

// CodecError refuses an offer of which nothing can be carried.
type CodecError struct{ Offered string } // what it has, as "VP8, PCMU"

func (e *CodecError) Error() string { return "no codec that can be carried: " + e.Offered }

// Sink takes the media of one call, from one goroutine at a time. Write may change the tag, which is good until it
// returns. Close may be called more than once.
type Sink interface {
	Write(flv.Tag) error
	Close()
}
