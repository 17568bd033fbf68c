// Package rtspin fetches what a camera films, or another RTSP server (RFC 2326) sends, and makes tags of it.
//
// The protocol is gortsplib's, which the build tag lean leaves out ([Fetch] then says so). What is done
// here is what it leaves to its caller: times of sound and pictures that belong together ([clock]), pictures
// put together out of packets of which some are missing or wrongly marked ([assembly]), and what went
// wrong in words.
package rtspin
