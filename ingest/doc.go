// Package ingest takes a live stream from where it is made and puts it into a
// channel: encoder → FLV tags → stream.Writer.
//
//	RTMPServer ─┐
//	RTMPPull   ─┤
//	HTTPPull   ─┼─► Session ─► Input ─► stream.Writer ─► Ring
//	File       ─┤
//	Pipe       ─┘
//
// An [Input] lives as long as the source; a [Session] is one run of an encoder. The
// stream's bytes are not touched, whatever the codec; only timestamps move, so
// that they go on where the encoder before left off. Nothing is dropped for being
// unknown.
//
// An Input keeps the stream's timestamps with the time ([flv.LiveTimeline]): what an encoder
// lets jump would leave every player behind for good.
//
// The RTMP server plays as well: where the media come from it does not know, but is
// handed runs of whole tags ([Viewing]) and frames them.
//
// What comes from outside cannot panic, overflow the stack, or hold more than four
// times the memory of what it sent plus a constant: 1 MiB for a connection. RTMP's
// chunk and handshake layers are gortmplib's; the dialogue on top is this
// package's own, because a publisher must be refused before it is told to start,
// and its media must pass unparsed.
package ingest
