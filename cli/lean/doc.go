// Package lean keeps a process small that runs for long and has little to do.
//
// Most of what a node holds is a ring of chunks, of which a few are made and as many forgotten each second. Go's
// collector lets as much become garbage as there is in use before it runs, so that half of the memory is
// garbage; see [Run] for when it runs here. And most of a program's file is for beginnings and accidents.
package lean
