// Package pcpin fetches a channel of PeerCast's (PCP 1.2): it dials who has the channel, follows
// it where it says that others have room, and makes FLV tags of the packets. It knows sessions
// only as a [Sink], and no channel of ours. How it decides is in design.md beside this file.
//
// Nothing in PCP is signed or encrypted: what comes is somebody's word, also who else has the
// channel. What is dialled on such a word is bounded ([Pull]).
package pcpin
