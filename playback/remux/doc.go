// Package remux puts a channel's FLV tags into the other containers that players
// take: fragmented MP4, MPEG transport stream, HLS.
//
//	tags ─► demuxer ─► MP4     one moof and mdat for each batch: one frame, when live
//	               ├─► TS
//	               └─► HLS     a playlist and segments, shared by all who ask
//
// MP4's fragments are made here, around the tags' own bytes: the library's writer takes
// 36 times as long for each, and there is one for every frame of every viewer. So are HLS's
// segments, which are the same fragments: gohlslib begins a segment with a key frame only, has
// no discontinuity and no end. All else is mediacommon's.
//
// Nothing is decoded. A frame goes out as soon as it has come in: none waits for the
// next one to tell how long it lasts. What a container cannot carry is refused with
// [*CodecError]; what is malformed is left out.
package remux
