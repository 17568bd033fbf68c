package playback

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"relay/relay/stream"
)

// A page of another site gets the media if it is named, as it is named, and nobody gets anything else.
func TestOnlyNamedSitesReadTheMedia(t *testing.T) {
	src := newSource(t, stream.Limits{})
	src.group(0)
	s := NewServer(Config{Channels: list(src.channel()), Embed: Origins{"https://example.org", "http://192.168.1.5:8080", "https://xn--bcher-kva.example"}})
	h := s.handler(t.Context())
	short := "/" + src.id.Short()
	const cross = "cross-site"
	for _, c := range []struct {
		path, origin, site string
		open               bool // may be read by that page
	}{
		{short + ".flv", "https://example.org", cross, true},
		{short + ".flv", "https://example.org", "", true}, // on a network: browsers tell nothing but the origin
		{short + ".mp4", "http://192.168.1.5:8080", cross, true},
		{short + ".ts", "https://xn--bcher-kva.example", cross, true},
		{"/hls" + short + "/index.m3u8", "https://example.org", cross, true},
		{"/hls" + short + "/nothing.m4s", "https://example.org", cross, true}, // to learn that it is not there
		{short + ".flv", "http://example.org", cross, false},
		{short + ".flv", "https://example.org:8443", cross, false},
		{short + ".flv", "https://example.org:443", cross, false}, // no browser writes it so
		{short + ".flv", "https://EXAMPLE.org", cross, false},
		{short + ".flv", "https://example.org/", cross, false},
		{short + ".flv", "https://www.example.org", cross, false},
		{short + ".flv", "https://example.org.evil.example", cross, false},
		{short + ".flv", "https://bücher.example", cross, false},
		{short + ".flv", "http://192.168.1.5", cross, false},
		{short + ".flv", "null", cross, false},
		{short + ".flv", "*", cross, false},
		{short + ".flv", "", cross, false}, // an element without crossorigin
		{short + ".m3u", "https://example.org", cross, false},
		{short + ".jpg", "https://example.org", cross, false},
		{"/api/v1/channels", "https://example.org", cross, false},
		{"/api/v1/share", "https://example.org", cross, false},
		{"/api/v1/x.flv", "https://example.org", cross, false},
		{"/", "https://example.org", cross, false},
		{"/web/app.js", "https://example.org", cross, false},
		{embedPath, "https://example.org", cross, false},
	} {
		r := httptest.NewRequest(http.MethodHead, c.path, nil)
		r.Host, r.RemoteAddr = "127.0.0.1:7145", "127.0.0.1:50000"
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		r.Header.Set("Sec-Fetch-Mode", "cors")
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		want := ""
		if c.open {
			want = c.origin
		}
		if got := w.Header().Values(allowOrigin); strings.Join(got, " | ") != want || (w.Code == http.StatusForbidden) == c.open {
			t.Errorf("%s for a page of %q: %d, %s %q, want %q", c.path, c.origin, w.Code, allowOrigin, got, want)
		}
		if c.open && w.Header().Get("Vary") != "Origin" {
			t.Errorf("%s: Vary %q", c.path, w.Header().Get("Vary"))
		}
		for _, name := range []string{"Access-Control-Allow-Credentials", "Access-Control-Allow-Methods", "X-Frame-Options"} {
			if got := w.Header().Get(name); got != "" {
				t.Errorf("%s: %s %q", c.path, name, got)
			}
		}
	}
	r := httptest.NewRequest(http.MethodOptions, short+".flv", nil)
	r.Host, r.Header = "127.0.0.1", http.Header{"Origin": {"https://example.org"}, "Access-Control-Request-Method": {"POST"}}
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusMethodNotAllowed || w.Header().Get(allowOrigin) != "" {
		t.Errorf("before a POST: %d %v", w.Code, w.Header())
	}
}

// Two Origin headers are nobody's: a browser sends one.
func TestAnOriginIsOne(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/abcd.flv", nil)
	r.Header["Origin"] = []string{"https://example.org", "https://evil.example"}
	if (Origins{"https://example.org"}).lets(r) {
		t.Error("it is let in")
	}
}

// TestTheStreamItselfSaysWhoMayReadIt looks at the head that is written around net/http.
func TestTheStreamItselfSaysWhoMayReadIt(t *testing.T) {
	src := newSource(t, stream.Limits{})
	src.group(0)
	for _, embed := range []Origins{nil, {"https://example.org"}} {
		addr := serve(t, Config{Channels: list(src.channel()), Embed: embed})
		for _, origin := range []string{"https://example.org", ""} {
			request := "GET /" + src.id.Short() + ".flv HTTP/1.1\r\nHost: localhost\r\n"
			if origin != "" {
				request += "Origin: " + origin + "\r\n"
			}
			resp, _ := ask(t, addr, request+"\r\n")
			wantOrigin, wantVary, code := "", "", http.StatusOK
			switch {
			case embed != nil:
				wantOrigin, wantVary = origin, "Origin"
			case origin != "":
				code = http.StatusForbidden
			}
			if resp.StatusCode != code || resp.Header.Get(allowOrigin) != wantOrigin || resp.Header.Get("Vary") != wantVary {
				t.Errorf("%v, for %q: %s %v", embed, origin, resp.Status, resp.Header)
			}
			if code == http.StatusOK {
				if _, err := io.ReadFull(resp.Body, make([]byte, 13)); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func TestTheFrameIsThereIfASiteIsNamed(t *testing.T) {
	const ancestors = "frame-ancestors "
	for _, c := range []struct {
		embed      Origins
		dest, mode string
		path       string
		code       int
		by         string
	}{
		{Origins{"https://example.org", "http://localhost:8000"}, "iframe", "navigate", embedPath, http.StatusOK, "https://example.org http://localhost:8000"},
		{Origins{"https://example.org"}, "document", "navigate", embedPath, http.StatusOK, "https://example.org"},
		{Origins{"https://example.org"}, "script", "no-cors", embedPath, http.StatusForbidden, ""},
		{Origins{"https://example.org"}, "object", "navigate", embedPath, http.StatusForbidden, ""},
		{Origins{"https://example.org"}, "iframe", "navigate", "/", http.StatusForbidden, ""},
		{Origins{"https://example.org"}, "iframe", "navigate", embedPath + "/", http.StatusForbidden, ""},
		{Origins{"https://example.org"}, "document", "navigate", "/", http.StatusOK, "'none'"},
		{nil, "iframe", "navigate", embedPath, http.StatusForbidden, ""},
		{nil, "document", "navigate", embedPath, http.StatusNotFound, ""},
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, nil)
		r.Host, r.RemoteAddr = "127.0.0.1:7145", "127.0.0.1:50000"
		for name, v := range map[string]string{"Accept": "text/html", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": c.mode, "Sec-Fetch-Dest": c.dest} {
			r.Header.Set(name, v)
		}
		w := httptest.NewRecorder()
		NewServer(Config{Embed: c.embed}).handler(t.Context()).ServeHTTP(w, r)
		by := ""
		for d := range strings.SplitSeq(w.Header().Get("Content-Security-Policy"), "; ") {
			if v, ok := strings.CutPrefix(d, ancestors); ok {
				by = v
			}
		}
		if w.Code != c.code || by != c.by {
			t.Errorf("%v: %s as %s: %d, framed by %q, want %d and %q", c.embed, c.path, c.dest, w.Code, by, c.code, c.by)
		}
	}
}
