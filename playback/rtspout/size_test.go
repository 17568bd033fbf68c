package rtspout

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"relay/ingest/ingesttest"
)

// TestRequestsCostInProportion has players that say much in one way each: what is allocated may not grow faster than
// that does.
func TestRequestsCostInProportion(t *testing.T) {
	const first = "SETUP rtsp://h/c/trackID=0 RTSP/1.0\r\n"
	for name, of := range map[string]func(n int) string{
		"requests": func(n int) string { return strings.Repeat("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", n/32) },
		"requests with a body": func(n int) string {
			return strings.Repeat("OPTIONS * RTSP/1.0\r\nContent-Length: 9\r\n\r\n123456789", n/52)
		},
		"headers":                 func(n int) string { return first + strings.Repeat("Transport: RTP/AVP\r\n", n/20) },
		"empty lines":             func(n int) string { return strings.Repeat("\r\n", n/2) },
		"a line without an end":   func(n int) string { return strings.Repeat("x", n) },
		"packets of players":      func(n int) string { return strings.Repeat("$\x01\x00\x04abcd", n/8) },
		"packets of nothing":      func(n int) string { return strings.Repeat("$\x01\x00\x00", n/4) },
		"a packet that is longer": func(n int) string { return "$\x01\xff\xff" + strings.Repeat("x", n) },
		"ways to transport": func(n int) string {
			return strings.Repeat(first+"Transport: "+strings.Repeat("RTP/AVP;multicast,", 100)+"\r\n\r\n", n/1800)
		},
		"parts of one way to transport": func(n int) string {
			return strings.Repeat(first+"Transport: RTP/AVP"+strings.Repeat(";a=b", 400)+"\r\n\r\n", n/1700)
		},
		"an address of slashes": func(n int) string {
			return strings.Repeat("DESCRIBE rtsp://h"+strings.Repeat("/", 1500)+" RTSP/1.0\r\n\r\n", n/1530)
		},
		"an address of names of players": func(n int) string {
			return strings.Repeat("DESCRIBE rtsp://"+strings.Repeat("a@", 700)+"h/c RTSP/1.0\r\n\r\n", n/1440)
		},
	} {
		ingesttest.InProportion(t, name, 32<<10, 8*8*32<<10, func(n int) []byte { return []byte(of(n)) }, func(b []byte) {
			r := bufio.NewReaderSize(bytes.NewReader(b), bufferSize)
			for {
				q, err := next(r)
				if err != nil {
					return
				}
				parseTransport(q.transport)
				parseURL(q.url)
			}
		})
	}
}
