package directory

import (
	"bufio"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// hostile are titles that want to be more than text.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</title></h3><h1>Owned`, `{{.Title}}`, `&lt;b&gt;`, "a\x1b]0;x\x07\x1b[2J", "\u202eevil\u2066",
	`' onmouseover='x`, "line\nbreak<>field<>1\n", `javascript:alert(1)`, strings.Repeat("W", 5000), "\u0000\ufeff\u200b", `]]><x xmlns="y"/>`, `relay watch relay://$(reboot)`,
}

var (
	tags   = regexp.MustCompile(`<(/?)([a-zA-Z0-9]+)([^>]*)>`)
	inPage = []string{"!DOCTYPE", "html", "head", "meta", "title", "link", "body", "header", "h1", "bdi", "p", "form", "label", "input", "button", "main", "h2", "ul", "li", "h3", "span", "a", "code", "nav", "footer"}
)

func TestHostileTextsStayText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		s := n.open("a.example", Config{Title: `<b>"Ours"</b>`})
		for i, text := range hostile {
			a := announcement(i)
			a.Title, a.Genre, a.Description, a.Codecs = text, text, text, text
			a.URL = "https://example.org/" + strings.Repeat("x", 20)
			a.PeerCast = netip.AddrPortFrom(placeOf(i).Addr(), 7148)
			on(t, s, i, a)
		}
		for _, path := range []string{"/", "/?lang=de", "/?q=" + strings.Repeat("%3Cscript%3E", 30), `/?q="><x`, "/?lang=%22%3E%3Cx", "/?page=99999999999", "/?page=-1&lang=zh-Hans"} {
			w := get(t, s, path)
			page := w.Body.String()
			for _, m := range tags.FindAllStringSubmatch(page, -1) {
				if !slices.Contains(inPage, m[2]) || regexp.MustCompile(`(?i)\son\w+\s*=|="javascript:|style=`).MatchString(unquoted(m[3])) {
					t.Errorf("%s: the page has %s", path, m[0])
				}
			}
			if strings.ContainsAny(page, "\x1b\x07\u202e\u2066\x00\u200b") {
				t.Errorf("%s: the page has what acts on what is around it", path)
			}
			csp := w.Header().Get("Content-Security-Policy")
			if w.Code != http.StatusOK || csp != pagePolicy || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s: %d, %s", path, w.Code, csp)
			}
		}
		feed := get(t, s, "/feed.atom", func(r *http.Request) { r.Host = `"><x` }).Body.String()
		var f atomFeed
		if err := xml.Unmarshal([]byte(feed), &f); err != nil || len(f.Entries) != len(hostile) {
			t.Errorf("the feed: %v, %d entries", err, len(f.Entries))
		}
		lines := strings.Split(strings.TrimSuffix(get(t, s, "/index.txt").Body.String(), "\n"), "\n")
		for _, l := range lines {
			if strings.Count(l, "<>") != 18 {
				t.Errorf("index.txt has the line %q", l)
			}
		}
		if len(lines) != len(hostile) {
			t.Errorf("index.txt has %d lines", len(lines))
		}
	})
}

// unquoted leaves values out of a tag's attributes, but for addresses that run.
func unquoted(attributes string) string {
	return regexp.MustCompile(`(\w+)="[^"]*"`).ReplaceAllStringFunc(attributes, func(v string) string {
		if strings.HasPrefix(strings.ToLower(v), `href="javascript:`) {
			return v
		}
		name, _, _ := strings.Cut(v, "=")
		return name + "="
	})
}

func TestThePageShowsWhatIsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		s := n.open("a.example", Config{Title: "Ours"})
		for i := range 120 {
			a := announcement(i)
			a.Title, a.Listeners, a.Live = fmt.Sprintf("Number %03d", i), i*100, i != 119
			on(t, s, i, a)
		}
		page := get(t, s, "/").Body.String()
		for _, want := range []string{
			`<html lang="en">`, "<h2>120 channels</h2>", "Number 118", "11,800 watching", "3.0 Mb/s", `href="./?page=1"`,
			"<code>relay watch relay://", `href="relay://`, `aria-label="Watch Number 118 with relay"`, `<label for="q">`,
		} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %s", want)
			}
		}
		if strings.Count(page, "<li>") != perPage || strings.Contains(page, "Number 119") || strings.Contains(page, "#Zgot") {
			t.Errorf("the first page has %d channels:\n%s", strings.Count(page, "<li>"), page)
		}
		last := get(t, s, "/?page=2&lang=de", func(r *http.Request) { r.Header.Set("Accept-Language", "ja") }).Body.String()
		for _, want := range []string{`<html lang="de">`, "Number 119", "Nicht auf Sendung", `href="./?lang=de&amp;page=1"`, "120 Kanäle", "3,0 Mbit/s"} {
			if !strings.Contains(last, want) {
				t.Errorf("the last page lacks %s", want)
			}
		}
		found := get(t, s, "/?q=number+042").Body.String()
		if strings.Count(found, "<li>") != 1 || !strings.Contains(found, "1 channel with these words") || !strings.Contains(found, `value="number 042"`) {
			t.Error(found)
		}
		if none := get(t, s, "/?q=nothing").Body.String(); !strings.Contains(none, "No channel has these words.") {
			t.Error(none)
		}
		for path, code := range map[string]int{"/style.css": 200, "/healthz": 200, "/nowhere": 404, "/api/v1/status": 200, "/api/v1/announce": 405} {
			if w := get(t, s, path); w.Code != code {
				t.Errorf("%s: %d", path, w.Code)
			}
		}
	})
}

func TestTheFeedTellsWhoWentLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		s := n.open("a.example", Config{})
		on(t, s, 1, announcement(1))
		time.Sleep(time.Minute)
		on(t, s, 2, announcement(2))
		off := announcement(3)
		off.Live = false
		on(t, s, 3, off)
		time.Sleep(time.Minute)
		on(t, s, 1, announcement(1)) // is live as before
		var f atomFeed
		if err := xml.Unmarshal(get(t, s, "/feed.atom").Body.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		if len(f.Entries) != 2 || f.Entries[0].Title != "Channel C" || f.Entries[1].Published != time.Now().Add(-2*time.Minute).UTC().Format(time.RFC3339) {
			t.Errorf("%+v", f.Entries)
		}
		if f.ID != "http://example.com/" || !strings.HasPrefix(f.Entries[0].ID, "urn:relay:") {
			t.Errorf("%+v", f)
		}
	})
}

func TestEachLanguageSaysAll(t *testing.T) {
	names := regexp.MustCompile(`\{\w+\}`)
	english := spoken["en"].all
	for tag, one := range spoken {
		for key, s := range english {
			has, ok := one.all[key]
			if !ok || has.other == "" {
				t.Errorf("%s lacks %s", tag, key)
				continue
			}
			plural := s.one != "" && tag != "ja" && tag != "zh-Hans"
			if (has.one != "") != plural {
				t.Errorf("%s: %s has the wrong plurals", tag, key)
			}
			for _, form := range []string{has.one, has.other} {
				if form != "" && fmt.Sprint(names.FindAllString(form, -1)) != fmt.Sprint(names.FindAllString(s.other, -1)) {
					t.Errorf("%s: %s fills in something else: %s", tag, key, form)
				}
			}
		}
		for key := range one.all {
			if _, ok := english[key]; !ok {
				t.Errorf("%s has %s, which English lacks", tag, key)
			}
		}
	}
	for in, want := range map[string]string{
		"|de-AT,en": "de", "|pt-BR,fr;q=0.8,en": "fr", "|sw": "en", "|": "en", "ja|de": "ja", "xx|de": "de", "|zh": "zh-Hans", "|zh-CN": "zh-Hans", "|zh-TW,en": "en",
		"|zh-TW,zh;q=0.5": "zh-Hans", "|zh-Hans-HK": "zh-Hans", "|zh-Hant": "en", "|ES-419": "es", "|" + strings.Repeat("x,", 5000) + "de": "en",
	} {
		asked, wishes, _ := strings.Cut(in, "|")
		if got := tongueOf(asked, wishes).tag; got != want {
			t.Errorf("%s is %s", in, got)
		}
	}
	if de := spoken["de"]; de.number(1234567) != "1.234.567" || de.count("listeners", 1) != "1 schaut zu" || spoken["fr"].count("listeners", 0) != "0 personne regarde" {
		t.Error("numbers")
	}
}

// pipes is a listener to connections in memory.
type pipes struct{ conns chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// Those who send slowly, or nothing, are cut and counted, and the next one is served.
func TestSlowOnesAreCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		s := n.open("a.example", Config{})
		ctx, cancel := context.WithCancel(t.Context())
		ln := pipes{make(chan net.Conn)}
		ran := make(chan error, 1)
		go func() { ran <- s.Run(ctx, ln) }()
		connect := func() net.Conn {
			near, far := net.Pipe()
			ln.conns <- far
			return near
		}
		head := connect()
		fmt.Fprint(head, "POST /api/v1/announce HTTP/1.1\r\nHost: a\r\n") // and no more
		body := connect()
		fmt.Fprintf(body, "POST /api/v1/announce HTTP/1.1\r\nHost: a\r\nContent-Length: 4096\r\n\r\n{")
		silent := connect()
		dripped := make(chan struct{})
		go func() { // a byte a second
			defer close(dripped)
			for range 30 {
				time.Sleep(time.Second)
				if _, err := body.Write([]byte(" ")); err != nil {
					return
				}
			}
		}()
		begun := time.Now()
		for _, c := range []net.Conn{head, silent} {
			if _, err := io.ReadAll(c); err != nil {
				t.Error(err)
			}
		}
		answer, err := http.ReadResponse(bufio.NewReader(body), nil)
		if err == nil && answer.StatusCode == http.StatusOK {
			t.Error("a slow one is taken")
		}
		if took := time.Since(begun); took > 15*time.Second {
			t.Errorf("they last %v", took)
		}
		good := connect()
		fmt.Fprint(good, "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if b, err := io.ReadAll(good); err != nil || !strings.HasSuffix(string(b), "ok\n") {
			t.Errorf("%q, %v", b, err)
		}
		c := s.Counts()
		if c["slow"] == 0 || c["silent"] == 0 {
			t.Errorf("counted: %v", c)
		}
		cancel()
		close(ln.conns)
		if err := <-ran; err != nil {
			t.Error(err)
		}
		body.Close()
		<-dripped
	})
}

func TestOneAddressReadsOnlySoMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNet().open("a.example", Config{})
		refused := 0
		for range 2 * readBurst {
			if get(t, s, "/api/v1/channels").Code == http.StatusTooManyRequests {
				refused++
			}
		}
		if refused != readBurst || get(t, s, "/", func(r *http.Request) { r.RemoteAddr = "198.51.100.1:1" }).Code != http.StatusOK {
			t.Errorf("%d are refused", refused)
		}
	})
}
