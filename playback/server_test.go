package playback

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"relay/ingest/flv"
	"relay/ingest/ingesttest"
	"relay/playback/api"
	"relay/relay/stream"
)

// patience is how long a test waits for what must happen soon.
const patience = time.Minute

// serve runs a server on loopback for the test and returns its address.
func serve(t *testing.T, c Config) string {
	t.Helper()
	addr, stop := serveUntil(t, c)
	t.Cleanup(stop)
	return addr
}

func serveUntil(t *testing.T, c Config) (addr string, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- NewServer(c).Run(ctx, ln) }()
	return ln.Addr().String(), func() {
		t.Helper()
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Error("the server does not end")
		}
	}
}

func list(channels ...*Channel) func() []*Channel {
	return func() []*Channel { return channels }
}

// ask sends a raw request and returns the answer, whose body is read to its end
// only by whoever wants it.
func ask(t *testing.T, addr, request string) (*http.Response, net.Conn) {
	t.Helper()
	conn := dial(t, addr)
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("answer to %q: %v", request, err)
	}
	return resp, conn
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n" }

func readN(t *testing.T, r io.Reader, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatal(err)
	}
	return b
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// eventually waits until ok, which changes on its own.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestViewerGetsHeaderThenMediaFromTheNewestKey(t *testing.T) {
	for name, request := range map[string]string{
		"full ID":      "GET /%s.flv?start=gop HTTP/1.1\r\nHost: 127.0.0.1:7145\r\n\r\n",
		"short ID":     "GET /%.8s.flv?start=gop HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"four letters": "GET /%.4s.flv?start=gop&t=1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"VLC":          "GET /%.8s.flv?start=gop HTTP/1.1\r\nHost: localhost\r\nUser-Agent: VLC/3.0.21\r\nRange: bytes=0-\r\nIcy-MetaData: 1\r\n\r\n",
		"HTTP/1.0":     "GET /%.8s.flv?start=gop HTTP/1.0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource(t, stream.Limits{})
			ts := s.group(s.group(0))
			addr := serve(t, Config{Channels: list(NewChannel(s.id, s.ring, nil))})
			resp, _ := ask(t, addr, fmt.Sprintf(request, s.id))
			if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "video/x-flv" ||
				resp.Header.Get("Cache-Control") != "no-store" || !resp.Close || resp.ContentLength != -1 {
				t.Fatalf("answer %v", resp)
			}
			if resp.ProtoMinor != int(request[strings.Index(request, "HTTP/1.")+7]-'0') {
				t.Errorf("answered in %s", resp.Proto)
			}
			got := readN(t, resp.Body, len(s.sinceKey(1)))
			s.group(ts)
			got = append(got, readN(t, resp.Body, len(s.sinceKey(2))-len(s.payload))...)
			if !bytes.Equal(got, s.sinceKey(1)) {
				t.Fatal("the viewer got something else than was written")
			}
			s.ring.Close()
			if rest := body(t, resp); rest != "" {
				t.Fatalf("%d bytes too many", len(rest))
			}
		})
	}
}

func TestChannelWithoutMediaAnswersAtOnceAndPlaysLater(t *testing.T) {
	s := newSource(t, stream.Limits{})
	addr := serve(t, Config{Channels: list(NewChannel(s.id, s.ring, nil))})
	resp, _ := ask(t, addr, get("/"+s.id.Short()+".flv?start=gop"))
	s.group(0)
	if got := readN(t, resp.Body, len(s.sinceKey(0))); !bytes.Equal(got, s.sinceKey(0)) {
		t.Fatal("the viewer got something else than was written")
	}
}

func TestHeadTellsTheTypeAndEnds(t *testing.T) {
	s := newSource(t, stream.Limits{})
	addr := serve(t, Config{Channels: list(NewChannel(s.id, s.ring, nil))})
	resp, conn := ask(t, addr, "HEAD /"+s.id.String()+".flv HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "video/x-flv" || resp.ContentLength != -1 {
		t.Fatalf("answer %v", resp)
	}
	if b, err := io.ReadAll(conn); len(b) > 0 || err != nil {
		t.Fatalf("%q follows, error %v", b, err)
	}
}

