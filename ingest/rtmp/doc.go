// Package rtmp speaks RTMP (Adobe, 1.0, December 2012) with what enhanced RTMP (Veovera,
// v2) adds to it: a [Server] takes streams from encoders and plays streams to players, a
// [Target] is fetched from another server.
//
// Media go in and out as whole FLV tags. Where they go and where they come from the
// package does not know: an encoder's go into a [Sink], a player's come from a
// [Viewing], whose player reads what a [Container] makes of a channel's tags once for all players.
//
//	connection ── messages, protocol control, commands
//	├─ peer    ── who has connected to a Server: the dialogue up to publish or play
//	└─ fetcher ── the other end of that dialogue: a Target that is asked for its stream
//	chunkReader ── what comes in chunks into messages
//	Container   ── tags into messages, for all players: by a chunker, and an flv.GOP for those who join
//	guard       ── what a peer may send, and how long it may take
//
// Handshake, AMF0 and the chunks of what is written but media are gortmplib's. Reading chunks is
// this package's own, because encoders send them in ways that the library refuses. So is the
// dialogue, because a publisher must be refused before it is told to start, and its media must
// pass unparsed.
//
// What a peer sends cannot panic, overflow the stack, or hold more than four times the
// memory of what it sent plus a constant: 1 MiB for a connection.
package rtmp
