package rtspout

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/playback"
)

// asker is a player of a few lines.
type asker struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
	n    int
}

func (s *source) ask(t *testing.T) *asker {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	return &asker{t: t, conn: conn, r: bufio.NewReader(conn)}
}

// asks sends a request and returns the answer's status, headers and body.
func (a *asker) asks(method, url string, headers ...string) (status, head, body string) {
	a.t.Helper()
	a.says(method, url, headers...)
	return a.answer()
}

func (a *asker) says(method, url string, headers ...string) {
	a.n++
	fmt.Fprintf(a.conn, "%s %s RTSP/1.0\r\nCSeq: %d\r\n%s\r\n", method, url, a.n, strings.Join(append(headers, ""), "\r\n"))
}

func (a *asker) answer() (status, head, body string) {
	a.t.Helper()
	for {
		if b, err := a.r.Peek(4); err == nil && b[0] == '$' {
			a.r.Discard(4 + int(b[2])<<8 + int(b[3]))
			continue
		}
		line, err := a.r.ReadString('\n')
		if err != nil {
			a.t.Fatal(err)
		}
		status, ok := strings.CutPrefix(strings.TrimSpace(line), "RTSP/1.0 ")
		if !ok {
			a.t.Fatalf("an answer begins with %q", line)
		}
		length := 0
		for {
			line, err := a.r.ReadString('\n')
			if err != nil {
				a.t.Fatal(err)
			}
			if line == "\r\n" {
				break
			}
			head += line
			fmt.Sscanf(line, "Content-Length: %d", &length)
		}
		b := make([]byte, length)
		if _, err := io.ReadFull(a.r, b); err != nil {
			a.t.Fatal(err)
		}
		return status, head, string(b)
	}
}

// began is a source with a second of pictures and sound.
func began(t *testing.T, change ...func(*playback.Config)) (*source, []flv.Tag) {
	t.Helper()
	tags := clip(t, played[0].args)
	s := start(t, change...)
	s.write(tags...)
	return s, tags
}

const inConnection = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"

func TestAPlayerIsToldOfTheStreamAndGetsIt(t *testing.T) {
	t.Parallel()
	s, tags := began(t)
	a := s.ask(t)
	if status, head, _ := a.asks("OPTIONS", s.url()); status != "200 OK" || !strings.Contains(head, "DESCRIBE, SETUP, PLAY") || !strings.Contains(head, "CSeq: 1\r\n") {
		t.Error(status, head)
	}
	_, head, sdp := a.asks("DESCRIBE", s.url()+"?start=gop")
	for _, want := range []string{"a=rtpmap:96 H264/90000\r\n", "packetization-mode=1;profile-level-id=42C01E;sprop-parameter-sets=Z0", "a=rtpmap:97 mpeg4-generic/48000/1\r\n", "config=", "a=control:trackID=1\r\n"} {
		if !strings.Contains(sdp, want) {
			t.Errorf("no %q in %s", want, sdp)
		}
	}
	base := s.url() + "?start=gop/"
	if !strings.Contains(head, "Content-Base: "+base+"\r\n") {
		t.Error(head)
	}
	if status, head, _ := a.asks("SETUP", base+"trackID=1", "Transport: RTP/AVP;unicast;client_port=9-10,RTP/AVP/TCP;unicast;interleaved=6-7"); status != "200 OK" || !strings.Contains(head, "interleaved=0-1") {
		t.Error(status, head)
	}
	if status, _, _ := a.asks("SETUP", base+"trackID=0", "Transport: RTP/AVP;unicast;client_port=5000-5001"); status != noTransport {
		t.Error(status)
	}
	if status, head, _ := a.asks("SETUP", base+"trackID=0", inConnection); status != "200 OK" || !strings.Contains(head, "interleaved=2-3") || !strings.Contains(head, ";timeout=60") {
		t.Error(status, head)
	}
	if status, _, _ := a.asks("PLAY", base); status != "200 OK" {
		t.Error(status)
	}
	seen := map[byte]int{}
	for len(seen) < 4 || seen[2] < 50 {
		b, err := a.r.Peek(4)
		if err != nil || b[0] != '$' {
			t.Fatal(seen, b, err)
		}
		seen[b[1]]++
		a.r.Discard(4 + int(b[2])<<8 + int(b[3]))
	}
	// What is asked meanwhile is answered between packets, and reports are read.
	a.conn.Write(append([]byte("$\x01\x00\x08"), make([]byte, 8)...))
	for method, want := range map[string]string{"GET_PARAMETER": ok, "PAUSE": noPause, "PLAY": ok, "SETUP": "455 Method Not Valid in This State"} {
		a.says(method, base)
		answered := make(chan struct{})
		go func() { // it is answered with what comes next, until it is
			for {
				select {
				case <-answered:
					answered <- struct{}{}
					return
				case <-time.After(5 * time.Millisecond):
					s.write(tags[len(tags)-1])
				}
			}
		}()
		if status, _, _ := a.answer(); status != want {
			t.Errorf("%s: %s", method, status)
		}
		answered <- struct{}{}
		<-answered
	}
	s.watched(1)
	if status, _, _ := a.asks("TEARDOWN", base); status != "200 OK" {
		t.Error(status)
	}
	s.watched(0)
	if _, err := a.r.ReadByte(); err != io.EOF {
		t.Error(err)
	}
}