func TestOtherRoutes(t *testing.T) {
	s := newSource(t, stream.Limits{})
	addr := serve(t, Config{Channels: list(NewChannel(s.id, s.ring, nil))})
	for _, tc := range []struct {
		request string
		status  int
		says    string
	}{
		{get("/"), 200, "http://localhost/" + s.id.Short() + ".flv  waiting"},
		{get("/healthz"), 200, "ok\n"},
		{get("/nothing"), 404, "/<channel>.flv"},
		{get("/abcd.flv"), 404, "no such channel"},
		{get("/" + s.id.String()[:3] + ".flv"), 404, "no such channel"},
		{get("/" + s.id.String() + "a.flv"), 404, "no such channel"},
		{get("/.flv"), 404, "no such channel"},
		{get("/" + s.id.Short() + ".flv?start=fast"), 400, "squash, gop and key"},
		{get("/" + s.id.Short() + ".m3u"), 200, "\nhttp://localhost/" + s.id.Short() + ".ts\n"},
		{get("/abcd.m3u"), 404, "no such channel"},
		{get("/" + s.id.Short() + ".jpg"), 404, "--thumbnails"},
		{get("/hls/abcd/index.m3u8"), 404, "no such channel"},
		{get("/hls/" + s.id.Short() + "/"), 404, "/hls/" + s.id.Short() + "/index.m3u8"},
		{get("/hls/" + s.id.Short() + "/a/b"), 404, "/hls/" + s.id.Short() + "/index.m3u8"},
		{get("/../../etc/passwd"), 404, "no such page"},
		{get("/%2e%2e%2f.flv"), 404, "no such channel"},
		{"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 403, "host name"},
		{"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, "host name"},
		{"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405, "Only GET and HEAD"},
		{"GET / HTTP/1.1\r\n\r\n", 400, "missing required Host"},
		{"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, ""},
		{"nonsense\r\n\r\n", 400, ""},
		{"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 505, ""},
		{"GET /" + strings.Repeat("a", 2*maxRequestHeader) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 431, ""},
	} {
		resp, _ := ask(t, addr, tc.request)
		if text := body(t, resp); resp.StatusCode != tc.status || !strings.Contains(text, tc.says) {
			t.Errorf("%.60q: %d %q, want %d with %q", tc.request, resp.StatusCode, text, tc.status, tc.says)
		}
		if resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%.60q: pages of other sites may read the answer", tc.request)
		}
	}
}

// unusualHeader is the header of a stream that nothing but FLV carries.
func unusualHeader() []byte {
	var h flv.Header
	for _, tag := range []flv.Tag{
		flv.NewTag(flv.Video, 0, []byte{0x90, 'v', 'v', 'c', '1', 1, 2, 3}), // an enhanced sequence start
		aacConfig(0),
	} {
		h.Add(tag, flv.Classify(tag))
	}
	return h.Payload()
}

func TestFormatThatCannotCarryTheStreamNamesOneThatCan(t *testing.T) {
	s := newSource(t, stream.Limits{})
	if err := s.writer.SetHeader(unusualHeader()); err != nil {
		t.Fatal(err)
	}
	addr := serve(t, Config{Channels: list(NewChannel(s.id, s.ring, nil))})
	for _, path := range []string{"/" + s.id.Short() + ".mp4", "/" + s.id.Short() + ".ts", "/hls/" + s.id.Short() + "/index.m3u8"} {
		resp, _ := ask(t, addr, get(path))
		text := body(t, resp)
		if resp.StatusCode != http.StatusUnsupportedMediaType || !strings.Contains(text, "vvc") || !strings.Contains(text, "http://localhost/"+s.id.Short()+".flv") {
			t.Errorf("%s: %d %q", path, resp.StatusCode, text)
		}
	}
}

// An old file says nothing of its codecs but in its frames.
func TestOldCodecsAreRefusedInWords(t *testing.T) {
	var empty flv.Header
	for codec, frames := range map[string][]flv.Tag{
		"h263":       {flv.NewTag(flv.Video, 0, []byte{0x12, 0, 0, 0x84})}, // Sorenson's, FLV1
		"vp6":        {flv.NewTag(flv.Video, 0, []byte{0x14, 0, 0x78, 0x46})},
		"vp6a":       {flv.NewTag(flv.Video, 0, []byte{0x15, 0, 0, 0, 0, 0x78})},
		"flashsv":    {flv.NewTag(flv.Video, 0, []byte{0x13, 0x10, 0, 0x10, 0})},
		"speex":      {flv.NewTag(flv.Audio, 0, []byte{0xb2, 1, 2}), flv.NewTag(flv.Audio, 20, []byte{0xb2, 1, 2})},
		"nellymoser": {flv.NewTag(flv.Audio, 0, []byte{0x52, 1, 2})},
	} {
		s := newSource(t, stream.Limits{})
		if err := s.writer.SetHeader(empty.Payload()); err != nil {
			t.Fatal(err)
		}
		for _, tag := range frames {
			s.write(tag, stream.StartHere|stream.EndsChunk)
		}
		addr := serve(t, Config{Channels: list(NewChannel(s.id, s.ring, nil))})
		for _, path := range []string{"/" + s.id.Short() + ".mp4", "/" + s.id.Short() + ".ts", "/hls/" + s.id.Short() + "/index.m3u8"} {
			resp, _ := ask(t, addr, get(path))
			text := body(t, resp)
			if resp.StatusCode != http.StatusUnsupportedMediaType || !strings.Contains(text, codec+" cannot go into") || !strings.Contains(text, "VLC") {
				t.Errorf("%s, %s: %d %q", codec, path, resp.StatusCode, text)
			}
		}
	}
}

func TestHLSEndsWhenNobodyAsksAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{}) // which sends nothing
		c := NewChannel(s.id, s.ring, nil)
		routes := &routes{NewServer(Config{Channels: list(c), MaxViewers: 1}), t.Context()}
		run, _, _ := routes.runOf(hlsOf{channel: c}, netip.Addr{})
		if run == nil {
			t.Fatal("there is no room for the first viewer")
		}
		if again, _, _ := routes.runOf(hlsOf{channel: c}, netip.Addr{}); again != run {
			t.Error("who comes second gets another run")
		}
		for range int(hlsIdle / time.Second) {
			time.Sleep(time.Second)
			run.asked.Store(int64(time.Since(run.since)))
		}
		if c.Viewers() != 1 {
			t.Errorf("%d viewers while it is asked for", c.Viewers())
		}
		time.Sleep(hlsIdle + 2*time.Second)
		synctest.Wait()
		if c.Viewers() != 0 || len(routes.runs.of) != 0 {
			t.Errorf("%d viewers, %d runs after nobody has asked for a while", c.Viewers(), len(routes.runs.of))
		}
		if leave, _ := routes.places.take(netip.Addr{}, true); leave == nil {
			t.Error("its place is not free")
		}
	})
}

