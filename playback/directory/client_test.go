package directory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/pcp/index"
	"relay/relay/stream"
)

// on puts a channel on a directory's list as if it had been dialled back.
func on(t testing.TB, s *Server, n int, a Announcement) {
	t.Helper()
	e := &Entry{Signed: mustSign(t, n, a), Checked: a.Places}
	var err error
	if e.Announcement, err = e.Open(); err != nil {
		t.Fatal(err)
	}
	if why := s.book.put(time.Now(), e, Source{Prefix: netip.PrefixFrom(placeOf(n).Addr(), 24)}); why != "" {
		t.Fatal(why)
	}
}

func TestListsAreMergedAndVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		a, b := n.open("a.example", Config{Title: "A\x1b[2J"}), n.open("b.example", Config{Title: "B"})
		older := announcement(1)
		newer := older
		newer.Seq, newer.Title = older.Seq+5, "newer"
		on(t, a, 1, newer)
		on(t, b, 1, older)
		on(t, a, 2, announcement(2))
		on(t, b, 3, announcement(3))
		on(t, b, 4, announcement(4))
		forged := b.book.of[stream.IDOf(keyOf(4))]
		forged.Body = strings.Replace(forged.Body, "Channel", "Chamber", 1)
		gone := announcement(2)
		gone.Seq, gone.TTL = gone.Seq+1, 0
		var c Client
		c.Transport = n.as("192.0.2.1:1")
		lists := []*url.URL{mustURL("https://a.example"), mustURL("https://nowhere.example/"), mustURL("https://b.example/")}
		l, failed := c.Read(t.Context(), lists, Wish{})
		if fmt.Sprint(titlesOf(l)) != "[Channel D Channel C newer]" || l.Forged != 1 || l.Old != 0 || len(failed) != 1 || failed[0].URL.Host != "nowhere.example" {
			t.Errorf("%v, %d forged, %v", titlesOf(l), l.Forged, failed)
		}
		if l.Titles[0] != "A\ufffd[2J" {
			t.Errorf("%q", l.Titles)
		}
		l, _ = c.Read(t.Context(), lists, Wish{Words: "NEW"})
		if fmt.Sprint(titlesOf(l)) != "[newer]" || l.Total != 1 {
			t.Errorf("%v, %d", titlesOf(l), l.Total)
		}
		l, _ = c.Read(t.Context(), lists[:1], Wish{Most: 1})
		if fmt.Sprint(titlesOf(l)) != "[Channel C]" || l.Total != 2 {
			t.Errorf("%v of %d", titlesOf(l), l.Total)
		}
		if got, want := l.Channels[0].Link(nil), "relay://"+stream.IDOf(keyOf(2)).String()+"@11.0.2.7:7144"; got != want {
			t.Errorf("the link is %s", got)
		}
		if got := l.Channels[0].Link(func(netip.AddrPort) bool { return false }); got != "" {
			t.Errorf("the link to nowhere is %q", got)
		}
		on(t, a, 2, gone)
		l, _ = c.Read(t.Context(), lists[:1], Wish{})
		if fmt.Sprint(titlesOf(l)) != "[newer]" || l.Forged+l.Old != 0 {
			t.Errorf("%v", titlesOf(l))
		}
		time.Sleep(TTL + time.Second)
		if l, _ = c.Read(t.Context(), lists, Wish{}); len(l.Channels) != 0 {
			t.Errorf("%v", titlesOf(l))
		}
	})
}

func titlesOf(l *List) (all []string) {
	for _, f := range l.Channels {
		all = append(all, f.Title)
	}
	return all
}

