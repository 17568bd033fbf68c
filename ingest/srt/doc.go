// Package srt speaks SRT, both ways: a [Server] takes a stream from an encoder and gives streams to
// players, a [Target] is a server that a stream is fetched from. What is carried is bytes, in the
// datagrams as they were sent; in practice that is MPEG-TS, seven packets in each.
//
// The protocol is that of draft-sharabayko-srt-01, as libsrt 1.3 and later speak it: handshake of
// version 5, live mode, messages of one packet. Its packets and its lists of what is lost and late are those of
// github.com/datarhei/gosrt; the build tag lean leaves them out. The library's cryptography is not used, as
// it needs a module without a licence, nor are its listener and its dialer, because strangers reach them:
//
//   - an extension of less than four bytes in a handshake, or a response to a key that was never
//     sent in version 4, ends the program;
//   - a segment size of 10 in a handshake makes it ask for a buffer of 4 GB, and what a publisher
//     sends with times that lie ahead is held without bound, as is what a player does not take;
//   - the answer to a handshake is sent once, so that one lost datagram fails the connection;
//   - each connection that is called leaves a goroutine behind;
//   - a packet in the clear is taken on an encrypted connection;
//   - the other side's clock is looked at once, so that after hours nothing is left of the latency.
//
// One goroutine reads the socket, and each connection has one that looks at its clock and one that
// uses it. A connection's state is guarded by its mutex.
package srt