// demoClip returns the tags of the bundled clip: 8 s of H.264 with a key frame every 2 s, AAC.
func demoClip(t *testing.T) []flv.Tag {
	return ingesttest.ReadFile(t, filepath.Join("..", "cli", "demo", "demo.flv"))
}

// TestHLSEndsWithItsChannel has a channel fall silent, come back within a minute, fall silent for
// longer, and come back once more.
func TestHLSEndsWithItsChannel(t *testing.T) {
	tags := demoClip(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		var quiet atomic.Int64 // since when, Unix nanoseconds
		c := NewChannel(s.id, s.ring, func() api.Facts {
			return api.Facts{Attached: true, Came: s.ring.Came(), Quiet: time.Since(time.Unix(0, quiet.Load()))}
		})
		routes := &routes{NewServer(Config{Channels: list(c)}), t.Context()}
		send := func(from uint32) {
			s.clip(tags, from, func(uint32) {})
			quiet.Store(time.Now().UnixNano())
			time.Sleep(2 * hlsQuiet)
			synctest.Wait()
		}
		list := func() string {
			w := httptest.NewRecorder()
			routes.hls(w, httptest.NewRequestWithContext(t.Context(), "GET", hlsPrefix+s.id.Short()+"/index.m3u8", nil))
			return w.Body.String()
		}
		wait := func(d time.Duration) {
			for began := time.Now(); time.Since(began) < d; time.Sleep(time.Second) {
				list()
			}
		}
		quiet.Store(time.Now().UnixNano())
		first := make(chan string, 1)
		go func() { first <- list() }()
		time.Sleep(hlsIdle + 10*time.Second) // who waits for the beginning asks all the while
		send(0)
		if l := <-first; !strings.Contains(l, "#EXTINF") {
			t.Errorf("who has waited for long gets %q", l)
		}
		if l := list(); strings.Count(l, "#EXTINF:2.") < 4 || strings.Contains(l, "ENDLIST") {
			t.Errorf("the last segment of a channel that is silent for a while:\n%s", l)
		}
		wait(30 * time.Second)
		send(60_000)
		if l := list(); strings.Contains(l, "ENDLIST") {
			t.Errorf("it has come back after half a minute:\n%s", l)
		}
		wait(2 * time.Minute)
		if l := list(); !strings.Contains(l, "ENDLIST") || c.Viewers() != 0 {
			t.Errorf("nothing has come for two minutes, %d viewers:\n%s", c.Viewers(), l)
		}
		send(300_000)
		if l := list(); l == "" || strings.Contains(l, "ENDLIST") || c.Viewers() != 1 {
			t.Errorf("it has come back, %d viewers:\n%s", c.Viewers(), l)
		}
		time.Sleep(hlsIdle + 2*time.Second)
		synctest.Wait()
		if n := len(routes.runs.of); n != 0 {
			t.Errorf("%d runs are left", n)
		}
	})
}

