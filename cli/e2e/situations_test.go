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

	"relay/playback/web"
)

// screens has [TestPageSaysEverySituation] keep a picture of each, in all languages, both themes, on a phone and on a
// desk: `make screens`.
var screens = flag.Bool("screens", false, "keep a picture of the pages in each situation")

// languages are those of the page, each by what a browser wishes for.
var languages = map[string]string{"en": "en-GB", "de": "de-AT", "es": "es-MX", "fr": "fr-FR", "ja": "ja-JP", "zh-Hans": "zh-CN"}

// longest is that whose words are the longest.
const longest = "fr"

// told are situations that are told by a card alike, of which one is looked at for all.
const told = " looking full unknown recording refused starting paused stuck reconnecting orphaned offline closed looking-late reconnecting-late waiting-source paused-source stuck-source ended-source connecting slow first stalled broken node-full no-answer name-too-short name-of-several none undecodable unread "

// walked are the pages that are shown in each situation there is.
var walked = []struct {
	name               string
	paths              []string // at the node; a frame looks once at what it is told to open
	script             string   // what has the page in its situations
	small, phone, desk [2]int   // width and height
}{
	{"watch", []string{""}, "situations.js", [2]int{320, 568}, [2]int{390, 844}, [2]int{1280, 800}},
	{"embed", []string{"embed", "embed#abc", "embed#zzzzzzzz", "embed#twins"}, "situations.js", [2]int{320, 180}, [2]int{390, 219}, [2]int{640, 360}},
	{"broadcast", []string{"broadcast"}, "filming.js", [2]int{320, 568}, [2]int{390, 844}, [2]int{1280, 800}},
}

// TestPageSaysEverySituation shows the page of a node that is in each situation there is (browser/situations.js), the
// frame that other sites have of it, and the page that films (browser/filming.js), on phones, and looks whether all is
// seen, and by everybody: the page in each language, the others in English and in that of the longest words.
func TestPageSaysEverySituation(t *testing.T) {
	browsing.Take(t)
	addr := pageOfNoNode(t)
	b := startBrowser(t)
	for _, page := range walked {
		t.Run(page.name, func(t *testing.T) {
			before := crowd(22, 10) + script(t, "still.js") + script(t, page.script)
			look := func(lang, theme, device string, size [2]int) {
				kind := strings.Join([]string{lang, theme, device}, "-")
				t.Run(kind, func(t *testing.T) {
					w := walk{page.name + "-" + kind, lang, nil}
					for _, path := range page.paths {
						p := b.open(t, addr+path, map[string]any{
							"width": size[0], "height": size[1], "phone": size[0] < 500, "dark": theme == "dark", "locale": languages[lang], "before": before,
						})
						p.becomes(t, "the page is there", "document.documentElement.lang === '"+lang+"' && document.querySelector('#stage') && document.querySelector('#what')")
						w.look(t, p)
						p.faultless(t)
						p.close(t)
					}
					if *screens {
						b.sheet(t, w.name, w.shots)
					}
				})
			}
			for lang := range languages {
				theme := "light"
				if lang == "en" || lang == "ja" {
					theme = "dark"
				}
				switch {
				case *screens:
					look(lang, theme, "small", page.small)
					for _, theme := range []string{"light", "dark"} {
						look(lang, theme, "phone", page.phone)
						look(lang, theme, "desk", page.desk)
					}
				case page.name == "watch" || lang == "en" || lang == longest:
					look(lang, theme, "small", page.small)
					if page.name != "watch" || lang == longest {
						look(lang, "light", "phone", page.phone)
					}
				}
			}
		})
	}
}

// walk goes from one situation of a page to the next.
type walk struct {
	name, lang string
	shots      []string // a name for each
}

// look shows all that there is at one address.
func (w *walk) look(t *testing.T, p *tab) {
	t.Helper()
	var all []string
	p.eval(t, "situations.names", &all)
	for i, situation := range all {
		shot := fmt.Sprintf("%s-%02d-%s", w.name, len(w.shots), situation)
		w.shots = append(w.shots, shot)
		var cut []string
		if p.eval(t, fmt.Sprintf("situations.show(%d).then(() => %s)", i, tooWide), &cut); len(cut) > 0 {
			t.Errorf("%s: not all is seen of %v", shot, cut)
		}
		if situation == "details" || w.lang == "en" && !strings.Contains(told, " "+situation+" ") {
			p.isOpenToAll(t, shot)
		}
		if *screens {
			p.shot(t, shot)
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

// script is what a page runs before its own scripts.
func script(t *testing.T, name string) string {
	t.Helper()
	js, err := os.ReadFile(filepath.Join("browser", name))
	if err != nil {
		t.Fatal(err)
	}
	return "\n" + string(js)
}

// pageOfNoNode serves the pages, their parts, and a minute of film, and returns the address.
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
	mux.HandleFunc("/embed", func(w http.ResponseWriter, r *http.Request) { web.ServeEmbed(w, r, nil) })
	mux.HandleFunc("/broadcast", web.ServeBroadcast)
	mux.HandleFunc(web.Prefix, web.ServePart)
	mux.HandleFunc("/clip.mp4", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, clip) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL + "/"
}
