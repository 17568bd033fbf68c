// Package rtp makes tags of the packets of RTP (RFC 3550) that carry one stream of pictures and one of sound:
//
//	packet ─► order ─► depacketizer ─► unit ─► when it is shown ─► convert ─► flv.Tag
//
// It does no I/O and reads no clock: who calls says when a packet came. Packets that come in another order
// are put right within bounds; what is missing by then costs the picture that it was part of, and pictures
// wait for the next key frame ([Stream.WantsKey]). Sound and pictures are as far apart as the sender's
// reports say (RFC 3550, 6.4.1); before there are any, as they came.
package rtp