func TestWhoIsRefusedIsToldInWords(t *testing.T) {
	t.Parallel()
	s, _ := began(t, func(c *playback.Config) { c.MaxViewers = 1 })
	for _, c := range []struct{ method, url, headers, want string }{
		{"ANNOUNCE", s.url(), "", noPublishing},
		{"RECORD", s.url(), "", noPublishing},
		{"DESCRIBE", "rtsp://" + s.addr + "/nothing", "", noChannel},
		{"DESCRIBE", "rtsp://" + s.addr + "/", "", noChannel},
		{"DESCRIBE", "nonsense", "", badRequest},
		{"DESCRIBE", "rtsp:///x", "", badRequest},
		{"SETUP", s.url() + "/trackID=2", inConnection, noTrack},
		{"SETUP", s.url(), inConnection, noTrack},
		{"SETUP", s.url() + "/trackID=-1", inConnection, badRequest},
		{"SETUP", s.url() + "/trackID=0", "", noTransport},
		{"SETUP", s.url() + "/trackID=0", "Transport: RTP/AVP;multicast", noTransport},
		{"SETUP", s.url() + "/trackID=0", "Transport: RTP/AVP;unicast;client_port=53-54", noTransport},
		{"SETUP", s.url() + "/trackID=0", "Transport: RTP/AVP/TCP;unicast;mode=record", noTransport},
		{"PLAY", s.url(), "", notSetUp},
		{"REDIRECT", s.url(), "", "501 Not Implemented"},
	} {
		if status, _, _ := s.ask(t).asks(c.method, c.url, c.headers); status != c.want {
			t.Errorf("%s %s %s: %s, want %s", c.method, c.url, c.headers, status, c.want)
		}
	}
	play := func() string {
		a := s.ask(t)
		a.asks("SETUP", s.url()+"/trackID=0", inConnection)
		status, _, _ := a.asks("PLAY", s.url())
		return status
	}
	if status := play(); status != "200 OK" {
		t.Error(status)
	}
	if status := play(); status != noRoom {
		t.Error(status)
	}
	if n := s.server.Refused(); n[RefusedPublish] != 2 || n[RefusedStream] < 8 {
		t.Error(n)
	}
}

func TestWhoMayNotWatchOverHTTPMayNotHere(t *testing.T) {
	t.Parallel()
	s, _ := began(t, func(c *playback.Config) { c.Near = func(netip.Addr) bool { return false } })
	if status, _, _ := s.ask(t).asks("DESCRIBE", s.url()); !strings.HasPrefix(status, "403 This node plays only for") {
		t.Error(status)
	}
	if status, _, _ := s.ask(t).asks("SETUP", s.url()+"/trackID=0", inConnection); !strings.HasPrefix(status, "403 This node plays only for") {
		t.Error(status)
	}
}

