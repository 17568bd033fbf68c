// Package socket reads and writes TCP connections, and receives datagrams, around the runtime's scheduler.
//
// Connections in Go never block, and yet the runtime is told of each read and write of one. In a
// process that is idle otherwise it then wakes its monitor thread, which looks on for a millisecond
// (29 % of what a stream costs without viewers), and before each call it prepares for another thread
// to run the other goroutines. What is done for each tag and each viewer goes around that, and for each
// datagram of SRT.
//
// It is written for Linux. Elsewhere there are no sockets ([Of] returns nil), and the connection's own
// methods serve; a [Receiver] uses these by itself.
package socket
