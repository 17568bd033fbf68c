// Package ingest takes a live stream from where it is made and puts it into a
// channel: encoder → FLV tags → stream.Writer.
//
//	rtmp.Server ─┐
//	RTMPPull    ─┤
//	PCPPull     ─┤
//	RTSPPull    ─┤
//	HTTPPull    ─┼─► Session ─► Input ─► stream.Writer ─► Ring
//	File        ─┤
//	Pipe        ─┤
//	UDP         ─┘
//
// An [Input] lives as long as the source; a [Session] is one run of an encoder. The
// bytes of tags are not touched, whatever the codec; only timestamps move, so
// that they go on where the encoder before left off. What comes in another form than tags,
// as MPEG-TS, Matroska, MP4 or MP3, becomes tags first (packages mpegts, mkv, mp4, elementary and convert). Nothing is dropped for being
// unknown.
//
// An Input keeps the stream's timestamps with the time ([flv.LiveTimeline]): if an
// encoder's jump were passed on, every player would stay behind for good.
//
// Package rtmp is the protocol, which knows no sessions; [OverRTMP] and [RTMPPull] tie the
// two together. So does [PCPPull] with package pcpin, which fetches channels of PeerCast, and [RTSPPull] with rtspin, which fetches from cameras. Package flv is what a tag is. Playback, which gives the same tags to
// players, shares it.
//
// What comes from outside cannot panic, overflow the stack, or hold more than four
// times the memory of what it sent plus a constant.
package ingest
