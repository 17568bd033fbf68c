package relay

import (
	"maps"

	"relay/tree"
)

// leftPeers counts the nodes that this one has left because of what they did, by reason: "forged" for
// what the root had not signed, "protocol" for what broke the protocol, "slow" for a stream that came
// late or not at all, "lied" for a place in the tree that it could not prove. The channel's goroutine owns it.
type leftPeers map[string]uint64

// note counts a link to a parent, or to a node that was asked for the stream, that this node ended.
func (l *leftPeers) note(e tree.End) {
	if e.By != tree.Us || e.Reason != tree.ReasonForged && e.Reason != tree.ReasonProtocol && e.Reason != tree.ReasonSlow && e.Reason != tree.ReasonLied {
		return
	}
	if *l == nil {
		*l = make(leftPeers)
	}
	(*l)[e.Reason.String()]++
}

func (l leftPeers) counts() map[string]uint64 { return maps.Clone(l) }
