// Package wire reads and writes the frames that cross a link. It has one table of types
// and one codec, and nothing else. spec.md beside this file gives every frame byte by byte.
//
// Whatever comes in is hostile until it has parsed. Every count and length has a bound,
// and nothing beyond one small step is allocated on a sender's word. A frame that is
// malformed, too long or not due from that side is an error, which ends the link.
package wire
