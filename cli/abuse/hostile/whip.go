package hostile

import (
	"strconv"
	"strings"
)

// whipTable is what strangers send to the port for encoders that speak WHIP, who do not have the key.
func whipTable() Table {
	t := Table{Port: WHIP, Why: map[string]string{}}
	add := func(name, why, says string, b ...any) {
		t.Inputs = append(t.Inputs, Input{Name: name, Bytes: cat(b...), Want: Refused, Says: says})
		t.Why[name] = why
	}
	const host, sdp, last = "Host: 127.0.0.1", "Content-Type: application/sdp", "Connection: close"
	post := func(body string, more ...string) []byte {
		return cat(request("POST /whip HTTP/1.1", append([]string{host, last, "Content-Length: " + strconv.Itoa(len(body))}, more...)...), body)
	}
	offer := "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\n"
	bearer := func(key string) string { return "Authorization: Bearer " + key }
	const denied = "HTTP/1.1 401"
	add("an offer without a key", "key", denied, post(offer, sdp))
	add("an empty key", "key", denied, post(offer, sdp, bearer("")))
	add("a key of 12 KiB", "key", denied, post(offer, sdp, bearer(strings.Repeat("k", 12<<10))))
	add("a key as a user's name", "key", denied, post(offer, sdp, "Authorization: Basic a2V5Og=="))
	add("two keys", "key", denied, post(offer, sdp, bearer("a"), bearer("b")))
	add("a key in the address", "key", denied, request("POST /whip?key=abc HTTP/1.1", host, last, sdp, "Content-Length: 0"))
	add("an offer of 1 MiB without a key", "key", denied, post(strings.Repeat("a=x\r\n", 200_000), sdp))
	add("an offer of 10^18 bytes that never comes", "key", denied, request("POST /whip HTTP/1.1", host, last, sdp, "Content-Length: 1"+strings.Repeat("0", 18)))
	add("an offer in chunks without an end", "key", denied, request("POST /whip HTTP/1.1", host, last, sdp, "Transfer-Encoding: chunked"), "5\r\nhello\r\n")
	many := func(line string, n int) string { return offer + strings.Repeat(line, n) }
	add("2,000 parts without a key", "key", denied, post(many("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", 2000), sdp))
	add("10,000 addresses of others without a key", "key", denied, post(many("a=candidate:1 1 udp 2122317823 198.51.100.1 9 typ host\r\n", 10_000), sdp))
	add("1,000 layers of simulcast without a key", "key", denied, post(many("a=rid:x send\r\n", 1000)+"a=simulcast:send "+strings.Repeat("x;", 1000)+"\r\n", sdp))
	add("the end of a call that there is not", "request", "HTTP/1.1 404", request("DELETE /whip/"+strings.Repeat("A", 26)+" HTTP/1.1", host, last))
	add("addresses for a call that there is not", "request", "HTTP/1.1 405", request("PATCH /whip/x HTTP/1.1", host, last, "Content-Length: 0"))
	add("10,000 addresses for a call that there is not", "request", "HTTP/1.1 405", patch(strings.Repeat("a=candidate:1 1 udp 2122317823 198.51.100.1 9 typ host\r\n", 10_000), last))
	add("a page", "request", "HTTP/1.1 405", request("GET /whip HTTP/1.1", host, last))
	add("another path", "request", "HTTP/1.1 404", request("POST /other HTTP/1.1", host, last, "Content-Length: 0"))
	add("the players' API", "request", "HTTP/1.1 404", request("GET /api/v1/status HTTP/1.1", host, last))
	add("a method that nobody knows", "request", "HTTP/1.1 405", request("BREW /whip HTTP/1.1", host, last))
	add("a check for a call that there is not", "packet", "", with16(stunCheck("nobody:else")))
	add("a check without a name", "packet", "", with16(stun(0x0001)))
	add("an answer to no check", "packet", "", with16(stun(0x0101)))
	add("a frame that is longer than a check", "packet", "", "\x01\xff", rep('x', 511))
	add("a frame of no check", "packet", "", with16(rep('x', 100)))
	add("an empty frame", "packet", "", "\x00\x00")
	t.Inputs = append(t.Inputs,
		Input{Name: "nothing", Want: Ended},
		Input{Name: "half a frame", Bytes: cat("\x00\x40", rep(0, 10)), Want: Ended},
		Input{Name: "half a request", Bytes: []byte("POST /whip HT"), Want: Ended},
		Input{Name: "what a page asks before it sends", Bytes: request("OPTIONS /whip HTTP/1.1", host, "Origin: http://evil.test", "Access-Control-Request-Method: POST"), Want: Answered, Says: "HTTP/1.1 204"},
	)
	return t
}

// patch tells a call that there is not of further addresses.
func patch(body string, lines ...string) []byte {
	return cat(request("PATCH /whip/"+strings.Repeat("A", 26)+" HTTP/1.1", append([]string{"Host: 127.0.0.1", "Content-Type: application/trickle-ice-sdpfrag", "Content-Length: " + strconv.Itoa(len(body))}, lines...)...), body)
}

// Patch is that, for a connection that goes on.
func Patch() []byte { return patch("a=candidate:1 1 udp 2122317823 198.51.100.1 9 typ host\r\n") }

// whipPacketTable is what strangers send to the UDP port of the same number.
func whipPacketTable() Table {
	t := Table{Port: WHIPMedia}
	for name, b := range map[string][]byte{
		"nothing":                          {},
		"a byte":                           {0},
		"a check for nobody":               stunCheck("nobody:else"),
		"a check with a name of 1 KiB":     stunCheck(strings.Repeat("n", 1<<10)),
		"a check without a name":           stun(0x0001),
		"a check that is longer than said": cat(stunCheck("nobody:else"), "more"),
		"a check that is cut":              stunCheck("nobody:else")[:25],
		"an answer to no check":            stun(0x0101),
		"a request for a relay's address":  stun(0x0003),
		"a beginning of DTLS":              cat("\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x01", rep(0, 63)),
		"media of nobody":                  cat("\x80\x60\x00\x01", rep(0, 1200)),
		"reports of nobody":                cat("\x80\xc8\x00\x06", rep(0, 24)),
		"60 KB":                            rep(0x80, 60_000),
	} {
		t.Inputs = append(t.Inputs, Input{Name: name, Bytes: b, Want: Dropped})
	}
	return t
}

// stun is a message of RFC 8489 with attributes.
func stun(typ int, attrs ...any) []byte {
	body := cat(attrs...)
	return cat(u16(typ), u16(len(body)), u32(0x2112a442), "123456789012", body)
}

// stunCheck is a check of ICE for a name.
func stunCheck(name string) []byte {
	return stun(0x0001, u16(0x0006), u16(len(name)), name, rep(0, (4-len(name)%4)%4))
}

// StunCheck is a check for nobody, as a connection begins with it.
func StunCheck() []byte { return with16(stunCheck("nobody:else")) }
