// Package pcpout serves channels to PeerCast: to peercast-yt, PeerCastStation and whoever else
// speaks PCP 1.2 (relay/pcp/spec.md has the bytes). A PeerCast that has a channel from here passes it
// on to others as its own protocol wants.
//
//	GET /channel/<32 hex>   the channel, to a PeerCast
//	GET /pls/<32 hex>       a playlist of one address, for a player
//	GET /stream/<32 hex>    the media as FLV, to a player in this machine's own networks
//	pcp\n                   is answered, which is how a PeerCast finds out that a port is open
//
// What goes out is one more form of the stream ([packets], as playback/design.md has it): made once for
// all, and written by playback's sweepers. Nobody waits for a peer that is slow, and nothing is copied
// for it.
//
// Nothing in PCP is signed or encrypted. What peers say of themselves and others is counted, within bounds,
// and is shown as what they say. They are sent to one another only where this node has reached them
// itself.
package pcpout
