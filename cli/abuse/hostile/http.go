package hostile

import (
	"fmt"
	"strings"
)

// httpTable is what strangers ask at the port for players. id is the channel's ID.
func httpTable(id string) Table {
	t := Table{Port: HTTP, Inputs: httpFraming()}
	t.Inputs = append(t.Inputs, httpPaths(id)...)
	t.Inputs = append(t.Inputs, httpHeaders(id)...)
	t.Inputs = append(t.Inputs, broadcastInputs()...)
	return t
}

// get is a request for a path, with further lines of its head.
func get(path string, lines ...string) []byte {
	return request("GET "+path+" HTTP/1.1", append([]string{"Host: 127.0.0.1"}, lines...)...)
}

func request(line string, more ...string) []byte {
	return []byte(line + "\r\n" + strings.Join(append(more, "\r\n"), "\r\n"))
}

func httpFraming() []Input {
	bad := func(name string, b []byte) Input { return Input{name, b, Refused, "HTTP/1.1 4"} }
	const host = "Host: 127.0.0.1"
	smuggled := "GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
	return []Input{
		{Name: "nothing", Want: Ended},
		{Name: "half a request line", Bytes: []byte("GET / HT"), Want: Ended},
		{Name: "half a head", Bytes: []byte("GET / HTTP/1.1\r\nHost: 127"), Want: Ended},
		{Name: "a head without its end", Bytes: []byte("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"), Want: Ended},
		bad("an empty line for a request", []byte("\r\n \r\n\r\n")),
		bad("a request of one word", request("GET")),
		bad("a request of two words", request("GET /", host)),
		bad("HTTP/0.9", []byte("GET /\r\n\r\n")),
		{"HTTP/9.9", request("GET / HTTP/9.9", host), Refused, "HTTP/1.1 505"},
		bad("HTTP/1.10", request("GET / HTTP/1.10", host)),
		bad("HTTP/-1.1", request("GET / HTTP/-1.1", host)),
		bad("XTTP", request("GET / XTTP/1.1", host)),
		bad("HTTP/2 by prior knowledge", []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")),
		bad("TLS", cat("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", rep(7, 501), "\r\n\r\n")),
		bad("RTMP", cat(shaken, "\r\n\r\n")),
		bad("a method of symbols", request("G\x00T / HTTP/1.1", host)),
		bad("a method in parentheses", request("(GET) / HTTP/1.1", host)),
		bad("a control byte in the path", request("GET /\x01\x02 HTTP/1.1", host)),
		bad("a zero in the path", request("GET /\x00 HTTP/1.1", host)),
		bad("a percent sign alone", request("GET /% HTTP/1.1", host)),
		bad("a percent sign and no number", request("GET /%zz HTTP/1.1", host)),
		bad("no host", request("GET / HTTP/1.1")),
		bad("two hosts", request("GET / HTTP/1.1", host, "Host: example.org")),
		bad("a host of control bytes", request("GET / HTTP/1.1", "Host: a\x01b")),
		bad("a host with a space", request("GET / HTTP/1.1", "Host: 127.0.0.1 evil")),
		bad("a header without a colon", request("GET / HTTP/1.1", host, "nonsense")),
		bad("a header without a name", request("GET / HTTP/1.1", host, ": value")),
		bad("a header with a space in its name", request("GET / HTTP/1.1", host, "Content Length: 5")),
		bad("a space before the colon", request("GET / HTTP/1.1", host, "Transfer-Encoding : chunked")),
		bad("a header with a zero", request("GET / HTTP/1.1", host, "X: a\x00b")),
		bad("a header that begins with a space", request("GET / HTTP/1.1", " Host: folded")),
		bad("a head of 1 MiB", request("GET / HTTP/1.1", host, "X: "+strings.Repeat("x", 1<<20))),
		bad("20,000 headers", request("GET / HTTP/1.1", host, strings.TrimSuffix(strings.Repeat("X: y\r\n", 20_000), "\r\n"))),
		bad("a path of 1 MiB", request("GET /"+strings.Repeat("a", 1<<20)+" HTTP/1.1", host)),
		bad("a length that is negative", get("/", "Content-Length: -1")),
		bad("a length with a sign", get("/", "Content-Length: +5")),
		bad("a length of 10^30", get("/", "Content-Length: 1"+strings.Repeat("0", 30))),
		bad("a length in hexadecimal", get("/", "Content-Length: 0x5")),
		bad("a length in two numbers", get("/", "Content-Length: 5, 6")),
		bad("two lengths", get("/", "Content-Length: 5", "Content-Length: 6")),
		{"a coding that nobody knows", get("/", "Transfer-Encoding: chunked, identity"), Refused, "HTTP/1.1 501"},
		{"a coding and a length, to smuggle a request", cat(get("/", "Content-Length: 6", "Transfer-Encoding: cow"), smuggled), Refused, "HTTP/1.1 501"},
		{"chunked and a length", cat(get("/healthz", "Content-Length: 4", "Transfer-Encoding: chunked"), "0\r\n\r\n", smuggled), Answered, "HTTP/1.1 200"},
		{"chunks of no size", cat(get("/healthz", "Transfer-Encoding: chunked"), "zz\r\nabc\r\n"), Refused, "HTTP/1.1 "},
		{"a chunk of 2^64 bytes", cat(get("/healthz", "Transfer-Encoding: chunked"), "10000000000000000\r\nabc\r\n"), Refused, "HTTP/1.1 "},
		{"a chunk with a megabyte of extension", cat(get("/healthz", "Transfer-Encoding: chunked"), "1;", rep('x', 1<<20), "\r\na\r\n0\r\n\r\n"), Refused, "HTTP/1.1 "},
		{"a body of 2^62 bytes announced", cat(get("/healthz", "Content-Length: 4611686018427387904"), rep(0, 1000)), Refused, "HTTP/1.1 "},
		{"an expectation", get("/healthz", "Expect: 200-ok"), Refused, "HTTP/1.1 417"},
		{"an expectation of a body that does not come", get("/healthz", "Expect: 100-continue", "Content-Length: 10"), Refused, "HTTP/1.1 "},
		{"an upgrade to HTTP/2", get("/healthz", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), Answered, "HTTP/1.1 200"},
		{"an upgrade to a socket", get("/healthz", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 13"), Answered, "HTTP/1.1 200"},
		{"lines that end in LF alone", []byte("GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n"), Answered, "HTTP/1.1 200"},
		{"500 requests at once", []byte(strings.Repeat(string(get("/healthz")), 500)), Answered, "HTTP/1.1 200"},
	}
}

func httpPaths(id string) []Input {
	says := func(code int, paths ...string) []Input {
		var all []Input
		for _, p := range paths {
			name := strings.ReplaceAll(p, id, "ID")
			if len(name) > 40 {
				name = fmt.Sprintf("%s… (%d)", name[:40], len(name))
			}
			all = append(all, Input{"GET " + name, get(p), Answered, fmt.Sprintf("HTTP/1.1 %d", code)})
		}
		return all
	}
	all := says(404,
		"/nosuch", "/nosuch.flv", "/.flv", "/.mp4", "/.ts", "/.m3u", "/.jpg", "/"+strings.Repeat("a", 15_000)+".flv",
		"/../../../etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/....//....//etc/passwd",
		"/%00.flv", "/%ff%fe.flv", "/%0d%0aSet-Cookie:%20x=y", "/%1b[2J.flv", "/"+id+".flv%00.jpg", "/"+id+".exe", "/"+id+"/index.flv", "/"+id+".flv/",
		"/hls/", "/hls/nosuch/index.m3u8", "/hls/"+id, "/hls/"+id+"/", "/hls/"+id+"/anything", "/hls/"+id+"/..%2f..%2fx", "/hls/"+id+"/0.mp4", "/hls/"+id+"/99999999999999999999.mp4", "/hls/"+id+"/-1.mp4", "/hls//index.m3u8",
		"/api/v1/", "/api/v1/nosuch", "/api/v2/channels", "/api/v1/tree?channel=nosuch", "/api/v1/tree?channel="+strings.Repeat("a", 10_000), "/api/v1/tree?channel=%00", "/api/status", "/debug/pprof/", "/metrics", "/.git/config", "/cgi-bin/x", "/server-status", "/wp-login.php", "/favicon.ico/..",
	)
	all = append(all, says(400, "/"+id+".flv?start=now", "/"+id+".mp4?start="+strings.Repeat("x", 5000), "/"+id+".flv?start=gop%00")...)
	for _, m := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "MOVE", "X-CUSTOM", strings.Repeat("M", 5000)} {
		name, path := m, "/"+id+".flv"
		if len(name) > 20 {
			name = name[:20] + "…"
		}
		if m == "CONNECT" {
			path = "127.0.0.1:22"
		}
		all = append(all, Input{name, request(m+" "+path+" HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 0"), Answered, "HTTP/1.1 405"})
	}
	return append(all,
		Input{"the whole of a proxy's request", request("GET http://198.51.100.1/ HTTP/1.1", "Host: 198.51.100.1"), Answered, "HTTP/1.1 "},
		Input{"an asterisk", request("GET * HTTP/1.1", "Host: 127.0.0.1"), Answered, "HTTP/1.1 4"},
	)
}

func httpHeaders(id string) []Input {
	refused := func(name string, b []byte) Input { return Input{name, b, Answered, "HTTP/1.1 403"} }
	host := func(h string) []byte { return request("GET /api/v1/channels HTTP/1.1", "Host: "+h) }
	all := []Input{
		refused("another site's name", host("attacker.example")),
		refused("another site's name with our port", host("attacker.example:7145")),
		refused("a name that ends like ours", host("notlocalhost")),
		refused("a name that begins like ours", host("localhost.attacker.example")),
		refused("an address that is a name", host("127.0.0.1.attacker.example")),
		refused("a name of 10,000 letters", host(strings.Repeat("h", 10_000))),
		refused("an address with a letter behind it", host("127.0.0.1x")),
		{"an address as a number", host("2130706433"), Answered, "HTTP/1.1 403"},
		{"a head request for media", request("HEAD /"+id+".flv HTTP/1.1", "Host: 127.0.0.1"), Answered, "HTTP/1.1 200"},
		{"ranges of a stream", get("/"+id+".flv", "Range: bytes=0-1,5-6,-9999999999999999999999"), Answered, "HTTP/1.1 200"},
		{"a thousand ranges", get("/"+id+".flv", "Range: bytes="+strings.Repeat("0-1,", 1000)+"2-3"), Answered, "HTTP/1.1 200"},
		{"a date of rubbish", get("/", "If-Modified-Since: "+strings.Repeat("9", 3000)), Answered, "HTTP/1.1 200"},
		{"a last event of rubbish", get("/api/v1/channels", "Last-Event-ID: "+strings.Repeat("9", 3000)), Answered, "HTTP/1.1 200"},
		{"codings of rubbish", get("/", "Accept-Encoding: "+strings.Repeat("gzip;q=0.5,", 1000)+"br"), Answered, "HTTP/1.1 200"},
		{"languages of rubbish", get("/", "Accept-Language: "+strings.Repeat("en;q=0.1,", 1500)+"de"), Answered, "HTTP/1.1 200"},
		{"a cookie of 12 KiB", get("/", "Cookie: "+strings.Repeat("c", 12<<10)), Answered, "HTTP/1.1 200"},
		{"an agent with orders to the terminal", get("/healthz", "User-Agent: \x1b]0;owned\x07"), Answered, "HTTP/1.1 "},
		{"a query of 12 KiB", get("/healthz?" + strings.Repeat("a=b&", 3<<10)), Answered, "HTTP/1.1 200"},
		{"a query with semicolons", get("/" + id + ".m3u?a;b;start=gop"), Answered, "HTTP/1.1 200"},
		{"a list with a host of markup", request("GET /"+id+".m3u HTTP/1.0", "Host: \"><script>"), Answered, "HTTP/1.1 4"},
	}
	return all
}
