// Package convert makes tags of what every input but FLV and RTMP brings: access units of one
// stream of pictures and one of sound, with times at 90 kHz. It does no I/O and reads no clock.
//
//	Unit ─► what the codec wants in a sample ─► decoding time ─► start rules ─► flv.Tag
//
// A decoding time that the sender gives is used as it is; only one that cannot be is replaced. It
// is found for those who give none. Nothing that a sender does ends a stream: what cannot be used
// is left out and counted ([Stats]), and the first of its kind is told.
package convert
