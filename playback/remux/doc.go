// Package remux puts a channel's FLV tags into the other containers that players
// take: fragmented MP4, MPEG transport stream, HLS.
//
//	tags ─► demuxer ─► MP4     one moof and mdat for each batch: one frame, when live
//	               ├─► TS
//	               └─► HLS     a playlist and segments, shared by all who ask
//
// All viewers of a channel share one MP4 and one TS: what Convert returns is made once, for all.
// Someone who joins gets what Join returns in front, and then what all get:
//
//	Convert ─► ftyp moov · moof mdat · moof mdat · moof mdat ·│· moof mdat ─►
//	                       ╰──────────── record ────────────╯ │
//	                          Join ─► ftyp moov · moof mdat ──╯
//
// That is how the tracks are described now, and the pictures since the newest place to start,
// squashed ([flv.Squashed]): only what has their times in it is made, the fragment's moof or each
// picture's first packet of 188 bytes, and only once for all who join between two batches. The
// rest lies in the record as it went out, or in MP4 as it came. Beyond its bounds nothing is
// recorded, and who joins waits for the next place to start. A recording has an MP4 or a TS of its
// own, which nobody joins.
//
// MP4's fragments are made here, around the tags' own bytes: the library's writer takes
// 36 times as long for each, and there is one for every frame. So are HLS's
// segments, which are the same fragments: gohlslib begins a segment with a key frame only, has
// no discontinuity and no end. So are the packets of MPEG-TS, which a test compares with the
// library's: those took four times as long and as much memory, and nobody could tell where a picture
// lies in them. All else is mediacommon's: moov, the tables of MPEG-TS, what codecs say.
//
// A tag comes in the pieces in which the ring holds it, and a picture is never joined: MP4 and HLS
// share the pieces, MPEG-TS copies them into its packets once. A picture of megabytes would
// otherwise be held once more by each step of its way.
//
// Nothing is decoded. A frame goes out as soon as it has come in: none waits for the
// next one to tell how long it lasts. What a container cannot carry is refused with
// [*CodecError]; what is malformed is left out.
package remux
