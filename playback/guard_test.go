package playback

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"relay/relay/refusal"
)

func TestGuardKnowsThisMachinesNames(t *testing.T) {
	for host, want := range map[string]int{
		"127.0.0.1":              http.StatusOK,
		"127.0.0.1:7145":         http.StatusOK,
		"192.168.1.20:7145":      http.StatusOK,
		"[::1]:7145":             http.StatusOK,
		"[fe80::1]":              http.StatusOK,
		"localhost":              http.StatusOK,
		"LocalHost:7145":         http.StatusOK,
		"localhost.:7145":        http.StatusOK,
		"relay.localhost:7145":   http.StatusOK,
		"studio.lan:7145":        http.StatusOK,
		"":                       http.StatusOK,
		"evil.example":           http.StatusForbidden,
		"evil.example:7145":      http.StatusForbidden,
		"localhost.evil.example": http.StatusForbidden,
		"127.0.0.1.evil.example": http.StatusForbidden,
		"notlocalhost":           http.StatusForbidden,
		"my.studio.lan":          http.StatusForbidden,
		"[::1":                   http.StatusOK, // an address, if badly written
		":7145":                  http.StatusForbidden,
	} {
		reached := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		guard(reached, gate{hosts: []string{"studio.lan"}}).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("Host %q: status %d, want %d", host, w.Code, want)
		}
	}
}

func TestGuardLetsNothingThroughThatCouldChangeSomething(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "get"} {
		reached := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%s was let through", method) })
		r := httptest.NewRequest("GET", "/", nil)
		r.Method, r.Host = method, "localhost"
		w := httptest.NewRecorder()
		guard(reached, gate{}).ServeHTTP(w, r)
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
			t.Errorf("%s: status %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
}

func TestGuardLetsInOnlyTheNetworksItShould(t *testing.T) {
	var count refusal.Counts
	near := func(a netip.Addr) bool { return a.IsLoopback() || a.Unmap().IsPrivate() }
	for addr, want := range map[string]int{
		"192.168.1.7:50000":          http.StatusOK,
		"[::ffff:192.168.1.7]:50000": http.StatusOK,
		"127.0.0.1:50000":            http.StatusOK,
		"203.0.113.7:50000":          http.StatusForbidden,
		"[2001:db8::7]:50000":        http.StatusForbidden,
		"":                           http.StatusForbidden,
	} {
		answered := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host, r.RemoteAddr = "localhost", addr
		w := httptest.NewRecorder()
		guard(answered, gate{near: near, count: &count}).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("from %q: status %d, want %d", addr, w.Code, want)
		}
		if want == http.StatusForbidden && !strings.Contains(w.Body.String(), "relay watch LINK") {
			t.Errorf("from %q: %q does not say what to do", addr, w.Body)
		}
	}
	if n := count.All()[RefusedNetwork]; n != 3 {
		t.Errorf("%d refusals counted, want 3", n)
	}
}
