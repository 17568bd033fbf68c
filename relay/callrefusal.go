package relay

import "relay/relay/refusal"

// Why a node did not do what another one asked of it in a call, or did not believe what it said.
const (
	callTooOften refusal.Reason = "too_often" // more than one link may ask for
	callBusy     refusal.Reason = "busy"      // as many are under way as may be, or one with the same node
	callUnlinked refusal.Reason = "unlinked"  // this node has no link to the one that is called, or they cannot meet
	callUnable   refusal.Reason = "unable"    // calls do not get through to this node, or it would meet itself
	callAddress  refusal.Reason = "address"   // nobody may be sent anything there
	callUnasked  refusal.Reason = "unasked"   // an answer to nothing
)
