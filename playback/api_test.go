package playback

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/playback/api"
	"relay/relay/refusal"
	"relay/relay/stream"
)

// answer is what the server says to a client at addr, without a network.
func answer(t *testing.T, s *Server, addr, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host, r.RemoteAddr = "192.168.1.20:7145", addr
	w := httptest.NewRecorder()
	s.handler(context.Background()).ServeHTTP(w, r)
	return w
}

func TestChannelsNameNoAddressAndNoWholeNode(t *testing.T) {
	s := newSource(t, stream.Limits{})
	var h flv.Header
	for _, tag := range []flv.Tag{flv.NewTag(flv.Script, 0, flv.SetTitle(nil, "A <b>title</b>")), avcConfig(0, "x"), aacConfig(0)} {
		h.Add(tag, flv.Classify(tag))
	}
	if err := s.writer.SetHeader(h.Payload()); err != nil {
		t.Fatal(err)
	}
	s.group(0)
	parent := strings.Repeat("p", 52)
	child := api.Child{Peer: api.Peer{ID: strings.Repeat("k", 52), Addr: "10.9.9.9:7144"}}
	c := NewChannel(s.id, s.ring, func() api.Facts {
		return api.Facts{Came: time.Now(), Attached: true, Depth: 2, Path: []string{"r", parent}, Parent: &api.Peer{ID: parent, Addr: "10.0.0.1:7144"}, ParentTag: parent[:12], Children: []api.Child{child}, Delay: 42 * time.Millisecond}
	})
	link := func(id stream.ChannelID, host string) string { return "relay://" + id.Short() + "@" + host }
	over := func(scheme string) func(string) string {
		return func(host string) string { return scheme + "://" + host }
	}
	w := answer(t, NewServer(Config{Channels: list(c), Link: link, RTMP: over("rtmp"), RTSP: over("rtsp"), SRT: over("srt")}), "192.168.1.7:50000", "/api/v1/channels")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	text := w.Body.String()
	var got api.Channels
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Channels) != 1 {
		t.Fatalf("%v in %s", err, text)
	}
	base := "http://192.168.1.20:7145/"
	name := s.id.Short()
	want := api.PublicChannel{
		Channel: api.Channel{
			ID: s.id.String(), Name: name, Title: "A <b>title</b>", State: api.Live, Situation: api.Situation{Name: api.OnAir}, Codec: CodecOf(c.media()), BitRate: c.ring.Stats().BitRate,
			DelayMs: 42, Depth: 2,
		},
		Parent: parent[:12], Children: 1,
		URLs: api.URLs{
			FLV: base + name + ".flv", MP4: base + name + ".mp4", TS: base + name + ".ts",
			HLS: base + "hls/" + name + "/index.m3u8", M3U: base + name + ".m3u", Page: base + "#" + name,
			RTMP: "rtmp://192.168.1.20:7145/" + name, RTSP: "rtsp://192.168.1.20:7145/" + name, SRT: "srt://192.168.1.20:7145?streamid=read:" + name,
			Link: "relay://" + name + "@192.168.1.20:7145",
		},
	}
	if !reflect.DeepEqual(got.Channels[0], want) || want.Codec.Video != "h264" {
		t.Errorf("%+v\nwant %+v", got.Channels[0], want)
	}
	for _, secret := range []string{parent, parent[:13], child.ID[:12], "10.0.0.1", "10.9.9.9"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in %s", secret, text)
		}
	}
}

func TestStatusIsForThisMachineAlone(t *testing.T) {
	s := NewServer(Config{})
	for addr, want := range map[string]int{
		"127.0.0.1:50000":          http.StatusOK,
		"[::1]:50000":              http.StatusOK,
		"[::ffff:127.0.0.1]:50000": http.StatusOK,
		"192.168.1.20:50000":       http.StatusForbidden,
		"[fe80::1%eth0]:50000":     http.StatusForbidden,
		"@":                        http.StatusForbidden,
	} {
		if w := answer(t, s, addr, "/api/v1/status"); w.Code != want {
			t.Errorf("status asked from %s: %d, want %d", addr, w.Code, want)
		}
		for _, path := range []string{"/api/v1/channels", "/api/v1/tree", "/healthz"} {
			if w := answer(t, s, addr, path); w.Code != http.StatusOK {
				t.Errorf("%s asked from %s: %d", path, addr, w.Code)
			}
		}
	}
	for _, gone := range []string{"/api/status", "/api/tree", "/api/tree?channel=abcd"} {
		name, _, _ := strings.Cut(strings.TrimPrefix(gone, "/api/"), "?")
		if w := answer(t, s, "127.0.0.1:1", gone); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "/api/v1/"+name+" now") {
			t.Errorf("%s: %d %s", gone, w.Code, w.Body)
		}
	}
	if w := answer(t, s, "127.0.0.1:1", "/api/v1/nothing"); w.Code != http.StatusNotFound {
		t.Errorf("a page that is not there: %d", w.Code)
	}
}