// What is no RTSP is told so at once, in the words of what it is.
func TestOtherProtocolsAreTold(t *testing.T) {
	t.Parallel()
	s := start(t)
	for said, want := range map[string]string{
		"GET / HTTP/1.1\r\n":                                               "HTTP/1.1 400 ",
		"\x16\x03\x01\x02\x00\n":                                           "RTSP/1.0 400 ",
		strings.Repeat("x", bufferSize+1):                                  "RTSP/1.0 400 ",
		"OPTIONS * RTSP/1.0\r\nContent-Length: 9999999\r\n\r\n":            "RTSP/1.0 400 ",
		"OPTIONS * RTSP/1.0\r\n" + strings.Repeat("A: b\r\n", linesMost+1): "RTSP/1.0 400 ",
	} {
		a := s.ask(t)
		io.WriteString(a.conn, said)
		a.conn.(*net.TCPConn).CloseWrite()
		if got, _ := io.ReadAll(a.r); !strings.HasPrefix(string(got), want) {
			t.Errorf("%.30q is answered %.40q", said, got)
		}
	}
}

func TestStrangersMaySayAndAskSoMuch(t *testing.T) {
	t.Parallel()
	s, _ := began(t)
	a := s.ask(t)
	for range strangerAsks {
		a.asks("OPTIONS", "*")
	}
	fmt.Fprintf(a.conn, "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
	if _, err := a.r.ReadByte(); err == nil {
		t.Error("it may ask for ever")
	}
	b := s.ask(t)
	b.asks("SETUP", s.url()+"/trackID=0", inConnection)
	b.asks("PLAY", s.url())
	go io.Copy(b.conn, zeros{}) // ends with the connection
	io.Copy(io.Discard, b.r)
	s.watched(0)
}

// zeros is reports without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return copy(p, "$\x01\x00\x04abcd"), nil }

// A player by UDP that has gone, of which the system says that nobody listens there, has gone.
func TestUDPGoesToNobody(t *testing.T) {
	t.Parallel()
	s, _ := began(t)
	gone, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := gone.LocalAddr().(*net.UDPAddr).Port
	gone.Close()
	a := s.ask(t)
	if status, head, _ := a.asks("SETUP", s.url()+"/trackID=0", fmt.Sprintf("Transport: RTP/AVP;unicast;destination=192.0.2.1;client_port=%d-%d", port, port+1)); status != "200 OK" || strings.Contains(head, "192.0.2.1") {
		t.Fatal(status, head)
	}
	a.asks("PLAY", s.url())
	if _, err := a.r.ReadByte(); err != io.EOF {
		t.Error(err)
	}
	s.watched(0)
}

// FuzzRequest reads what comes in as many pieces as it likes, and never more than a line at once.
func FuzzRequest(f *testing.F) {
	f.Add([]byte("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n$\x01\x00\x02abSETUP rtsp://h/c?start=key/trackID=1 RTSP/1.0\nTransport: RTP/AVP;unicast;client_port=5000-5001\nContent-Length: 2\n\nab"))
	f.Add([]byte("DESCRIBE rtsp://u:p@h/live/c RTSP/1.0\r\nTransport: RTP/AVP/UDP;client_port=65535,RTP/AVP/TCP;interleaved=0-1;mode=\"PLAY\"\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bufio.NewReaderSize(strings.NewReader(string(in)), bufferSize)
		for n := 0; ; n++ {
			q, err := next(r)
			if err != nil {
				return
			}
			if n > len(in) {
				t.Fatal("more requests than bytes")
			}
			for _, s := range []string{q.method, q.url, q.seq, q.transport, q.session} {
				if len(s) > lineMost || strings.ContainsAny(s, "\r\n\x00") {
					t.Fatalf("%q", s)
				}
			}
			if p, ok := parseURL(q.url); ok && (p.host == "" || p.track < -1 || p.track > 255) {
				t.Fatalf("%+v", p)
			}
			if tr, ok := parseTransport(q.transport); ok && tr.udp && (tr.rtp < leastPort || tr.rtcp < leastPort) {
				t.Fatalf("%+v", tr)
			}
		}
	})
}
