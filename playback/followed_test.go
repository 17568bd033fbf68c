package playback

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"relay/playback/api"
	"relay/relay/stream"
)

// Whom somebody follows is told to programs at their machine, and to nobody else: not by the list, and not by events.
func TestWhomSomebodyFollowsIsNobodysBusiness(t *testing.T) {
	ring := stream.NewRing(stream.Limits{})
	id := stream.ChannelID{1}
	var events Events
	s := NewServer(Config{
		Channels: list(NewChannel(id, ring, nil)), Events: &events,
		Followed: func() []api.Followed {
			return []api.Followed{{ID: id.String(), As: "mine", State: "live"}, {ID: stream.ChannelID{2}.String(), As: "late-night", State: "off"}}
		},
	})
	for addr, here := range map[string]bool{"127.0.0.1:1": true, "[::1]:1": true, "192.168.1.20:1": false, "198.51.100.7:1": false, "@": false} {
		w := answer(t, s, addr, "/api/v1/followed")
		if (w.Code == http.StatusOK) != here || strings.Contains(w.Body.String(), "late-night") != here {
			t.Errorf("%s: %d %s", addr, w.Code, w.Body)
		}
		if here && (strings.Count(w.Body.String(), `"open": true`) != 1 || strings.Count(w.Body.String(), `"open": false`) != 1) {
			t.Errorf("what is open: %s", w.Body)
		}
		if w.Code != http.StatusOK && w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", addr, w.Code)
		}
		for _, path := range []string{"/api/v1/channels", "/api/v1/tree", "/"} {
			if w := answer(t, s, addr, path); strings.Contains(w.Body.String(), "late-night") {
				t.Errorf("%s tells %s", path, addr)
			}
		}
	}
	if w := answer(t, NewServer(Config{}), "127.0.0.1:1", "/api/v1/followed"); strings.TrimSpace(w.Body.String()) != "{\n  \"channels\": []\n}" {
		t.Errorf("of nobody: %s", w.Body)
	}

	events.Tell(api.Event{Type: api.EventFollowed, Followed: "late-night", State: api.Started})
	events.Tell(api.Event{Type: api.EventMedia, State: api.Started})
	players := serve(t, Config{Events: &events})
	resp, _ := ask(t, players, get("/api/v1/events?since=0"))
	if f := sse(t, bufio.NewReader(resp.Body)); f["event"] != "media" {
		t.Errorf("the players' listener tells %v", f)
	}
	owners := httptest.NewServer(s.API(t.Context(), func() string { return "" }))
	defer owners.Close()
	full, err := http.Get(owners.URL + "/api/v1/events?since=0")
	if err != nil {
		t.Fatal(err)
	}
	defer full.Body.Close()
	if f := sse(t, bufio.NewReader(full.Body)); f["event"] != "followed" || !strings.Contains(f["data"], `"followed":"late-night"`) {
		t.Errorf("the operator's tells %v", f)
	}
}

// What is open here says itself whether it is live, and under which title: it was asked about minutes ago.
func TestWhatIsOpenHereSpeaksForItself(t *testing.T) {
	src := newSource(t, stream.Limits{})
	src.group(0)
	came := time.Now()
	c := NewChannel(src.id, src.ring, func() api.Facts { return api.Facts{Came: came, Attached: true} })
	s := NewServer(Config{Channels: list(c), Followed: func() []api.Followed {
		return []api.Followed{{ID: src.id.String(), As: "mine", State: "off", Title: "as it was"}, {ID: stream.ChannelID{2}.String(), As: "theirs", State: "off", Title: "as it was"}}
	}})
	first := func() api.Followed {
		all := s.follows().Channels
		if len(all) != 2 || all[1].Open || all[1].State != "off" || all[1].Title != "as it was" {
			t.Errorf("what is not open is %+v", all)
		}
		return all[0]
	}
	if f := first(); !f.Open || f.State != "live" || f.Title != "" {
		t.Errorf("it is %+v", f)
	}
	came = came.Add(-time.Hour) // it knows nothing of now
	if f := first(); !f.Open || f.State != "off" || f.Title != "as it was" {
		t.Errorf("it is %+v", f)
	}
}