// What answers may be no directory: a PeerCast index page, with lines in either encoding, or anything.
func TestWhatIsNoDirectoryMayBeAnIndexPage(t *testing.T) {
	line := func(name string) string {
		return name + "<>0123456789ABCDEF0123456789ABCDEF<>203.0.113.7:7144<>http://example.org/<>Games<>Now<>12<>3<>500<>FLV<><><><><>x<>1:05<>click<>hi<>0\n"
	}
	yp := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/yp/index.txt" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, line("UTF ゲーム")+line("\x83Q\x81[\x83\x80 sjis")+"bad line\n"+line("evil\x1b]0;x\x07"))
	})
	n := newNet()
	n.web["yp.example"] = yp
	n.web["html.example"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") })
	n.web["page.example"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/page.html" { // there is a page, and nothing below it
			http.NotFound(w, r)
		}
	})
	n.web["flood.example"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "index.txt") {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, `{"channels":[{"body":"`, strings.Repeat("x", maxPageBytes), `"}]}`)
	})
	var c Client
	c.Transport = n.as("192.0.2.1:1")
	for _, u := range []string{"http://yp.example/yp/", "http://yp.example/yp/index.txt"} {
		l, failed := c.Read(t.Context(), []*url.URL{mustURL(u)}, Wish{})
		if len(failed) != 0 || len(l.PeerCast) != 3 {
			t.Fatalf("%s: %v, %v", u, l.PeerCast, failed)
		}
		p := l.PeerCast
		if p[0].Name != "UTF ゲーム" || p[1].Name != "ゲーム sjis" || strings.ContainsAny(p[2].Name, "\x1b\x07") ||
			p[0].Listeners != 12 || p[0].Kbps != 500 || p[0].Uptime != 65*time.Minute || p[0].Comment != "hi" || p[0].Tip != "203.0.113.7:7144" {
			t.Errorf("%+v", p)
		}
	}
	if l, _ := c.Read(t.Context(), []*url.URL{mustURL("http://yp.example/yp/")}, Wish{Words: "sjis"}); len(l.PeerCast) != 1 {
		t.Errorf("%v", l.PeerCast)
	}
	for _, u := range []string{"http://html.example/", "http://page.example/page.html", "http://flood.example/"} {
		if _, failed := c.Read(t.Context(), []*url.URL{mustURL(u)}, Wish{}); len(failed) != 1 || !errors.Is(failed[0].Err, ErrNoDirectory) {
			t.Errorf("%s: %v", u, failed)
		}
	}
}

// directory and index page read alike what directories write.
func TestADirectorysIndexIsReadAsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		s := n.open("a.example", Config{})
		a := announcement(1)
		a.PeerCast = netip.AddrPortFrom(placeOf(1).Addr(), 7148)
		on(t, s, 1, a)
		on(t, s, 2, announcement(2))
		var c Client
		c.Transport = n.as("192.0.2.1:1")
		l, failed := c.Read(t.Context(), []*url.URL{mustURL("http://a.example/index.txt")}, Wish{})
		if len(failed) != 0 || len(l.PeerCast) != 1 || l.PeerCast[0].Name != a.Title {
			t.Errorf("%+v, %v", l.PeerCast, failed)
		}
	})
}

func TestADirectoryLeadsToNoOtherHost(t *testing.T) {
	n := newNet()
	asked := false
	n.web["other.example"] = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true })
	n.web["a.example"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://other.example/", http.StatusTemporaryRedirect)
	})
	var c Client
	c.Transport = n.as("192.0.2.1:1")
	if _, failed := c.Read(t.Context(), []*url.URL{mustURL("https://a.example/")}, Wish{}); len(failed) != 1 || !errors.Is(failed[0].Err, ErrElsewhere) || asked {
		t.Errorf("%v", failed)
	}
}

