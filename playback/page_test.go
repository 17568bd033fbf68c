package playback

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"relay/relay/stream"
)

func TestBrowsersGetThePageAndPlayersDoNot(t *testing.T) {
	src := newSource(t, stream.Limits{})
	c := NewChannel(src.id, src.ring, nil)
	s := NewServer(Config{Channels: list(c)})
	const browser, player = "text/html,*/*;q=0.8", "*/*"
	for _, c := range []struct {
		path, accept, mediaType string
		code                    int
	}{
		{"/", browser, "text/html", http.StatusOK},
		{"/", player, "text/plain", http.StatusOK},
		{"/" + c.id.Short(), browser, "text/html", http.StatusOK},
		{"/zzzzzzzz", browser, "text/html", http.StatusOK}, // the page says that there is none
		{"/" + c.id.Short(), player, "text/plain", http.StatusNotFound},
		{"/web/app.js", player, "text/javascript", http.StatusOK},
		{"/web/lang/de.js", player, "text/javascript", http.StatusOK},
		{"/web/nothing.js", browser, "text/plain", http.StatusNotFound},
		{"/healthz", browser, "text/plain", http.StatusOK},
		{"/api/v1/channels", browser, "application/json", http.StatusOK},
		{"/favicon.ico", browser, "text/plain", http.StatusNotFound},
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, nil)
		r.Host = "127.0.0.1:7145"
		r.RemoteAddr = "127.0.0.1:50000"
		r.Header.Set("Accept", c.accept)
		w := httptest.NewRecorder()
		s.handler(context.Background()).ServeHTTP(w, r)
		if got := w.Header().Get("Content-Type"); w.Code != c.code || !strings.HasPrefix(got, c.mediaType) {
			t.Errorf("%s for %s: %d %s", c.path, c.accept, w.Code, got)
		}
	}
}

// TestThePageIsGuarded asks for it under a stranger's host name.
func TestThePageIsGuarded(t *testing.T) {
	s := NewServer(Config{})
	for _, path := range []string{"/", "/web/app.js"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "evil.example"
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		s.handler(context.Background()).ServeHTTP(w, r)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
