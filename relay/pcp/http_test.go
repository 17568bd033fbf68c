package pcp_test

import (
	"bufio"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"relay/relay/pcp"
)

func lines(t *testing.T, s string) []byte {
	t.Helper()
	b, err := pcp.ReadLines(bufio.NewReader(strings.NewReader(s + "rest")))
	if err != nil || string(b) != s {
		t.Fatalf("%q, %v", b, err)
	}
	return b
}

func TestRequests(t *testing.T) {
	ours := pcp.Request{Channel: id(0xab), Over: pcp.Over4, HasPos: true, Agent: "relay"}
	b := ours.Append(nil, "203.0.113.9:7144")
	want := "GET /channel/" + strings.Repeat("AB", 16) + " HTTP/1.0\r\nHost: 203.0.113.9:7144\r\nx-peercast-pcp: 1\r\nx-peercast-pos: 0\r\nUser-Agent: relay\r\n\r\n"
	if string(b) != want {
		t.Errorf("%q", b)
	}
	ours.Host = "203.0.113.9:7144"
	for s, want := range map[string]pcp.Request{
		string(b): ours,
		"GET /channel/" + strings.Repeat("ab", 16) + " HTTP/1.1\r\nx-peercast-pcp:100\r\nX-Peercast-Pos:4294967299\r\n\r\n": {Channel: id(0xab), Over: pcp.Over6, Pos: 3, HasPos: true},
		"GET /pls/" + strings.Repeat("ab", 16) + ".pls?tip=1 HTTP/1.0\n\n":                                                  {},
	} {
		if got, path, err := pcp.ParseRequest(lines(t, s)); err != nil || path == "" || got != want {
			t.Errorf("%q is %+v, %q, %v", s, got, path, err)
		}
	}
	for _, s := range []string{"POST / HTTP/1.0\r\n\r\n", "GET /\r\n\r\n", "GET x HTTP/1.0\r\n\r\n", "GET / RTSP/1.0\r\n\r\n", "GET /channel/0 HTTP/1.0\r\n\r\n"} {
		if _, _, err := pcp.ParseRequest(lines(t, s)); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}

func TestAnswers(t *testing.T) {
	full := pcp.Answer{Status: 503, PCP: true, Agent: "relay"}
	for s, want := range map[string]pcp.Answer{
		string(full.Append(nil)): full,
		"HTTP/1.0 200 OK\r\nx-peercast-pos:7\r\nContent-Type:application/x-peercast-pcp\r\n\r\n": {Status: 200, Pos: 7, HasPos: true, PCP: true},
		"HTTP/1.1 404 Not Found\n\n": {Status: 404},
	} {
		if got, err := pcp.ParseAnswer(lines(t, s)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"ICY 200 OK\r\n\r\n", "HTTP/1.0 abc\r\n\r\n", "HTTP/1.0\r\n\r\n", "HTTP/1.0 20\r\n\r\n"} {
		if _, err := pcp.ParseAnswer(lines(t, s)); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}

func TestLinesAreBounded(t *testing.T) {
	for name, s := range map[string]string{"one line": "GET /" + strings.Repeat("a", 1<<20), "many": strings.Repeat("a: b\r\n", 1<<10)} {
		_, err := pcp.ReadLines(bufio.NewReader(strings.NewReader(s)))
		if e, ok := errors.AsType[*pcp.Error](err); !ok || e.Why != pcp.LongHead {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLinks(t *testing.T) {
	at := netip.MustParseAddrPort("[2001:db8::1]:7144")
	for s, host := range map[string]string{
		pcp.Link(at, id(0xab)):                                           "[2001:db8::1]:7144",
		"pcp://example.org/" + strings.Repeat("ab", 16):                  "example.org:7144",
		"PCP://example.org:1/channel/" + strings.Repeat("ab", 16) + "?x": "example.org:1",
	} {
		if got, c, err := pcp.ParseLink(s); err != nil || got != host || c != id(0xab) {
			t.Errorf("%s is %s, %s, %v", s, got, c, err)
		}
	}
	for _, s := range []string{"", "pcp://", "http://a/" + channelHex, "pcp://a/", "pcp://a:0/" + channelHex, "pcp://a:70000/" + channelHex, "pcp://a/" + channelHex + "/x"} {
		if host, c, err := pcp.ParseLink(s); err == nil {
			t.Errorf("%q is %s, %s", s, host, c)
		}
	}
}
