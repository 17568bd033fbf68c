// Package pcp reads and writes the atoms of PeerCast's protocol, PCP 1.2, and the few lines of
// HTTP in front of them. It does no I/O of its own and knows no channel: playback serves
// PeerCast with it, and ingest pulls from it. spec.md beside this file gives every atom byte by
// byte, with the bounds.
//
// Whatever comes in is hostile until it has parsed. A [Reader] gives one atom at a time,
// whose depth, children and length have bounds, and takes memory as bytes come, never as a
// length says. An [Atom] is a view of those bytes. The typed ones (Helo, Oleh, Host, Bcst, Chan and so on)
// are values of their own: only a packet's data is a view still.
//
// Nothing in PCP is signed or encrypted: what it says is somebody's word.
package pcp
