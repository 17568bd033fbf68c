package tree

import "fmt"

// Reason is why a link ended or a join was turned down. The same value is the code on the
// wire, the field in a log line and the label in the status. End is the cause of a
// cancelled context.
type Reason uint8

// Reasons. The numbers are part of the protocol; see relay/wire/spec.md.
const (
	ReasonNone        Reason = iota
	ReasonLeaving            // the node is shutting down in good order
	ReasonMoved              // the child has found another parent
	ReasonFull               // no free slot
	ReasonOrphan             // the node has no live parent itself
	ReasonLoop               // the joiner is an ancestor of the node it asked
	ReasonSelf               // a node dialled itself
	ReasonChannel            // the node does not carry that channel
	ReasonVersion            // the two speak different versions
	ReasonProtocol           // a frame that does not parse or was not due
	ReasonForged             // a signature did not verify
	ReasonEpoch              // the stream is of an epoch that was replaced, or from the future
	ReasonSlow               // the reader was stuck
	ReasonSilent             // nothing was heard for too long
	ReasonClosed             // the connection was closed
	ReasonUnreachable        // no connection could be made
	ReasonWrongNode          // another node answered at that address
	ReasonNotNeeded          // another parent was quicker
	ReasonReplaced           // the same node came back on another link
	ReasonBusy               // too many handshakes or joins at once
	ReasonDisplaced          // a stronger node needs the slot, or there are too many children
	ReasonToken              // the proof in an offer is not of the helper's token
	ReasonTooFast            // the helper takes no stream of so high a bit rate
	ReasonLied               // the node says that it is nearer to the root than it can prove
	reasonEnd
)

var reasonText = [reasonEnd]string{
	"none", "leaving", "moved", "full", "orphan", "loop", "self", "channel", "version",
	"protocol", "forged", "epoch", "slow", "silent", "closed", "unreachable", "wrong-node",
	"not-needed", "replaced", "busy", "displaced", "token", "too-fast", "lied",
}

// String returns the reason's short name.
func (r Reason) String() string {
	if r < reasonEnd {
		return reasonText[r]
	}
	return fmt.Sprintf("reason-%d", uint8(r))
}

// Error makes a Reason the error of a connection that never became a link.
func (r Reason) Error() string { return "link ended: " + r.String() }

// Side is one of the two ends of a link.
type Side uint8

// Sides.
const (
	Neither Side = iota // the connection was lost, or never stood
	Us                  // this node
	Them                // the node at the other end
)

// String returns the side's short name, as logs have it.
func (s Side) String() string {
	switch s {
	case Us:
		return "us"
	case Them:
		return "them"
	}
	return "neither"
}

// End is how a link ended: why, and which side ended it.
type End struct {
	Reason Reason
	By     Side
}

// ByUs is the end of a link that this node ended.
func ByUs(r Reason) End { return End{r, Us} }

// ByThem is the end of a link that the other node ended.
func ByThem(r Reason) End { return End{r, Them} }

// Lost is the end of a link that neither side meant to end.
func Lost(r Reason) End { return End{r, Neither} }

// String returns the reason and the side, such as "silent, by us".
func (e End) String() string {
	if e.By == Neither {
		return e.Reason.String()
	}
	return e.Reason.String() + ", by " + e.By.String()
}

// Error makes an End the cause of a cancelled context.
func (e End) Error() string { return "link ended: " + e.String() }
