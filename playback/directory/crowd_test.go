package directory

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/stream"
)

// Three directories and 500 broadcasters: two are announced to, the third mirrors both, and one of them mirrors it, which
// is a loop. Two go down: the third goes on for as long as announcements count; one comes back, empty, and has all again
// by the next announcements.
func TestTakingOneDownTakesNothingAway(t *testing.T) {
	const crowd = 500
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		n := newNet()
		urlOf := func(host string) *url.URL { return mustURL("https://" + host + "/") }
		tended := func(host string, mirrors ...string) *Server {
			cfg := Config{Title: host}
			for _, m := range mirrors {
				cfg.Mirrors = append(cfg.Mirrors, urlOf(m))
			}
			s := n.open(host, cfg)
			go s.Tend(ctx)
			return s
		}
		a := tended("a.example")
		b := tended("b.example", "c.example")
		c := tended("c.example", "a.example", "b.example", "c.example") // itself as well
		var failures, recovered atomic.Int64
		for i := range crowd {
			n.carries(placeOf(i), stream.IDOf(keyOf(i)))
			what := announcement(i)
			for _, host := range []string{"a.example", "b.example"} {
				announcer := &Announcer{
					URL: urlOf(host), Key: keyOf(i), What: func(context.Context) Announcement { return what },
					Told: func(err error) {
						if err != nil {
							failures.Add(1)
						} else {
							recovered.Add(1)
						}
					},
					Client: Client{Transport: n.as(fromOf(i))},
				}
				go announcer.Run(ctx)
				time.Sleep(20 * time.Millisecond) // people do not begin all at once
			}
		}
		count := func(s *Server) int { return len(s.book.shelf(time.Now()).byCrowd) }
		all := func(when string, servers ...*Server) {
			t.Helper()
			synctest.Wait()
			for _, s := range servers {
				if got := count(s); got != crowd {
					t.Errorf("%s: %s lists %d of %d", when, s.cfg.Title, got, crowd)
				}
			}
		}
		time.Sleep(3 * time.Minute)
		all("at first", a, b, c)
		n.down("a.example")
		time.Sleep(12 * time.Minute)
		all("without a", b, c)
		n.down("b.example")
		time.Sleep(4 * time.Minute)
		all("for as long as they count", c)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := count(c); got != 0 {
			t.Errorf("nobody announces any more, and %d are listed", got)
		}
		again := tended("a.example")
		time.Sleep(11 * time.Minute)
		all("a is back", again, c)
		if got := failures.Load(); got != 2*crowd {
			t.Errorf("%d failures are told of, one for each directory that is down", got)
		}
		if got := recovered.Load(); got != 3*crowd {
			t.Errorf("%d successes are told of", got)
		}
		for _, s := range []*Server{a, b, c, again} {
			for why, n := range s.Counts() {
				if n > 0 {
					t.Errorf("%s has refused %d: %s", s.cfg.Title, n, why)
				}
			}
		}
		cancel()
		time.Sleep(2 * goodbyeTime)
		synctest.Wait()
		if got := count(again); got != 0 {
			t.Errorf("%d are listed when all have ended", got)
		}
	})
}

// A mirror is believed no more than anybody: what it changes, makes up or repeats is refused and counted.
func TestAMirrorIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		evil := n.open("evil.example", Config{})
		s := n.open("a.example", Config{Mirrors: []*url.URL{mustURL("https://evil.example")}})
		put := func(i int, change func(*Entry)) {
			e := &Entry{Signed: mustSign(t, i, announcement(i))}
			var err error
			if e.Announcement, err = e.Open(); err != nil {
				t.Fatal(err)
			}
			e.Checked = []netip.AddrPort{placeOf(i)}
			change(e)
			evil.book.put(time.Now(), e, Source{})
		}
		put(1, func(*Entry) {})
		put(2, func(e *Entry) { e.Sig[5] ^= 1 })
		put(3, func(e *Entry) { e.Body = e.Body[:len(e.Body)-1] })
		put(4, func(e *Entry) {
			e.Signed = mustSign(t, 4, Announcement{Seq: time.Now().Add(-time.Hour).UnixMilli(), TTL: TTL})
		})
		put(5, func(e *Entry) {
			e.Signed = mustSign(t, 5, Announcement{Seq: time.Now().Add(time.Hour).UnixMilli(), TTL: TTL})
		})
		put(6, func(e *Entry) { e.Checked = addrs("192.0.2.1:25", "127.0.0.1:7144") }) // which the channel does not name
		ctx, cancel := context.WithCancel(t.Context())
		var tending sync.WaitGroup
		tending.Go(func() { s.Tend(ctx) })
		time.Sleep(90 * time.Second)
		cancel()
		tending.Wait()
		sh := s.book.shelf(time.Now())
		if len(sh.byCrowd) != 2 {
			t.Errorf("%d are listed, of two honest ones", len(sh.byCrowd))
		}
		for _, e := range sh.byCrowd {
			if want := placeOf(e.Listeners); fmt.Sprint(e.Checked) != fmt.Sprint([]netip.AddrPort{want}) && e.Listeners != 6 || e.Listeners == 6 && len(e.Checked) != 0 {
				t.Errorf("channel %d is at %v", e.Listeners, e.Checked)
			}
		}
		got := s.Counts()
		if got[RefusedForged] == 0 || got[RefusedGarbled] == 0 || got[RefusedClock] < 2 {
			t.Errorf("counted: %v", got)
		}
		st := s.Status()
		if len(st.Mirrors) != 1 || st.Mirrors[0].Taken != 2 || st.Mirrors[0].Refused < 4 || st.Mirrors[0].Read == 0 {
			t.Errorf("%+v", st.Mirrors)
		}
	})
}

// A list that has no end, or sends in circles, ends the reading.
func TestAListWithoutAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		n.web["endless.example"] = endless{}
		var c Client
		c.Transport = n.as("192.0.2.1:1")
		_, failed := c.Read(t.Context(), []*url.URL{mustURL("http://endless.example/")}, Wish{})
		if len(failed) != 1 || failed[0].Err != ErrUnending {
			t.Errorf("%v", failed)
		}
	})
}
