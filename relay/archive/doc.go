// Package archive keeps a channel's chunks on disk, as they were signed, for whoever comes late.
//
// An archive is a folder of segments. A segment is a file that means something alone:
//
//	 0  "relay stream 1\r\n"
//	16  channel ID, 32 bytes
//	48  frames as they go over a link (relay/wire/spec.md): headers (type 0x02) and chunks (0x01).
//	    A header precedes the first chunk that needs it
//	    an index (type 0x7f), once the segment is complete; see index.go
//
// Positions rise within a segment and from one to the next. What is missing was never here. Nothing in a
// segment is changed once it was written: a program that is killed leaves one without an index, whose
// frames are walked through when the archive is opened again, and perhaps half a frame, which is passed
// over. What is read is verified by the channel's key, as if a stranger had sent it: a disk that forgets
// and a file that somebody has altered cost chunks, and nobody sees what the source has not signed.
//
// Chunks of a private channel stay sealed here.
package archive
