package admin

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"relay/playback/api"
)

func TestReadinessSaysWhyNot(t *testing.T) {
	now := time.Now()
	channel := func(name string, state api.State, situation api.SituationName, silent time.Duration) api.ChannelStatus {
		c := api.ChannelStatus{Channel: api.Channel{Name: name, State: state, Situation: api.Situation{Name: situation}}}
		if silent > 0 {
			c.Came = now.Add(-silent)
		}
		return c
	}
	live := channel("livelive", api.Live, api.OnAir, 4900*time.Millisecond)
	stale := channel("stalesta", api.Reconnecting, api.Reconnects, 5*time.Second)
	moving := channel("movingmo", api.Reconnecting, api.Reconnects, time.Second)
	for _, c := range []struct {
		name     string
		channels []api.ChannelStatus
		channel  string
		all      bool
		ok       bool
		says     string
	}{
		{"nothing is open", nil, "", false, false, "no channel is open here"},
		{"live", []api.ChannelStatus{live}, "", false, true, "channel livelive: live"},
		{"one of two", []api.ChannelStatus{live, stale}, "", false, true, "channel stalesta: no media for 5 s, the parent is lost"},
		{"all of two", []api.ChannelStatus{live, stale}, "", true, false, "channel stalesta: no media for 5 s"},
		{"the one asked for", []api.ChannelStatus{live, stale}, "stal", false, false, "stalesta"},
		{"the other one", []api.ChannelStatus{live, stale}, "livelivelive", false, true, "livelive"},
		{"an unknown one", []api.ChannelStatus{live}, "none", false, false, "there is no such channel here"},
		{"an encoder that stopped", []api.ChannelStatus{channel("a", api.Reconnecting, api.Paused, time.Minute)}, "", false, false, "no media for 60 s, the encoder has stopped"},
		{"no encoder yet", []api.ChannelStatus{channel("a", api.Waiting, api.Waits, 0)}, "", false, false, "no media yet, no encoder has sent any"},
		{"no parent yet", []api.ChannelStatus{channel("a", api.Waiting, api.Looking, 0)}, "", false, false, "no media yet, no node of the channel has answered"},
		{"between two parents", []api.ChannelStatus{moving}, "", false, true, "channel movingmo: reconnecting"},
		{"one whose state was told before", []api.ChannelStatus{channel("a", api.Live, api.OnAir, 7*time.Second)}, "", false, false, "no media for 7 s"},
		{"an ended one", []api.ChannelStatus{channel("a", api.Ended, api.Over, 2*time.Minute)}, "", false, false, "no media for 120 s, the broadcast has ended"},
	} {
		ok, text := readiness(now, c.channels, c.channel, c.all)
		if ok != c.ok || !strings.Contains(text, c.says) {
			t.Errorf("%s: %v %q, want %v with %q", c.name, ok, text, c.ok, c.says)
		}
	}
}

func TestReadinessHasWordsForEachSituation(t *testing.T) {
	for _, name := range api.Situations {
		if why[name] == "" {
			t.Errorf("none for %s", name)
		}
	}
}

// served is a server whose only channel's newest chunk came when came says.
func served(t *testing.T, came func() time.Time) *Server {
	owners := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "api "+r.URL.Path) })
	return NewServer(Config{
		Metrics: busy(t),
		Channels: func() []api.ChannelStatus {
			return []api.ChannelStatus{{Channel: api.Channel{Name: "abcdefgh", State: api.Live, Situation: api.Situation{Name: api.Paused}, Root: true}, Came: came()}}
		},
		API: owners,
	})
}

func ask(s *Server, method, host, path string) (int, string) {
	r := httptest.NewRequest(method, path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestAdminAnswersOnlyWhatItShould(t *testing.T) {
	s := served(t, time.Now)
	for _, c := range []struct {
		method, host, path string
		code               int
		says               string
	}{
		{"GET", "127.0.0.1:7147", "/metrics", 200, `relay_depth{channel="abcdefgh"} 2`},
		{"GET", "localhost", "/healthz", 200, "ok"},
		{"GET", "localhost", "/readyz", 200, "ready"},
		{"GET", "localhost", "/readyz?channel=zzzz", 503, "there is no such channel"},
		{"GET", "localhost", "/api/v1/status", 200, "api /api/v1/status"},
		{"GET", "localhost", "/", 200, "/metrics"},
		{"GET", "localhost", "/abcdefgh.flv", 404, "Players are served"},
		{"GET", "evil.example", "/metrics", 403, "host name"},
		{"POST", "localhost", "/metrics", 405, "Only GET and HEAD"},
		{"DELETE", "localhost", "/api/v1/channels", 405, "Only GET and HEAD"},
	} {
		if code, text := ask(s, c.method, c.host, c.path); code != c.code || !strings.Contains(text, c.says) {
			t.Errorf("%s %s at %s: %d %q", c.method, c.path, c.host, code, text)
		}
	}
}

func TestProfilesAreServedOnlyIfAskedForAndWithoutTheCommandLine(t *testing.T) {
	s := served(t, time.Now)
	if code, _ := ask(s, "GET", "localhost", "/debug/pprof/heap"); code != 404 {
		t.Errorf("not asked for: %d", code)
	}
	s.config.Profiles = true
	for path, want := range map[string]int{
		"/debug/pprof/": 200, "/debug/pprof/heap": 200, "/debug/pprof/goroutine": 200, "/debug/pprof/symbol": 200,
		"/debug/pprof/cmdline": 404,
	} {
		if code, _ := ask(s, "GET", "localhost", path); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
	if code, _ := ask(s, "GET", "evil.example", "/debug/pprof/heap"); code != 403 {
		t.Errorf("under a strange name: %d", code)
	}
}

func TestReadinessEndsFiveSecondsAfterTheMedia(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		came := time.Now()
		s := served(t, func() time.Time { return came })
		time.Sleep(api.FreshFor - time.Millisecond)
		if code, text := ask(s, "GET", "localhost", "/readyz"); code != 200 {
			t.Errorf("just before: %d %q", code, text)
		}
		time.Sleep(time.Millisecond)
		if code, text := ask(s, "GET", "localhost", "/readyz"); code != 503 || !strings.Contains(text, "the encoder has stopped") {
			t.Errorf("then: %d %q", code, text)
		}
		came = time.Now()
		if code, text := ask(s, "GET", "localhost", "/readyz"); code != 200 {
			t.Errorf("with media again: %d %q", code, text)
		}
	})
}

func TestAdminEndsWithItsContextOrItsListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- served(t, time.Now).Run(ctx, ln) }()
	resp, err := http.Get("http://" + ln.Addr().String() + "/healthz")
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := served(t, time.Now).Run(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a listener that is closed: %v", err)
	}
}
