package hostile

import (
	"fmt"
	"strings"

	"relay/relay/stream"
)

// rtsp is a request, with further lines of its head.
func rtsp(method, url string, lines ...string) string {
	return method + " " + url + " RTSP/1.0\r\n" + strings.Join(append([]string{"CSeq: 1"}, append(lines, "\r\n")...), "\r\n")
}

// RTSPInConnection asks for a track in the connection.
const RTSPInConnection = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"

// RTSPPlay asks for a channel, as an honest player does that has been told of it.
func RTSPPlay(ch stream.ChannelID, at string) []byte {
	url := "rtsp://" + at + "/" + ch.String()
	return []byte(rtsp("SETUP", url, RTSPInConnection) + rtsp("PLAY", url))
}

// rtspTable is what strangers send to a port at which players play over RTSP.
func rtspTable(ch stream.ChannelID) Table {
	t := Table{Port: RTSP, Why: map[string]string{}}
	add := func(name, why, says string, b ...any) {
		t.Inputs = append(t.Inputs, Input{Name: name, Bytes: cat(b...), Want: Refused, Says: says})
		t.Why[name] = why
	}
	url := "rtsp://127.0.0.1/" + ch.String()
	bad := "RTSP/1.0 400"
	t.Inputs = append(t.Inputs,
		Input{Name: "half a request", Bytes: []byte("OPTIONS * RT"), Want: Ended},
		Input{Name: "half a head", Bytes: []byte("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n"), Want: Ended},
		Input{Name: "half a packet", Bytes: []byte("$\x00\xff\xff"), Want: Ended},
		Input{Name: "half a body", Bytes: []byte(rtsp("SET_PARAMETER", url, "Content-Length: 4096")), Want: Ended},
		Input{Name: "a player that has enough", Bytes: []byte(rtsp("TEARDOWN", url)), Want: Served, Says: "RTSP/1.0 200"},
	)
	add("nothing", "silent", "")
	add("one byte", "slow", "", "O")
	add("packets in place of a request, without end", "garbage", "", strings.Repeat("$\x01\x00\x04abcd", 9000))
	add("a page", "protocol", "HTTP/1.1 400", "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	add("HTTP for a tunnel", "protocol", "HTTP/1.1 400", "POST /x HTTP/1.0\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\n")
	add("TLS", "protocol", bad, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", rep(7, 501), "\r\n")
	add("RTMP", "protocol", bad, "\x03", rep(0, 8), "\r\n")
	add("SIP", "protocol", bad, "OPTIONS sip:a SIP/2.0\r\n\r\n")
	add("an answer", "protocol", bad, "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n")
	add("a request of one word", "protocol", bad, "OPTIONS\r\n\r\n")
	add("a request of four words", "protocol", bad, "OPTIONS a b RTSP/1.0\r\n\r\n")
	add("a zero in a header", "protocol", bad, rtsp("OPTIONS", "*", "X: a\x00b"))
	add("a line without an end", "garbage", bad, strings.Repeat("x", 8<<10))
	add("a head without an end", "garbage", bad, "OPTIONS * RTSP/1.0\r\n", strings.Repeat("X: y\r\n", 4000))
	add("a URL of 8 KiB", "garbage", bad, rtsp("DESCRIBE", "rtsp://a/"+strings.Repeat("a", 8<<10)))
	add("empty lines without an end", "protocol", bad, strings.Repeat("\r\n", 8<<10))
	add("a body of 2 GB", "garbage", bad, rtsp("SET_PARAMETER", url, "Content-Length: 2147483647"))
	add("a body of less than nothing", "protocol", bad, rtsp("SET_PARAMETER", url, "Content-Length: -1"))
	add("a body of 10^30", "protocol", bad, rtsp("SET_PARAMETER", url, "Content-Length: 1"+strings.Repeat("0", 30)))
	add("a hundred questions", "garbage", "RTSP/1.0 200", strings.Repeat(rtsp("OPTIONS", "*"), 100))
	add("a stream to publish", "publish", "RTSP/1.0 405", rtsp("ANNOUNCE", url, "Content-Type: application/sdp", "Content-Length: 5"), "v=0\r\n")
	add("a recording", "publish", "RTSP/1.0 405", rtsp("RECORD", url))
	refused := func(name, says string, b ...any) { add(name, "stream", "RTSP/1.0 "+says, b...) }
	refused("a channel that is not there", "404", rtsp("DESCRIBE", "rtsp://127.0.0.1/"+strings.Repeat("a", 52)))
	refused("no channel", "404", rtsp("DESCRIBE", "rtsp://127.0.0.1/"))
	refused("a path upwards", "404", rtsp("DESCRIBE", "rtsp://127.0.0.1/../../etc/passwd"))
	refused("an address without a host", "400", rtsp("DESCRIBE", "rtsp:///"+ch.String()))
	refused("an address of something else", "400", rtsp("DESCRIBE", "file:///etc/passwd"))
	refused("a track that is not there", "404", rtsp("SETUP", url+"/trackID=7", RTSPInConnection))
	refused("a track of 10^30", "400", rtsp("SETUP", url+"/trackID=1"+strings.Repeat("0", 30), RTSPInConnection))
	refused("a track twice", "404", strings.Repeat(rtsp("SETUP", url, RTSPInConnection), 2))
	refused("to play without a track", "455", rtsp("PLAY", url))
	refused("a start that is not there", "403", rtsp("SETUP", url+"?start=tomorrow", RTSPInConnection), rtsp("PLAY", url))
	refused("another channel than was set up", "459", rtsp("SETUP", url, RTSPInConnection), rtsp("DESCRIBE", url))
	for name, how := range map[string]string{
		"by multicast": "RTP/AVP;multicast", "to record": "RTP/AVP/TCP;unicast;mode=record", "to DNS": "RTP/AVP;unicast;client_port=53-54",
		"to port 0": "RTP/AVP;unicast;client_port=0-1", "to port 99999": "RTP/AVP;unicast;client_port=99999-100000", "encrypted": "RTP/SAVP;unicast;client_port=5000-5001",
		"in a way nobody knows": strings.Repeat("RAW/RAW/UDP;unicast,", 90), "in no way": "",
	} {
		add("a track "+name, "slow", "RTSP/1.0 461", rtsp("SETUP", url, "Transport: "+how))
	}
	add("a track for somebody else, and then nothing", "slow", "client_port=5000-5001;server_port=", rtsp("SETUP", url, "Transport: RTP/AVP;unicast;destination=192.0.2.1;client_port=5000-5001"))
	add("what nobody knows, and then nothing", "slow", "RTSP/1.0 501", rtsp("DANCE", url))
	add("a pause, and then nothing", "slow", "RTSP/1.0 501", rtsp("PAUSE", url))
	t.Inputs = append(t.Inputs, Input{
		Name: "a player that says more than it has to say", Bytes: cat(RTSPPlay(ch, "127.0.0.1"), strings.Repeat("$\x01\x00\x04abcd", 20_000)), Want: Served, Says: "RTSP/1.0 200",
	}, Input{
		Name: "a player that asks and does not read", Bytes: cat(RTSPPlay(ch, "127.0.0.1"), strings.Repeat(rtsp("GET_PARAMETER", url), 1000)), Want: Served, Says: "RTSP/1.0 200",
	})
	for i, n := range []int{0, 1, 11, 65535} {
		t.Inputs = append(t.Inputs, Input{Name: fmt.Sprintf("a packet of %d bytes, and an end", n), Bytes: cat("$\x00", []byte{byte(n >> 8), byte(n)}, rep(byte(i), n), rtsp("TEARDOWN", "*")), Want: map[bool]Want{true: Served, false: Refused}[n < 60000]})
	}
	return t
}
