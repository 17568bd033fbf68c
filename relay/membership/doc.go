// Package membership finds the nodes of a channel by gossip. A [Cluster] is one
// channel's memberlist cluster, run over packets and streams that its owner gives it.
//
// What gossip says is a hint. It adds places that a node may ask for a slot, and nothing here
// ends a link. The library was not made for hostile peers. So the three kinds of bytes that
// come from strangers are checked before the library sees them, and no node is counted or told of
// that has not answered where it says it is:
//
//	packets   vetPacket allows only the kinds of message that are used, one level of
//	          compounding, no compression, and no field that is longer than its bytes
//	streams   vetStream does the same, and bounds how many nodes they tell of
//	metadata  has to be signed by its node, and not to be older than what is known
package membership
