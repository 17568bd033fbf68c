// Package pcptest is a model of a PeerCast for tests: it serves a channel, pulls one, and passes
// on what it pulls, as peercast-yt does or as PeerCastStation does where they differ ([Kind]). It
// writes and reads its own bytes, by what is known of those two, so that a mistake of relay/pcp is
// not made on both ends.
//
// [YP] is a model of an index to which channels are announced.
//
// What it leaves out: GIV, pushes, pages of indexes, and the pauses of 200 ms that peercast-yt makes
// between bursts.
package pcptest
