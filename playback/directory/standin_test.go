package directory

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/stream"
)

// visited notes what a host is asked.
type visited struct {
	http.Handler
	mu    sync.Mutex
	asked []string
}

func (v *visited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	v.asked = append(v.asked, r.Method+" "+r.URL.Path)
	v.mu.Unlock()
	v.Handler.ServeHTTP(w, r)
}

func (v *visited) count(what string) (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, a := range v.asked {
		if a == what {
			n++
		}
	}
	return n
}

func (v *visited) total() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.asked)
}

// TestTakingADirectoryDownTakesNothingAway has a directory be gone for an hour that has a mirror, and names as such others, too:
// another directory, a page, and the router in the broadcasters' network.
func TestTakingADirectoryDownTakesNothingAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		id := stream.IDOf(keyOf(1))
		n.carries(placeOf(1), id)
		names := []*url.URL{mustURL("https://router.example/"), mustURL("http://192.168.1.1/"), mustURL("https://page.example/"), mustURL("https://mirror.example/below/"), mustURL("https://fourth.example/")}
		first := n.open("d.example", Config{MirroredAt: names})
		mirror := n.open("mirror.example", Config{Mirrors: []*url.URL{mustURL("https://d.example")}})
		go mirror.Tend(ctx)
		at := &visited{Handler: http.StripPrefix("/below", mirror)}
		other := &visited{Handler: n.open("page.example", Config{Mirrors: []*url.URL{mustURL("https://elsewhere.example")}})}
		router := &visited{Handler: http.NotFoundHandler()}
		n.mu.Lock()
		n.web["mirror.example"], n.web["page.example"], n.web["router.example"], n.web["192.168.1.1"] = at, other, router, router
		n.mu.Unlock()

		var told []string
		a := &Announcer{
			URL: mustURL("https://d.example/"), Key: keyOf(1), Client: Client{Transport: n.as(fromOf(1))},
			What: func(context.Context) Announcement { return announcement(1) },
			Told: func(err error) { told = append(told, fmt.Sprint(err)) }, Instead: func(u *url.URL) { told = append(told, u.Host) },
		}
		live, end := context.WithCancel(ctx)
		var ended sync.WaitGroup
		ended.Go(func() { a.Run(live) })
		listed := func(s *Server) bool {
			synctest.Wait()
			e := s.book.get(time.Now(), id)
			return e != nil && !e.Gone()
		}
		time.Sleep(90 * time.Second)
		if !listed(first) || !listed(mirror) || at.count("POST /below"+announcePath) > 0 {
			t.Fatalf("listed: %t, %t; the mirror was asked %v", listed(first), listed(mirror), at.asked)
		}
		n.down("d.example")
		for range 6 * 60 { // an hour: at no moment is it off the mirror's list
			time.Sleep(10 * time.Second)
			if !listed(mirror) {
				t.Fatalf("off the list; the mirror was asked %v, told %v", at.asked, told)
			}
		}
		if !slices.Contains(told, "mirror.example") || at.count("POST /below"+announcePath) < 10 {
			t.Errorf("told %v; the mirror was asked %v", told, at.asked)
		}
		if other.count("POST "+announcePath) > 0 || router.count("POST "+announcePath) > 0 || other.count("GET "+statusPath) > 2 || router.count("GET "+statusPath) > 2 || other.total() > 2 || router.total() > 2 {
			t.Errorf("others were asked %v and %v", other.asked, router.asked)
		}
		// It is back, with an empty list.
		again := n.open("d.example", Config{})
		time.Sleep(10*time.Minute + 30*time.Second)
		posts := at.count("POST /below" + announcePath)
		if !listed(again) || !listed(mirror) {
			t.Errorf("listed again: %t, %t", listed(again), listed(mirror))
		}
		time.Sleep(time.Hour)
		if more := at.count("POST /below"+announcePath) - posts; more > 0 || !listed(again) || !listed(mirror) {
			t.Errorf("the mirror got %d announcements more", more)
		}
		end()
		ended.Wait()
		if listed(again) {
			t.Error("it is listed after its end")
		}
	})
}

// TestABroadcastThatEndsIsTakenOffTheMirrors ends one while the directory is gone.
func TestABroadcastThatEndsIsTakenOffTheMirrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		n.carries(placeOf(1), stream.IDOf(keyOf(1)))
		n.open("d.example", Config{MirroredAt: []*url.URL{mustURL("https://mirror.example")}})
		mirror := n.open("mirror.example", Config{Mirrors: []*url.URL{mustURL("https://D.example/")}})
		a := &Announcer{
			URL: mustURL("https://d.example/"), Key: keyOf(1), Client: Client{Transport: n.as(fromOf(1))},
			What: func(context.Context) Announcement { return announcement(1) }, Told: func(error) {}, Instead: func(*url.URL) {},
		}
		ctx, cancel := context.WithCancel(t.Context())
		var ended sync.WaitGroup
		ended.Go(func() { a.Run(ctx) })
		time.Sleep(time.Minute)
		n.down("d.example")
		time.Sleep(20 * time.Minute)
		if e := mirror.book.get(time.Now(), stream.IDOf(keyOf(1))); e == nil || e.Gone() {
			t.Fatalf("the mirror has %+v", e)
		}
		cancel()
		ended.Wait()
		if e := mirror.book.get(time.Now(), stream.IDOf(keyOf(1))); e != nil && !e.Gone() {
			t.Errorf("the mirror has %+v after the end", e)
		}
	})
}

func TestWhoMayStandInForADirectory(t *testing.T) {
	for pair, want := range map[string]bool{
		"https://d.example/ https://m.example/list":           true,
		"http://d.example/ https://m.example/":                true,
		"https://d.example/ http://m.example/":                false, // a name may be anything in one's own network
		"https://d.example/ https://d.example":                false, // itself
		"https://d.example/ https://u@m.example/":             false,
		"https://d.example/ https://m.example/?x=1":           false,
		"https://d.example/ ftp://m.example/":                 false,
		"https://d.example/ /below":                           false,
		"https://d.example/ http://203.0.113.7:7148/":         true,
		"https://d.example/ http://192.168.1.1/":              false,
		"https://d.example/ https://192.168.1.1/":             false,
		"https://d.example/ http://127.0.0.1:8080/":           false,
		"https://d.example/ http://[::1]:8080/":               false,
		"https://d.example/ http://169.254.169.254/":          false,
		"http://192.168.1.5:7148/ http://192.168.1.6:7148/":   true,
		"http://192.168.1.5:7148/ http://10.0.0.1/":           false,
		"http://192.168.1.5:7148/ http://127.0.0.1:631/":      false,
		"http://127.0.0.1:7148/ http://127.0.0.1:7149/":       true,
		"http://127.0.0.1:7148/ http://192.168.1.1/":          false,
		"http://203.0.113.5:7148/ http://[fd00::1]:7148/":     false,
		"http://203.0.113.5:7148/ http://[2001:db8::1]:7148/": true,
		"http://203.0.113.5:7148/ http://[::ffff:10.0.0.1]/":  false,
		"http://203.0.113.5:7148/ http://[::ffff:127.0.0.1]/": false,
		"https://d.example/ https://0.0.0.0/":                 false,
		"https://d.example/ https://224.0.0.1/":               false,
	} {
		at, mirror, _ := strings.Cut(pair, " ")
		if got := mayStandIn(mustURL(at), mustURL(mirror)); got != want {
			t.Errorf("%s: %t", pair, got)
		}
	}
}
