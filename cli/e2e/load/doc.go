//go:build e2e

// Command load measures what it costs to send one stream to many viewers: the built relay beside
// the bare loop and nginx-rtmp, in one run. `make load` runs it:
//
//	go run -tags e2e ./cli/e2e/load -n 50,200,1000 -servers loop,nginx,flv
//
// It is among the end-to-end tests because it looks at the program from outside, over sockets, as
// they do. Of the rooms it knows what a tag is (ingest/flv), and is a node where it measures what
// children cost (relay); no other.
//
//	clip ─► publisher ──► loop, nginx-rtmp or relay source ──► crowd: N viewers
//	            └─► history: each tag, and when it was sent ──────►┘ checks and times each tag
//
// The server has a core of its own. The publisher and all viewers are this process, on another
// core; with -share, for more viewers than one core can read, both have both. A server is started
// anew for each row, and the servers take turns: loop, nginx, ours, and again, so that what else
// the machine does strikes all of them.
//
// The loop is the least that a server has to do: it writes each tag to each socket as it comes,
// in one goroutine. Absolute figures depend on the machine. What can be compared is the ratio to
// the loop in the same repeat.
//
//	CPU s/GB   user and system time of the server, while viewers read 10^9 bytes
//	p50 p99    from the moment before the publisher writes a tag until the read that brings a
//	           viewer the tag's last byte has returned, for each tag and viewer, in ms
//	KB         resident memory with the viewers, less that of the same server after the same
//	           time with the stream alone, for each viewer
//	exact      each viewer got the tags that were sent, each once, in order, byte for byte, from
//	           its first one to the last of the window. nginx-rtmp may choose timestamps; so
//	           they are compared where FLV is played
//	joins      of viewers who come one after the other beside all others: from the moment before
//	           one connects until it has the first key frame whole; p50, p99, most, in ms
//	first      the same of viewers who come all in one second; p99
//	measuring  how busy this process kept its core, and how late it came to a timer of 5 ms
//	           (p99): delays are not known better than that
//	others     what other programs took of the server's core
//	!          the measuring side was the bottleneck, or others took more than a tenth of the
//	           server's core: such a row tells little
//
// Players of HLS read the playlist and fetch each segment as RFC 8216 has it, over one connection;
// what they are late by is mostly the length of segments. Children are nodes in this process, each
// with a link of its own over TLS, and verify what they get; a tag has come when it is in the ring.
//
// With -soak it measures no speed, but what remains (soak.go), with -starts how long it takes until
// ours listens (starts.go), with -idle what a node uses that nobody takes the stream from, beside
// the least that such a node has to do (idle.go), and with -inputs what a source uses for each way in
// which a stream comes in (inputs.go; make inputs).
//
// The stream is a clip of the repository with H.264 and AAC, whose pictures are made longer until
// it has the rate. Each tag has its number in it: see number.go.
package main
