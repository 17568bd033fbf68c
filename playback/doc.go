// Package playback gives a channel's media to players: over HTTP in the containers
// that they take, and to a file or a pipe. It also serves the page for browsers, and the
// API for programs.
//
// A channel's media are made once in each form that somebody watches, in a reel. A viewer is a
// place in it. Sweepers write what is new to all viewers who have taken all before; a viewer who is
// slow has a goroutine of its own for the rest.
//
//	Ring ─► Cursor ─► feed ─┬─► reel ─┬─► sweeper ─► viewers   GET /<channel>.flv .mp4 .ts, or RTMP
//	                        │         └─► Recording            a file, a pipe
//	                        └─► hlsRun                         /hls/<channel>/, one for all who ask
//
// The feed passes the chunks' payloads on as they are, shared with the ring, and looks at nothing
// but the starts of the FLV tags in them.
//
// What a reader gets is valid whatever happens upstream. It starts with the header and
// the newest key chunk. A tag is passed on only once all of it is there, so that a gap
// never leaves half of one. After a gap or a restart of the source the decoder
// configurations that the reader missed are put in front of the next tag, and
// timestamps go on from where they were. New parameter sets also go in band, in front
// of the next picture to start at: VLC shows garbage with the configuration alone.
//
// A player shows what comes first at the pace of its timestamps, and stays as far behind
// live as the newest key chunk was when it came. So what a reader is given of the past
// is squashed: pictures 1 ms apart that end at the live timestamp, without sound. See
// [Start].
//
// A reader that does not keep up is moved ahead, and that is counted
// and shown; one that takes nothing for 10 seconds is cut. Neither is felt by anyone
// else.
//
// Package web is the page, package admin the operator's listener, and package api the JSON
// of both listeners.
package playback
