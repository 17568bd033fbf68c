// Package wire is the frames that cross a link: one table of types, one codec,
// nothing else. spec.md beside this file gives every frame byte by byte.
//
// Whatever comes in is hostile until it has parsed: every count and length has a
// bound, nothing is allocated on a sender's word beyond one small step, and a frame
// that is malformed, too long or not due from that side is an error that ends the
// link.
package wire
