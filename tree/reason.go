package tree

import "fmt"

// Reason is why a link ended or a join was turned down. The same value is the
// code on the wire, the cause of a cancelled context, the field in a log line and
// the label in the status.
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
	ReasonSilent             // nothing heard for too long
	ReasonClosed             // the other side closed the connection
	ReasonUnreachable        // no connection could be made
	ReasonWrongNode          // another node answered at that address
	ReasonNotNeeded          // another parent was quicker
	ReasonReplaced           // the same node came back on another link
	ReasonBusy               // too many handshakes or joins at once
	ReasonDisplaced          // the slot is needed for a stronger node, or there are too many
	reasonEnd
)

var reasonText = [reasonEnd]string{
	"none", "leaving", "moved", "full", "orphan", "loop", "self", "channel", "version",
	"protocol", "forged", "epoch", "slow", "silent", "closed", "unreachable", "wrong-node",
	"not-needed", "replaced", "busy", "displaced",
}

// String returns the reason's short name.
func (r Reason) String() string {
	if r < reasonEnd {
		return reasonText[r]
	}
	return fmt.Sprintf("reason-%d", uint8(r))
}

// Error makes a Reason the cause of a cancelled context.
func (r Reason) Error() string { return "link ended: " + r.String() }
