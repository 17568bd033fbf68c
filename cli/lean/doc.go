// Package lean keeps a process small that runs for long and has little to do.
//
// Most of what a node holds is a ring of chunks, of which a few are made and as many forgotten each second. Go's
// collector lets as much become garbage as there is in use before it runs, so that half of the memory is
// garbage. Here it runs every few seconds, or, where there is work, as seldom as it would.
//
// Most of what a node does while nobody watches takes less time than to wake a thread. One processor is enough then.
package lean
