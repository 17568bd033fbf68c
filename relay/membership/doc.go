// Package membership finds the nodes of a channel by gossip. A [Cluster] is one
// channel's memberlist cluster, run over packets and streams that its owner gives it.
//
// What gossip says is a hint: it adds places that a node may ask for a slot, and
// nothing here ends a link. Three kinds of bytes come from strangers, and each is
// looked at before the library sees it, for it was not made for hostile ones:
//
//	packets   vetPacket: only the kinds of message that are used, one level of
//	          compounding, no compression, no field longer than its bytes
//	streams   vetStream: likewise, and how many nodes they tell of
//	metadata  signed by the node it is about, never older than what is known
package membership