func TestHLSCountsWhatIsSentToAllWhoAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		c := NewChannel(s.id, s.ring, nil)
		routes := &routes{NewServer(Config{Channels: list(c)}), t.Context()}
		run, _, _ := routes.runOf(hlsOf{channel: c}, netip.Addr{})
		run.out.Close() // so that there is an answer, if a short one
		sent := 0
		for range 3 {
			w := httptest.NewRecorder()
			routes.hls(w, httptest.NewRequest("GET", hlsPrefix+s.id.Short()+"/index.m3u8", nil))
			sent += w.Body.Len()
		}
		synctest.Wait()
		if v := c.Status("").Viewers; len(v) != 1 || v[0].Addr != "HLS" || v[0].Bytes != uint64(sent) || sent == 0 {
			t.Errorf("the status shows %+v, want one viewer with %d bytes", v, sent)
		}
		time.Sleep(hlsIdle + 2*time.Second)
		synctest.Wait()
		if got := c.sent(); got != uint64(sent) {
			t.Errorf("%d bytes in all, want %d", got, sent)
		}
	})
}

func TestNameThatFitsTwoChannelsIsRefused(t *testing.T) {
	a, b := stream.ChannelID{1, 2, 3}, stream.ChannelID{1, 2, 4}
	ring := stream.NewRing(stream.Limits{})
	channels := []*Channel{NewChannel(a, ring, nil), NewChannel(b, ring, nil)}
	_, err := find(channels, a.String()[:4])
	if want := "More than one channel here begins like that: " + a.Short() + ", " + b.Short() + "."; !errors.Is(err, ErrNoChannel) || err.Error() != want {
		t.Errorf("an ambiguous name: %v, want %s", err, want)
	}
	if c, err := find(channels, strings.ToUpper(b.Short())); err != nil || c != channels[1] {
		t.Error("a name that fits one channel did not find it")
	}
}

