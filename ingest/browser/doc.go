// Package browser takes what a page films: the page encodes camera, screen and microphone with WebCodecs
// (W3C) and sends each frame as it comes over a WebSocket (RFC 6455).
//
//	the page                             this package
//	{"token", "video", "audio"} ───────► asks for a [Sink], or refuses
//	a record for each frame     ───────► FLV tags, into the sink
//	                            ◄─────── {"state": "live"} with the first picture or sound that is taken
//	                            ◄─────── the end: a close code and one word
//
// A text message begins: [Hello] in JSON. All others are binary, a record each:
//
//	offset  length  what
//	0       1       kind: 1 picture's decoder configuration, 2 key picture, 3 other picture,
//	                4 sound's decoder configuration, 5 sound
//	1       8       when it was filmed, in microseconds from the page's own origin on, the same
//	                for pictures and sound; big endian, with a sign
//	9       …       what WebCodecs gives: for kinds 1 and 4 the description of a decoderConfig, else
//	                an EncodedVideoChunk (H.264 in the avc format, without B-frames: it is decoded
//	                in the order in which it is shown) or EncodedAudioChunk
//
// A page whose browser does not encode for pages gives the offer of a call over WebRTC in its hello in place of tracks,
// and sends no records:
//
//	{"token", "offer"}          ───────► asks for a [Sink], and for a [Call]
//	                            ◄─────── {"answer"}; then {"state": "live"} and the end, as above
//
// The connection stays as long as the call: when the page is closed, both are over at once.
//
// Whoever may call is asked before: the page has a token that only a page of this node could read, and a
// browser says of which site the page is that calls. What comes is none the less treated as a stranger's:
// it is within bounds, and malformed records end the call in words.
package browser
