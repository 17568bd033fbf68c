// Package relay is the node: it holds the channels this process carries, accepts
// and dials links, drives one [tree.Node] per channel and moves chunks between
// links and rings. Payloads are opaque here.
//
// Who owns what:
//
//	Node       the listener, the identity, the limits on strangers
//	Channel    one ring, one tree.Node; one goroutine drives the latter and never
//	           blocks. It also owns its links.
//	link       one connection: one goroutine reads it, one writes it. It is an uplink
//	           if this node opened it, and a downlink if it came in
//	intake     the way of what comes over uplinks into the ring
//	peers      what a Channel knows of other nodes: by gossip, which package membership
//	           runs over the node's port, from its parent's samples, from the last run
//	reporting  what the node tells of the tree below it, and asks about the whole
//
// The hot path goes past the channel's goroutine: an uplink's reader verifies
// a chunk and appends it to the ring; each downlink's writer has a cursor there.
// Everything ends with the context given to Run. The words, and the map of the whole program, are in design.md.
package relay
