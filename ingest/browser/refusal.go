package browser

import (
	"github.com/coder/websocket"

	"relay/relay/refusal"
)

// Why a page is not taken, or no longer.
const (
	RefusedRequest   refusal.Reason = "request"   // it is no page of this node: a program, or a page of another site
	RefusedToken     refusal.Reason = "token"     // the token is not that of this run
	RefusedBusy      refusal.Reason = "busy"      // another encoder is sending
	RefusedMalformed refusal.Reason = "malformed" // what it sent is no message of this exchange, or is too long
	RefusedCodec     refusal.Reason = "codec"     // nothing that it can encode can be carried
)

// Refusals lists all of them.
var Refusals = []refusal.Reason{RefusedRequest, RefusedToken, RefusedBusy, RefusedMalformed, RefusedCodec}

// refusals are the reasons by what the page is told.
var refusals = map[websocket.StatusCode]refusal.Reason{
	codeDenied: RefusedToken, codeBusy: RefusedBusy, codeMalformed: RefusedMalformed, codeUnfit: RefusedCodec,
}
