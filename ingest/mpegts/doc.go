// Package mpegts reads MPEG transport streams (ISO/IEC 13818-1) into tags.
//
//	bytes ─► Reader: packets ─► Demuxer: sections, PES ─► convert.Converter ─► flv.Tag
//
// A [Demuxer] takes packets, from wherever they come, and does no I/O; a [Reader] finds them in a
// stream of bytes. What is lost costs what it was part of: a PES of which a packet is missing is
// left out, and pictures go on at the next key frame. Program maps may change at any time.
//
// It is not built on a library's demuxer: the one at hand keeps the packets of every PID without a
// bound until its unit begins anew, forgets what was lost, and parses tables that nobody needs here.
// This one keeps one unit each of two streams, and of the tables a section each.
package mpegts
