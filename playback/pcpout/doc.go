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
// # Ports that are tried
//
// Every PeerCast that comes may have its port tried (ping in its helo, or the port there once it has the channel): this node dials
// it, and says whether the same session has answered. A stranger could have others dialled by that, and learn from the answer what
// listens where this machine gets and he does not. So
//
//   - the address is the one at which he is seen, whatever he says of addresses. A TCP connection cannot be opened under another's;
//   - a private or loopback address, or one of a carrier's NAT, is dialled only if it is of this machine's own networks ([Config].Own),
//     in which he is then himself. Anywhere else the same address is another machine's than his. An address of the Internet never
//     leads to a private one, since nothing that he says is dialled;
//   - ports below 1024 are not dialled, nor addresses at which no node is (package hostnet);
//   - no more is sent than he has sent, so that nothing is gained by it, and an address has 5 tries and then one in 5 s, of 16 at a
//     time in all.
//
// The address of a peer is named to others only where it can mean the same machine to them.
//
// # No room
//
// Who finds no room is told of up to eight others: first of PeerCasts that have the channel from here, have room, and answer where they are
// named; then of nodes below this one that serve PeerCast at the port to which links lead. Nodes do not tell whether they do, so these are
// asked as a PeerCast's port is tried, once in five minutes each.
//
// # Trust
//
// Nothing in PCP is signed or encrypted. What peers say of themselves and others is counted, within bounds,
// and is shown as what they say. They are sent to one another only where this node has reached them
// itself.
package pcpout