func TestOwnersAPIHoldsNothingBack(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.group(0)
	parent := api.Peer{ID: strings.Repeat("p", 52), Addr: "10.0.0.1:7144"}
	c := NewChannel(s.id, s.ring, func() api.Facts { return api.Facts{Parent: &parent} })
	events := &Events{}
	events.Tell(api.Event{Type: api.EventJoined, Who: "viewer", Addr: "10.9.9.9:1"})
	srv := NewServer(Config{Channels: list(c), Node: func() api.Node { return api.Node{ID: "me"} }, Events: events})
	owners := srv.API(t.Context(), func() string { return "http://127.0.0.1:9" })
	for path, wants := range map[string][]string{
		"/api/v1/channels": {parent.ID, parent.Addr, `"url": "http://127.0.0.1:9/` + s.id.Short() + `.flv"`},
		"/api/v1/status":   {`"id": "me"`, parent.Addr},
		"/api/v1/nothing":  {"There is no such page"},
		"/api/v1/tree":     {"this node has none"},
	} {
		w := httptest.NewRecorder()
		owners.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		for _, want := range wants {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: no %s in %s", path, want, w.Body)
			}
		}
	}
	live := httptest.NewServer(owners)
	defer live.Close()
	resp, err := http.Get(live.URL + "/api/v1/events?since=0")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if f := sse(t, bufio.NewReader(resp.Body)); !strings.Contains(f["data"], "10.9.9.9:1") {
		t.Errorf("%v", f)
	}
}

func TestChannelsAreToldOfOneIfItIsNamed(t *testing.T) {
	a, b := newSource(t, stream.Limits{}), newSource(t, stream.Limits{})
	facts := func() api.Facts { return api.Facts{} }
	srv := NewServer(Config{
		Channels: list(NewChannel(a.id, a.ring, facts), NewChannel(stream.ChannelID{8}, b.ring, facts)),
		Link:     func(stream.ChannelID, string) string { return "" },
	})
	for query, want := range map[string]int{"": 2, "?channel=": 2, "?channel=" + a.id.Short(): 1, "?channel=zzzzzzzz": 2} {
		var got api.Channels
		w := answer(t, srv, "192.168.1.7:50000", "/api/v1/channels"+query)
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Channels) != want || want == 1 && got.Channels[0].ID != a.id.String() {
			t.Errorf("%q: %v, %v; want %d", query, got, err, want)
		}
	}
}

// filming is what a node has that takes what a page films.
type filming struct{ http.Handler }

func (filming) Token() string                      { return "token" }
func (filming) WebRTC() bool                       { return false }
func (filming) Refused() map[refusal.Reason]uint64 { return nil }

func TestOnlyThisMachinesBrowserIsToldThatItMayFilm(t *testing.T) {
	s := newSource(t, stream.Limits{})
	for _, c := range []struct {
		from  string
		root  bool
		films Broadcaster
		want  bool
	}{
		{"127.0.0.1:50000", true, filming{}, true},
		{"192.168.1.20:50000", true, filming{}, false},
		{"127.0.0.1:50000", false, filming{}, false}, // a channel that this node passes on
		{"127.0.0.1:50000", true, nil, false},
	} {
		ch := NewChannel(s.id, s.ring, func() api.Facts { return api.Facts{Root: c.root} })
		w := answer(t, NewServer(Config{Channels: list(ch), Broadcast: c.films}), c.from, "/api/v1/channels")
		if got := strings.Contains(w.Body.String(), `"films": true`); got != c.want {
			t.Errorf("%+v: %s", c, w.Body)
		}
	}
}