// hundredThousand is a directory with as many channels as there may be, each signed.
var hundredThousand = sync.OnceValue(func() *Server {
	now := time.Now()
	s := NewServer(Config{Title: "All", Probe: func(context.Context, stream.ChannelID, netip.AddrPort, Dial) error { return nil }})
	var wg sync.WaitGroup
	for part := range 4 {
		wg.Go(func() {
			for i := part; i < MaxEntries; i += 4 {
				a := announcement(i)
				a.Title, a.Listeners, a.Seq = fmt.Sprintf("Channel %d", i), i*7919%10007, now.UnixMilli()
				a.Description, a.Genre, a.Codecs = "What is on tonight, and for how long it goes on", "Games", "H.264, AAC"
				signed, err := Sign(keyOf(i), a)
				if err != nil {
					panic(err)
				}
				e := &Entry{Signed: signed, Checked: a.Places}
				if e.Announcement, err = e.Open(); err != nil {
					panic(err)
				}
				s.book.put(now, e, Source{Prefix: netip.PrefixFrom(placeOf(i).Addr(), 24)})
			}
		})
	}
	wg.Wait()
	return s
})

// bench100k reads a list of 100,000. The announcements last ten minutes, in which the benchmark must be done.
func bench100k(b *testing.B, w Wish, want int) {
	n := newNet()
	n.web["a.example"] = hundredThousand()
	var c Client
	c.Transport = n.as("127.0.0.1:1") // this machine's own is not bounded
	u := []*url.URL{mustURL("http://a.example/")}
	c.Read(b.Context(), u, Wish{Most: 1})
	for b.Loop() {
		l, failed := c.Read(b.Context(), u, w)
		if len(failed) > 0 || len(l.Channels) != want || l.Forged+l.Old > 0 || l.Total != MaxEntries && w.Words == "" {
			b.Fatalf("%d of %d, %v", len(l.Channels), l.Total, failed)
		}
	}
}

func BenchmarkRead100kMost500(b *testing.B) { bench100k(b, Wish{Most: 500}, 500) }

func BenchmarkRead100kSearch(b *testing.B) { bench100k(b, Wish{Words: "channel 99999"}, 1) }

func BenchmarkRead100kAllVerified(b *testing.B) { bench100k(b, Wish{}, MaxEntries) }

// BenchmarkMirror100k reads all 100,000, as a mirror does four times an hour that knows them: what it knows is not verified again.
func BenchmarkMirror100k(b *testing.B) {
	n := newNet()
	n.web["a.example"] = hundredThousand()
	s := n.open("m.example", Config{Mirrors: []*url.URL{mustURL("http://a.example/")}})
	m := s.mirrors[0]
	m.ask.Transport = n.as("127.0.0.1:1")
	for _, known := range hundredThousand().book.of {
		s.book.put(time.Now(), known.Entry, Source{Mirror: m.url.String()})
	}
	h := m.ask.http()
	for b.Loop() {
		m.asked = 0
		if err := m.pull(b.Context(), h); err != nil {
			b.Fatal(err)
		}
	}
	if st := m.status(); st.Taken > 0 || st.Refused > 0 || len(s.book.of) != MaxEntries {
		b.Errorf("%+v, %d listed", st, len(s.book.of))
	}
}

func BenchmarkPage100k(b *testing.B) {
	s := hundredThousand()
	for b.Loop() {
		r, _ := http.NewRequest(http.MethodGet, "/?q=tonight+games&page=900", nil)
		r.RemoteAddr = "127.0.0.1:1"
		s.ServeHTTP(discard{}, r)
	}
}

// BenchmarkIndex100k reads a PeerCast index page of 100,000 lines, which nobody signs.
func BenchmarkIndex100k(b *testing.B) {
	line := index.Channel{Name: "Channel", ID: index.ID{1}, Tip: "203.0.113.7:7144", Contact: "http://example.org/", Genre: "Games", Description: "Now", Listeners: 12, Kbps: 500, Type: "FLV"}.Line() + "\n"
	body := []byte(strings.Repeat(line, MaxEntries))
	n := newNet()
	n.web["yp.example"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })
	var c Client
	c.Transport = n.as("192.0.2.1:1")
	for b.Loop() {
		l, failed := c.Read(b.Context(), []*url.URL{mustURL("http://yp.example/index.txt")}, Wish{})
		if len(failed) > 0 || len(l.PeerCast) != MaxEntries {
			b.Fatalf("%d, %v", len(l.PeerCast), failed)
		}
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}
