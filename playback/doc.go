// Package playback gives a channel's media to players: over HTTP as FLV, and to a
// file or a pipe. It also serves the node's status.
//
// Every reader, whichever it is, has a feed: a [stream.Cursor] and an assembler
// that passes the chunks' payloads on as they are, shared with the ring and with
// all other readers, and looks at nothing but the headers of the FLV tags in them.
//
//	Ring ──► Cursor ──► feed ──► viewer   (GET /<channel>.flv, one writev a batch)
//	                         └─► Record   (a file, a pipe)
//
// What a reader gets is valid FLV whatever happens upstream. It starts with the
// header and the newest key chunk. A tag is passed on only once all of it is there,
// so that a gap never leaves half of one. After a gap or a restart of the source the
// decoder configurations that the reader missed are put in front of the next tag,
// and timestamps go on from where they were.
//
// A reader that does not keep up is moved ahead by its cursor, and that is counted
// and shown; one that takes nothing for 10 seconds is cut. Neither is felt by anyone
// else.
package playback
