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

	"relay/playback"
)

func TestReadinessSaysWhyNot(t *testing.T) {
	now := time.Now()
	live := Health{Channel: "livelive", State: playback.Live, Came: now.Add(-4900 * time.Millisecond)}
	stale := Health{Channel: "stalesta", State: playback.Reconnecting, Came: now.Add(-5 * time.Second)}
	for _, c := range []struct {
		name     string
		channels []Health
		channel  string
		all      bool
		ok       bool
		says     string
	}{
		{"nothing is open", nil, "", false, false, "no channel is open here"},
		{"live", []Health{live}, "", false, true, "channel livelive: live"},
		{"one of two", []Health{live, stale}, "", false, true, "channel stalesta: no media for 5 s, the parent or the source's encoder is lost"},
		{"all of two", []Health{live, stale}, "", true, false, "channel stalesta: no media for 5 s"},
		{"the one asked for", []Health{live, stale}, "stal", false, false, "stalesta"},
		{"the other one", []Health{live, stale}, "livelivelive", false, true, "livelive"},
		{"an unknown one", []Health{live}, "none", false, false, "there is no such channel here"},
		{"an encoder that stopped", []Health{{Channel: "a", Source: true, Came: now.Add(-time.Minute)}}, "", false, false, "no media for 60 s, the encoder has stopped or is stuck"},
		{"no encoder yet", []Health{{Channel: "a", Source: true}}, "", false, false, "no media yet, no encoder has sent any"},
		{"no parent yet", []Health{{Channel: "a"}}, "", false, false, "no media yet, none came from the other nodes"},
		{"nobody knows why", []Health{{Channel: "a", State: playback.Live, Came: now.Add(-7 * time.Second)}}, "", false, false, "no media for 7 s\n"},
	} {
		ok, text := readiness(now, c.channels, c.channel, c.all)
		if ok != c.ok || !strings.Contains(text, c.says) {
			t.Errorf("%s: %v %q, want %v with %q", c.name, ok, text, c.ok, c.says)
		}
	}
}

// served is a server whose only channel's newest chunk came when came says.
func served(t *testing.T, came func() time.Time) *Server {
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "api "+r.URL.Path) })
	return NewServer(Config{
		Metrics: busy(t),
		Health:  func() []Health { return []Health{{Channel: "abcdefgh", Source: true, Came: came()}} },
		API:     api,
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

func TestReadinessEndsFiveSecondsAfterTheMedia(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		came := time.Now()
		s := served(t, func() time.Time { return came })
		time.Sleep(FreshFor - time.Millisecond)
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
