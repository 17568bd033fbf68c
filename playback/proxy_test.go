package playback

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"relay/relay/stream"
)

// proxied has a reverse proxy in front of a server, below /live, which tells of what it asks for.
func proxied(t *testing.T, c Config) string {
	t.Helper()
	s := newSource(t, stream.Limits{})
	s.group(0)
	c.Channels = list(s.channel())
	at, err := url.Parse("http://" + serve(t, c))
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(at)
		r.SetXForwarded()
		r.Out.Header.Set("X-Forwarded-Host", "live.example.org")
		r.Out.Header.Set("X-Forwarded-Proto", "https")
		r.Out.Header.Set("X-Forwarded-Prefix", "/live")
		r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, "/live")
	}})
	t.Cleanup(front.Close)
	return front.URL + "/live"
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, body(t, resp)
}

func TestWhatIsForThisMachineAloneDoesNotGetThroughAProxy(t *testing.T) {
	url := proxied(t, Config{})
	for _, path := range []string{"/api/v1/status", "/api/v1/dialback"} {
		if code, text := fetch(t, url+path); code != http.StatusForbidden {
			t.Errorf("%s: %d %q", path, code, text)
		}
	}
	if code, text := fetch(t, url+"/api/v1/channels"); code != http.StatusOK || strings.Contains(text, "example.org") || strings.Contains(text, "https:") {
		t.Errorf("nobody has named this proxy: %d %q", code, text)
	}
}

func TestAddressesAreThoseOfATrustedProxy(t *testing.T) {
	c := Config{Proxies: Proxies{netip.MustParsePrefix("127.0.0.1/32")}, AllowHosts: []string{"live.example.org"}}
	url := proxied(t, c)
	_, text := fetch(t, url+"/")
	_, id, _ := strings.Cut(text, "https://live.example.org/live/")
	id, _, _ = strings.Cut(id, ".flv")
	if id == "" {
		t.Fatalf("the list has no address: %q", text)
	}
	for path, want := range map[string]string{
		"/" + id + ".m3u":                    "\nhttps://live.example.org/live/" + id + ".ts\n",
		"/api/v1/channels":                   `"hls": "https://live.example.org/live/hls/` + id + `/index.m3u8"`,
		"/hls/" + id + "/":                   "https://live.example.org/live/hls/" + id + "/index.m3u8",
		"/api/v1/status":                     `"url": "https://live.example.org/live/` + id + `.flv"`, // this test is at this machine
		"/hls/" + id + "/index.m3u8/../1.ts": "",
	} {
		if _, text := fetch(t, url+path); !strings.Contains(text, want) {
			t.Errorf("%s: %q", path, text)
		}
	}
	c.AllowHosts = nil
	if code, text := fetch(t, proxied(t, c)+"/"); code != http.StatusForbidden || !strings.Contains(text, "--allow-host") {
		t.Errorf("a name that nobody has allowed: %d %q", code, text)
	}
}