func TestStatusTellsWhatTheRingAndTheViewersShow(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.group(0)
	parent := &api.Peer{ID: "p", Addr: "10.0.0.1:7144"}
	c := NewChannel(s.id, s.ring, func() api.Facts {
		return api.Facts{Came: s.ring.Came(), Depth: 2, Path: []string{"r", "p", "n"}, Parent: parent, Delay: 42 * time.Millisecond}
	})
	addr := serve(t, Config{
		Channels: list(c),
		Node:     func() api.Node { return api.Node{ID: "n", Version: "1", UptimeS: 5} },
	})
	viewer, _ := ask(t, addr, get("/"+s.id.Short()+".flv?start=gop"))
	readN(t, viewer.Body, len(s.sinceKey(0)))

	var st api.Status
	eventually(t, "the viewer's bytes show", func() bool {
		resp, _ := ask(t, addr, "GET /api/v1/status HTTP/1.1\r\nHost: localhost:7145\r\nConnection: close\r\n\r\n")
		st = api.Status{}
		if err := json.NewDecoder(resp.Body).Decode(&st); err != nil {
			t.Fatal(err)
		}
		return st.Channels[0].Viewers[0].Bytes > uint64(len(s.sinceKey(0)))
	})
	ch := st.Channels[0]
	if !reflect.DeepEqual(st.Node, api.Node{ID: "n", Version: "1", UptimeS: 5}) || ch.ID != s.id.String() || ch.Name != s.id.Short() ||
		ch.URL != "http://localhost:7145/"+s.id.Short()+".flv" {
		t.Errorf("node %+v, channel %q %q %q", st.Node, ch.ID, ch.Name, ch.URL)
	}
	if ch.State != api.Reconnecting || ch.Depth != 2 || len(ch.Path) != 3 || *ch.Parent != *parent || ch.Children == nil || ch.DelayMs != 42 {
		t.Errorf("%+v", ch)
	}
	if ch.Codec.Video != "h264" || ch.Codec.Audio != "aac" {
		t.Errorf("codec %+v", ch.Codec)
	}
	if n := len(s.chunks()); ch.Chunks.Received != uint64(n) || ch.Ring.Held != n || ch.Ring.Bytes == 0 {
		t.Errorf("chunks %+v, ring %+v, want %d of them", ch.Chunks, ch.Ring, n)
	}
	if ch.ViewerCount != 1 || ch.Viewers[0].Addr == "" || ch.Viewers[0].Since.IsZero() {
		t.Errorf("viewers %+v", ch.Viewers)
	}
}

func TestViewersAreBounded(t *testing.T) {
	s := newSource(t, stream.Limits{})
	addr := serve(t, Config{Channels: list(NewChannel(s.id, s.ring, nil)), MaxViewers: 2})
	_, first := ask(t, addr, get("/"+s.id.Short()+".flv?start=gop"))
	ask(t, addr, get("/"+s.id.Short()+".flv?start=gop"))
	resp, _ := ask(t, addr, get("/"+s.id.Short()+".flv?start=gop"))
	if text := body(t, resp); resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "as many viewers") {
		t.Fatalf("the third viewer got %d %q", resp.StatusCode, text)
	}
	first.Close()
	eventually(t, "the place is free again", func() bool {
		resp, conn := ask(t, addr, get("/"+s.id.Short()+".flv?start=gop"))
		if resp.StatusCode != http.StatusOK {
			conn.Close()
		}
		return resp.StatusCode == http.StatusOK
	})
}

func TestConnectionsThatAskForNothingAreBounded(t *testing.T) {
	addr := serve(t, Config{})
	var silent []net.Conn
	for range maxRequests {
		silent = append(silent, dial(t, addr))
	}
	refused := dial(t, addr)
	if _, err := refused.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("one connection too many was kept, error %v", err)
	}
	for _, conn := range silent {
		conn.Close()
	}
	eventually(t, "there is room again", func() bool {
		conn := dial(t, addr)
		io.WriteString(conn, get("/healthz"))
		_, err := conn.Read(make([]byte, 1))
		conn.Close()
		return err == nil
	})
}

func TestServerEndsItsViewers(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.group(0)
	c := NewChannel(s.id, s.ring, nil)
	addr, stop := serveUntil(t, Config{Channels: list(c)})
	_, idle := ask(t, addr, get("/"+s.id.Short()+".flv?start=gop"))
	dial(t, addr) // has not asked for anything yet
	stop()
	if n := c.Viewers(); n != 0 {
		t.Fatalf("%d viewers are left", n)
	}
	if _, err := io.Copy(io.Discard, idle); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Fatal(err)
	}
}

func TestServerFailsWithItsListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := NewServer(Config{}).Run(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("error %v, want %v", err, net.ErrClosed)
	}
}
