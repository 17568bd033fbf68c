// Package relay is the node: it holds the channels this process carries, accepts
// and dials links, drives one [tree.Node] per channel and moves chunks between
// links and rings. Payloads are opaque here.
//
// Who owns what:
//
//	Node       the listener, the identity, the limits on strangers
//	Channel    one ring, one tree.Node; one goroutine drives the latter and never
//	           blocks. It also owns its links.
//	link       one connection: one goroutine reads it, one writes it
//	company    what a Channel knows of other nodes: by gossip, which package membership
//	           runs over the node's port, from its parent's samples, from the last run
//
// The hot path goes past the channel's goroutine: a parent link's reader verifies
// a chunk and appends it to the ring; each child link's writer has a cursor there.
// Everything ends with the context given to Run.
package relay
