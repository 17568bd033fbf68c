//go:build e2e

package e2e

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"relay/playback/web"
)

// screens has [TestPageSaysEverySituation] keep a picture of each, in all languages, both themes, on a phone and on a
// desk: `make screens`.
var screens = flag.Bool("screens", false, "keep a picture of the page in each situation")

// languages are those of the page, each by what a browser wishes for.
var languages = map[string]string{"en": "en-GB", "de": "de-AT", "es": "es-MX", "fr": "fr-FR", "ja": "ja-JP", "zh-Hans": "zh-CN"}

// told are situations that are told by a card alike, of which one is looked at for all.
const told = " looking full unknown recording refused starting paused stuck reconnecting orphaned offline closed looking-late reconnecting-late waiting-source paused-source stuck-source ended-source connecting slow first stalled broken node-full no-answer name-too-short name-of-several none undecodable unread "

// TestPageSaysEverySituation shows the page of a node that is in each situation there is (browser/situations.js), in
// each language on a small phone, and looks whether all is seen, and by everybody.
func TestPageSaysEverySituation(t *testing.T) {
	browsing.Take(t)
	addr := pageOfNoNode(t)
	b := startBrowser(t)
	look := func(lang, theme, device string, width, height int) {
		name := strings.Join([]string{lang, theme, device}, "-")
		p := b.open(t, addr, map[string]any{
			"width": width, "height": height, "phone": width < 500, "dark": theme == "dark", "locale": languages[lang],
			"before": crowd(22, 10) + situations(t),
		})
		p.becomes(t, "the page is there", "document.querySelector('#stage')?.dataset.state")
		began := time.Now()
		var all, shots []string
		p.eval(t, "situations.names", &all)
		cut := make(map[string][]string)
		p.eval(t, "situations.walk(() => "+tooWide+")", &cut)
		for situation, of := range cut {
			t.Errorf("%s %s: not all is seen of %v", name, situation, of)
		}
		for i, situation := range all {
			looked := situation == "details" || lang == "en" && !strings.Contains(told, " "+situation+" ")
			if !looked && !*screens {
				continue
			}
			p.eval(t, fmt.Sprintf("situations.show(%d)", i), nil)
			if looked {
				p.isOpenToAll(t, name+" "+situation)
			}
			if *screens {
				shots = append(shots, fmt.Sprintf("%s-%02d-%s", name, i, situation))
				p.shot(t, shots[i])
			}
		}
		t.Logf("%s: %d in %v", name, len(all), time.Since(began))
		p.faultless(t)
		p.close(t)
		if *screens {
			b.sheet(t, name, shots)
		}
	}
	for lang := range languages {
		theme := "light"
		if lang == "en" || lang == "ja" {
			theme = "dark"
		}
		look(lang, theme, "small", 320, 568)
		if lang == "fr" && !*screens { // whose words are the longest
			look(lang, theme, "phone", 390, 844)
		}
		if *screens {
			for _, theme := range []string{"light", "dark"} {
				look(lang, theme, "phone", 390, 844)
				look(lang, theme, "desk", 1280, 800)
			}
		}
	}
}

// sheet puts pictures of the page beside each other.
func (b *browser) sheet(t *testing.T, name string, shots []string) {
	t.Helper()
	var page strings.Builder
	page.WriteString("<!doctype html><style>body { display: grid; grid-template-columns: repeat(6, 1fr); gap: 8px; background: #888; font: 12px sans-serif } img { width: 100% }</style>")
	for _, s := range shots {
		fmt.Fprintf(&page, "<div>%s<br><img src='%s.png'></div>", s, s)
	}
	path := filepath.Join(t.ArtifactDir(), name+".html")
	if err := os.WriteFile(path, []byte(page.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	p := b.open(t, "file://"+path, map[string]any{"width": 1560})
	p.becomes(t, "all are there", "[...document.images].every((i) => i.complete)")
	p.shot(t, name)
	p.close(t)
}

// situations is what has a page in each of them.
func situations(t *testing.T) string {
	t.Helper()
	js, err := os.ReadFile("browser/situations.js")
	if err != nil {
		t.Fatal(err)
	}
	return "\n" + string(js)
}

// pageOfNoNode serves the page's parts, and a minute of film, and returns the address.
func pageOfNoNode(t *testing.T) string {
	t.Helper()
	clip := filepath.Join(t.TempDir(), "clip.mp4")
	if out, err := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=15", "-f", "lavfi", "-i", "sine", "-t", "60",
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-b:v", "200k", "-c:a", "aac",
		"-movflags", "empty_moov+default_base_moof+frag_keyframe", "-frag_duration", "200000", clip).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", web.ServePage)
	mux.HandleFunc(web.Prefix, web.ServePart)
	mux.HandleFunc("/clip.mp4", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, clip) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL + "/"
}
