package srt

import (
	"errors"
	"fmt"

	"relay/relay/refusal"
)

// Why a caller is not taken.
const (
	RefusedCrowd   refusal.Reason = "crowd"   // too many ask at once
	RefusedGarbage refusal.Reason = "garbage" // what it sends is no SRT, or malformed
	RefusedCookie  refusal.Reason = "cookie"  // it has not shown that it is where it says it is
	RefusedStray   refusal.Reason = "stray"   // it belongs to no connection from there
	RefusedVersion refusal.Reason = "version" // it speaks another version, or mode, of SRT
	RefusedKey     refusal.Reason = "key"     // the passphrase is wrong
	RefusedPlain   refusal.Reason = "plain"   // it would send without encryption, or play with it
	RefusedBusy    refusal.Reason = "busy"    // another encoder is sending
	RefusedStream  refusal.Reason = "stream"  // it cannot play what it asked for
	RefusedLatency refusal.Reason = "latency" // it wants to be sent what is older than is held
	RefusedSlow    refusal.Reason = "slow"    // it was cut as it did not take what it was sent
	RefusedNoise   refusal.Reason = "noise"   // it was cut as it sent what a player does not
)

// Refusals lists all of them.
var Refusals = []refusal.Reason{
	RefusedCrowd, RefusedGarbage, RefusedCookie, RefusedStray, RefusedVersion, RefusedKey, RefusedPlain, RefusedBusy, RefusedStream, RefusedLatency, RefusedSlow, RefusedNoise,
}

var (
	// ErrDenied refuses an encoder whose passphrase is wrong.
	ErrDenied = errors.New("the passphrase is wrong")
	// ErrPlain refuses an encoder that gives no passphrase.
	ErrPlain = errors.New("it gives no passphrase")
	// ErrSecret refuses a player that gives one.
	ErrSecret = errors.New("it gives a passphrase, and players need none")
	// ErrBusy refuses an encoder while another is sending; see [Server.Publish].
	ErrBusy = errors.New("another encoder is sending")
	// ErrNoStream refuses a player that asks for what is not there; see [Server.Play].
	ErrNoStream = errors.New("there is no such stream")
	// ErrVersion refuses a caller that speaks another version of SRT, or is no live stream.
	ErrVersion = errors.New("it does not speak SRT 1.3 or later in live mode")
	// ErrLean says that the program cannot speak SRT.
	ErrLean = errors.New("this program was built without SRT")

	errCrowd   = errors.New("too many ask at once")
	errGarbage = errors.New("its handshake is malformed")
	errMode    = errors.New("it wants neither to send nor to get a stream")
	errLatency = errors.New("it wants a latency of more than 8 s")
	errPlayers = errors.New("there are as many players over SRT as there may be")

	errSlow    = errors.New("it does not take what it is sent")
	errNoise   = errors.New("it sends what a player does not send")
	errSilence = errors.New("nothing came for 10 s")
	errGone    = errors.New("it has not been heard for 5 s")
	errStopped = errors.New("it stopped")
)

// Code is why a caller is refused, as the handshake has it: from 1000 on libsrt's own reasons, from
// 1400 on those of access control, which are HTTP's and 1000.
type Code uint32

// The codes that are sent here (draft-sharabayko-srt-01, table 7; Haivision's access_control.h).
const (
	codeRogue        Code = 1004
	codeVersion      Code = 1008
	codeBadSecret    Code = 1010
	codeUnsecure     Code = 1011
	codeMessageAPI   Code = 1012
	codeCongestion   Code = 1013
	codeOverload     Code = 1402
	codeForbidden    Code = 1403
	codeNotFound     Code = 1404
	codeBadMode      Code = 1405
	codeUnacceptable Code = 1406
	codeConflict     Code = 1409
)

// refused is what goes with an error that refuses a caller.
func refused(err error) (Code, refusal.Reason) {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case is(errCrowd):
		return codeOverload, RefusedCrowd
	case is(errGarbage):
		return codeRogue, RefusedGarbage
	case is(ErrVersion):
		return codeVersion, RefusedVersion
	case is(ErrDenied):
		return codeBadSecret, RefusedKey
	case is(ErrPlain), is(ErrSecret):
		return codeUnsecure, RefusedPlain
	case is(ErrBusy):
		return codeConflict, RefusedBusy
	case is(ErrNoStream):
		return codeNotFound, RefusedStream
	case is(errMode):
		return codeBadMode, RefusedStream
	case is(errLatency):
		return codeUnacceptable, RefusedLatency
	case is(errPlayers):
		return codeOverload, RefusedCrowd
	}
	return codeForbidden, RefusedStream
}

// CodeError is a server's refusal.
type CodeError struct{ Code Code }

// OfKey reports whether it is about the passphrase.
func (e *CodeError) OfKey() bool { return e.Code == codeBadSecret || e.Code == codeUnsecure }

func (e *CodeError) Error() string {
	switch e.Code {
	case codeBadSecret:
		return "the server refuses: the passphrase is wrong"
	case codeUnsecure:
		return "the server refuses: it wants a passphrase, or wants none"
	case codeNotFound:
		return "the server refuses: it has no such stream"
	case codeConflict:
		return "the server refuses: the stream is in use"
	case codeForbidden, codeForbidden - 2:
		return "the server refuses: it does not let you have the stream"
	case codeVersion, 1505:
		return "the server refuses: it speaks another version of SRT"
	case codeOverload, 1003, 1005:
		return "the server refuses: it has no room"
	}
	return fmt.Sprintf("the server refuses, with SRT's code %d", e.Code)
}
