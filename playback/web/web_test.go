package web

import (
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

func get(h http.HandlerFunc, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h(w, r)
	return w
}

func TestBrowsersAndNobodyElseWantAPage(t *testing.T) {
	for accept, want := range map[string]bool{
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true,
		"text/html;q=0.5": true,
		"*/*":             false, // curl, VLC
		"":                false,
		"text/htmlx":      false,
		"a;b;=,;;":        false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept", accept)
		if got := Wants(r); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}

// TestThePageIsWhole follows every reference from the page and from its scripts, and finds all that is there.
func TestThePageIsWhole(t *testing.T) {
	refs := regexp.MustCompile(`(?:(?:href|src)="web/|(?:from |import\()'\./|new URL\(')([^"']+\.(?:js|css|svg))["']`)
	seen := map[string]bool{page: true, alone: true, films: true}
	for todo := []string{page, alone, films}; len(todo) > 0; todo = todo[1:] {
		f, ok := parts()[todo[0]]
		if !ok {
			t.Errorf("there is no %s", todo[0])
		}
		for _, m := range refs.FindAllStringSubmatch(string(f.body), -1) {
			if name := m[1]; !seen[name] {
				seen[name] = true
				todo = append(todo, name)
			}
		}
	}
	for name := range parts() {
		if !seen[name] {
			t.Errorf("nothing refers to %s", name)
		}
	}
}

// TestThePageNeedsNobodyElse looks for what the policy would stop, and for other hosts.
func TestThePageNeedsNobodyElse(t *testing.T) {
	for name, f := range parts() {
		body := strings.ReplaceAll(string(f.body), "http://www.w3.org/2000/svg", "") // a name, never fetched
		for _, bad := range []string{"http://", "https://", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "style=\"", " onclick=", "javascript:", "<script>"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s has %s", name, bad)
			}
		}
	}
}

func TestPartsCarryTheirTypeAndThePolicy(t *testing.T) {
	for name := range parts() {
		h, target := ServePart, Prefix+name
		switch name {
		case page:
			h, target = ServePage, "/"
		case films:
			h, target = ServeBroadcast, "/broadcast"
		case alone:
			h, target = func(w http.ResponseWriter, r *http.Request) { ServeEmbed(w, r, []string{"https://example.org"}) }, "/embed"
		}
		w := get(h, target)
		want := map[string]string{
			".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
			".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
		}[path.Ext(name)]
		if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != want {
			t.Errorf("%s: %d %s", name, w.Code, got)
		}
		csp := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%s: policy %q", name, csp)
		}
		again := get(h, target, "If-None-Match", w.Header().Get("ETag"))
		if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s: asked again, it answers %d with %d bytes", name, again.Code, again.Body.Len())
		}
	}
}

func TestWhatIsNoPartIsNotFound(t *testing.T) {
	for _, target := range []string{"/web/", "/web/index.html", "/web/embed.html", "/web/broadcast.html", "/web/web.go", "/web/../web.go", "/web/app.js/", "/web//app.js", "/web/%2e%2e/app.js", "/web/lang", "/web/lang/", "/web/lang/xx.js", "/web/lang/../app.js"} {
		if w := get(ServePart, target); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}

// TestTheFrameIsForItsSitesAlone also asks again after the sites were changed: what the browser has
// kept came with another policy.
func TestTheFrameIsForItsSitesAlone(t *testing.T) {
	frame := func(sites ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { ServeEmbed(w, r, sites) }
	}
	one := get(frame("https://example.org", "http://192.168.1.5:8080"), "/embed")
	csp := one.Header().Get("Content-Security-Policy")
	want := strings.Replace(policy, "frame-ancestors 'none'", "frame-ancestors https://example.org http://192.168.1.5:8080", 1)
	if csp != want || csp == policy {
		t.Errorf("policy %q, want %q", csp, want)
	}
	if again := get(frame("https://example.org"), "/embed", "If-None-Match", one.Header().Get("ETag")); again.Code != http.StatusOK {
		t.Errorf("for other sites it answers %d", again.Code)
	}
	if got := get(ServePage, "/").Header().Get("Content-Security-Policy"); got != policy {
		t.Errorf("the page itself: %q", got)
	}
	body := one.Body.String()
	if n := strings.Count(body, `<section id="stage"`); n != 1 || strings.Contains(body, stagePlace) || strings.Count(body, "</section>") != 1 {
		t.Errorf("the frame has %d players:\n%s", n, body)
	}
	for _, more := range []string{`id="tree"`, `id="share"`, `id="channels"`} {
		if strings.Contains(body, more) {
			t.Errorf("the frame has %s", more)
		}
	}
}
