package playback

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"relay/relay/refusal"
)

var testProxies = Proxies{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}

func TestWhoAsksIsKnownThroughTrustedProxiesAlone(t *testing.T) {
	type headers map[string][]string
	for name, c := range map[string]struct {
		from string
		h    headers
		addr string // "" if it is not known
		here bool
		base string
	}{
		"a program here":        {"127.0.0.1:5", nil, "127.0.0.1", true, "http://localhost:7145"},
		"IPv6":                  {"[::1]:5", nil, "::1", true, "http://localhost:7145"},
		"somebody":              {"203.0.113.7:5", nil, "203.0.113.7", false, "http://localhost:7145"},
		"a proxy here":          {"127.0.0.1:5", headers{"X-Forwarded-For": {"203.0.113.7"}}, "203.0.113.7", false, "http://localhost:7145"},
		"one that lies":         {"[::1]:5", headers{"X-Forwarded-For": {"127.0.0.1"}}, "", false, "http://localhost:7145"},
		"a stranger's headers":  {"203.0.113.7:5", headers{"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Prefix": {"/x"}}, "", false, "http://localhost:7145"},
		"only Via":              {"127.0.0.1:5", headers{"Via": {"1.1 somewhere"}}, "", false, "http://localhost:7145"},
		"only Forwarded":        {"127.0.0.1:5", headers{"Forwarded": {"for=127.0.0.1"}}, "", false, "http://localhost:7145"},
		"one of Envoy's here":   {"127.0.0.1:5", headers{"X-Envoy-External-Address": {"203.0.113.7"}}, "", false, "http://localhost:7145"},
		"an empty header":       {"127.0.0.1:5", headers{"X-Forwarded-For": {""}}, "", false, "http://localhost:7145"},
		"a spoofed beginning":   {"127.0.0.1:5", headers{"X-Forwarded-For": {"127.0.0.1, 203.0.113.7"}}, "203.0.113.7", false, "http://localhost:7145"},
		"two lines":             {"127.0.0.1:5", headers{"X-Forwarded-For": {"127.0.0.1", "203.0.113.7"}}, "203.0.113.7", false, "http://localhost:7145"},
		"two proxies":           {"127.0.0.1:5", headers{"X-Forwarded-For": {"203.0.113.7, 10.1.2.3"}}, "203.0.113.7", false, "http://localhost:7145"},
		"a browser here":        {"127.0.0.1:5", headers{"X-Forwarded-For": {"127.0.0.1"}}, "127.0.0.1", true, "http://localhost:7145"},
		"ports and brackets":    {"127.0.0.1:5", headers{"X-Forwarded-For": {"[2001:db8::7]:4711"}}, "2001:db8::7", false, "http://localhost:7145"},
		"no address":            {"127.0.0.1:5", headers{"X-Forwarded-For": {"127.0.0.1, unknown"}}, "", false, "http://localhost:7145"},
		"https and a path":      {"10.0.0.1:5", headers{"X-Forwarded-For": {"203.0.113.7"}, "X-Forwarded-Host": {"live.example.org"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Prefix": {"/Live/"}}, "203.0.113.7", false, "https://live.example.org/Live"},
		"a path that is none":   {"10.0.0.1:5", headers{"X-Forwarded-Prefix": {"/a\"><script>"}}, "", false, "http://localhost:7145"},
		"a path to elsewhere":   {"10.0.0.1:5", headers{"X-Forwarded-Prefix": {"//evil.example"}}, "", false, "http://localhost:7145"},
		"a scheme that is none": {"10.0.0.1:5", headers{"X-Forwarded-Proto": {"javascript"}}, "", false, "http://localhost:7145"},
		"the nearest proxy":     {"10.0.0.1:5", headers{"X-Forwarded-Host": {"evil.example, live.example.org"}}, "", false, "http://live.example.org"},
		"a page of another":     {"127.0.0.1:5", headers{"Sec-Fetch-Site": {"cross-site"}}, "127.0.0.1", false, "http://localhost:7145"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Host = c.from, "localhost:7145"
		for k, v := range c.h {
			r.Header[k] = v
		}
		got := testProxies.caller(r)
		if (got.addr.IsValid() || c.addr != "") && got.addr.String() != c.addr || got.here != c.here || got.base != c.base {
			t.Errorf("%s: %+v", name, got)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr, r.Proto, r.ProtoMinor = "127.0.0.1:5", "HTTP/1.0", 0
	if testProxies.caller(r).here {
		t.Error("HTTP/1.0, as nginx speaks it for whoever asks, is taken for a program here")
	}
}

func TestPagesOfOtherSitesGetNothing(t *testing.T) {
	type headers map[string]string
	for name, c := range map[string]struct {
		h    headers
		want int
	}{
		"no browser":             {nil, 200},
		"its own page":           {headers{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200},
		"an address typed":       {headers{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200},
		"a link followed":        {headers{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200},
		"an image elsewhere":     {headers{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403},
		"a frame elsewhere":      {headers{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403},
		"another port here":      {headers{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "video"}, 403},
		"fetch from elsewhere":   {headers{"Origin": "https://evil.example"}, 403},
		"fetch from a file":      {headers{"Origin": "null"}, 403},
		"fetch from itself":      {headers{"Origin": "http://localhost:7145"}, 200},
		"another port's fetch":   {headers{"Origin": "http://localhost:3000"}, 403},
		"both, and they differ ": {headers{"Origin": "http://localhost:7145", "Sec-Fetch-Site": "cross-site"}, 403},
	} {
		var count refusal.Counts
		r := httptest.NewRequest(http.MethodGet, "/api/v1/channels", nil)
		r.Host = "localhost:7145"
		for k, v := range c.h {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), gate{count: &count}).ServeHTTP(w, r)
		if w.Code != c.want || count.All()[RefusedSite] != uint64(c.want/403) {
			t.Errorf("%s: %d, %d counted", name, w.Code, count.All()[RefusedSite])
		}
	}
}

// Behind a proxy that nobody has named, everybody would seem to be in this network.
func TestAProxyIsNoNeighbour(t *testing.T) {
	near := func(a netip.Addr) bool { return a.IsLoopback() || a.IsPrivate() }
	for name, c := range map[string]struct {
		from, client string
		want         int
	}{
		"a neighbour through a trusted proxy": {"127.0.0.1:5", "192.168.1.7", 200},
		"a stranger through one":              {"127.0.0.1:5", "203.0.113.7", 403},
		"a neighbour through another":         {"192.168.1.9:5", "192.168.1.7", 403},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Host = c.from, "localhost"
		r.Header.Set("X-Forwarded-For", c.client)
		w := httptest.NewRecorder()
		guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), gate{near: near, by: testProxies}).ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}
