package hostile

import (
	"encoding/binary"
	"strings"
)

// broadcastInputs are what pages that film are not: they ask for the WebSocket of such a page, and say what none says. A node
// that takes no such page, or not from there, says so.
func broadcastInputs() []Input {
	const host, own = "Host: 127.0.0.1", "Origin: http://127.0.0.1"
	upgrade := func(lines ...string) []byte {
		return request("GET /api/v1/broadcast HTTP/1.1", append([]string{
			host, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		}, lines...)...)
	}
	all := []Input{
		{"a page that films, without an origin", upgrade(), Answered, "HTTP/1.1 4"},
		{"a page that films, of another site", upgrade("Origin: http://evil.test"), Answered, "HTTP/1.1 4"},
		{"a page that films, of another port", upgrade("Origin: http://127.0.0.1:1"), Answered, "HTTP/1.1 4"},
		{"a page that films, of no site", upgrade("Origin: null"), Answered, "HTTP/1.1 4"},
	}
	const text, binaryData = 0x81, 0x82
	for _, c := range []struct {
		name   string
		frames []byte
	}{
		{"with a wrong token", masked(text, `{"token":"abc","video":{"codec":"avc1.640028"}}`)},
		{"with a hello of 1 MiB", masked(text, `{"token":"`+strings.Repeat("x", 1<<20)+`"}`)},
		{"with a hello that is none", masked(text, "hello")},
		{"with a record before its hello", masked(binaryData, "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x65")},
		{"with a record of 2^62 bytes", cat("\x82\xff\x40", rep(0, 7), "mask")},
		{"without a mask", cat("\x81\x02{}")},
	} {
		all = append(all, Input{"a page that films, " + c.name, cat(upgrade(own), c.frames), Answered, "HTTP/1.1 "})
	}
	return all
}

// masked is a frame of a WebSocket's client (RFC 6455, 5.2), whose mask is of zeros.
func masked(first byte, payload string) []byte {
	head := []byte{first, 0x80 | 127}
	switch n := len(payload); {
	case n < 126:
		head[1] = 0x80 | byte(n)
	default:
		head = binary.BigEndian.AppendUint64(head, uint64(n))
	}
	return cat(head, rep(0, 4), payload)
}
