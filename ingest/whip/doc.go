// Package whip takes media over WebRTC: of encoders that speak WHIP (RFC 9725), as OBS does, and of the page of
// this node, where the browser cannot encode for a page (its offer comes by [relay/ingest/browser]).
//
//	encoder                            this package
//	POST /whip, its key and offer ───► [Endpoint]: who may, asks for a [Sink], or refuses
//	                              ◄─── 201, the answer with all addresses, Location
//	ICE, DTLS, SRTP               ───► [Media]: pion, packets, relay/ingest/rtp, tags into the sink
//	DELETE of the Location        ───► the end
//
// ICE is the "lite" of RFC 8445: this side answers checks and sends none, and what an offer says of
// addresses is left out before anything reads it. So nobody who can write an offer has this node send
// anywhere; it answers where a check with the call's own password came from, and then talks DTLS as the
// server, who proves nothing before the client has shown that it receives.
//
// The library stands behind the build tag lean: where it was left out, [Able] is false and [Open] fails.
package whip
