package directory

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/stream"
)

// endless is a list that always has a next page.
type endless struct{}

func (endless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answerJSON(w, http.StatusOK, Page{Next: r.URL.Query().Get("after") + "x"})
}

// noted is a directory that notes what it is sent.
type noted struct {
	mu     sync.Mutex
	at     []time.Duration
	titles []string
	ttls   []time.Duration
	answer func(n int) (int, Answer)
	begun  time.Time
}

func (d *noted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b := make([]byte, MaxBody)
	k, _ := r.Body.Read(b)
	a, _ := (&Signed{Body: string(b[:k])}).Open()
	d.mu.Lock()
	n := len(d.at)
	d.at = append(d.at, time.Since(d.begun).Round(time.Second))
	d.titles = append(d.titles, a.Title)
	d.ttls = append(d.ttls, a.TTL)
	d.mu.Unlock()
	code, answer := d.answer(n)
	answerJSON(w, code, answer)
}

func TestAChannelIsAnnouncedAtOnceWhenItChangesAndTwiceInItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		d := &noted{begun: time.Now(), answer: func(int) (int, Answer) { return 200, Answer{} }}
		n.web["d.example"] = d
		var mu sync.Mutex
		what := announcement(1)
		what.Title = "first"
		a := &Announcer{
			URL: mustURL("https://d.example/below/"), Key: keyOf(1), Told: func(error) {}, Client: Client{Transport: n.as("192.0.2.1:1")},
			What: func(context.Context) Announcement { mu.Lock(); defer mu.Unlock(); return what },
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { a.Run(ctx); close(ended) }()
		change := func(after time.Duration, f func()) { time.Sleep(after); mu.Lock(); f(); mu.Unlock() }
		change(11*time.Second, func() { what.Title = "second" })    // waits for the minute to be over
		change(100*time.Second, func() { what.BitRate += 100_000 }) // waits for the next time
		change(5*time.Minute, func() { what.Title = "third" })      // at once
		change(5*time.Minute, func() {})                            // again
		change(time.Minute, func() { what.Places = nil })           // nobody can reach it now
		change(10*time.Minute, func() { what = announcement(1) })
		time.Sleep(10 * time.Second)
		cancel()
		<-ended
		d.mu.Lock()
		defer d.mu.Unlock()
		want := "[0s 1m5s 6m5s 7m10s 12m10s 22m55s 23m1s]"
		if fmt.Sprint(d.at) != want || d.titles[1] != "second" || d.titles[3] != "third" || d.ttls[0] != TTL || d.ttls[len(d.ttls)-1] != 0 {
			t.Errorf("announced at %v, want %s: %v, %v", d.at, want, d.titles, d.ttls)
		}
	})
}

// What goes wrong is told once, and when that is over; the pauses grow, and obey the directory.
func TestFailuresAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		d := &noted{begun: time.Now(), answer: func(i int) (int, Answer) {
			switch {
			case i < 3:
				return 422, Answer{Error: RefusedDead, WaitS: 1}
			case i < 4:
				return 429, Answer{Error: RefusedAddress, WaitS: 2000}
			}
			return 200, Answer{}
		}}
		n.web["d.example"] = d
		var told []string
		a := &Announcer{
			URL: mustURL("https://d.example"), Key: keyOf(1), Client: Client{Transport: n.as("192.0.2.1:1")},
			What: func(context.Context) Announcement { return announcement(1) }, Told: func(err error) { told = append(told, fmt.Sprint(err)) },
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		a.Run(ctx)
		if want := "[the directory refuses: dead the directory refuses: address <nil>]"; fmt.Sprint(told) != want {
			t.Errorf("told %v", told)
		}
		if want := "[0s 1m5s 3m10s 8m10s 41m30s 46m30s 51m30s 56m30s 1h0m0s]"; fmt.Sprint(d.at) != want {
			t.Errorf("tried at %v, want %s", d.at, want)
		}
	})
}

// A directory that takes connections and says nothing holds nobody up, not even at the end.
func TestASilentDirectoryDelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		n.web["d.example"] = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		var told []error
		a := &Announcer{
			URL: mustURL("https://d.example"), Key: keyOf(1), Client: Client{Transport: n.as("192.0.2.1:1")},
			What: func(context.Context) Announcement { return announcement(1) }, Told: func(err error) { told = append(told, err) },
		}
		a.listed = true // it was quicker before
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+5*time.Second)
		defer cancel()
		begun := time.Now()
		a.Run(ctx)
		if took := time.Since(begun); took > time.Minute+5*time.Second+goodbyeTime {
			t.Errorf("the end takes %v", took)
		}
		if len(told) != 1 || told[0] == nil {
			t.Errorf("told %v", told)
		}
	})
}

// The clock of a broadcaster's machine may go back: what it announces is newer all the same.
func TestSequencesRise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		s := n.open("d.example", Config{})
		n.carries(placeOf(1), stream.IDOf(keyOf(1)))
		a := &Announcer{URL: mustURL("https://d.example"), Key: keyOf(1), Client: Client{Transport: n.as(fromOf(1))}, seq: time.Now().Add(3 * time.Minute).UnixMilli()}
		h := a.Client.http()
		for range 3 {
			if err := a.announce(t.Context(), h, announcement(1), TTL); err != nil {
				t.Errorf("%v", err)
			}
			time.Sleep(announceAgain)
		}
		if s.book.get(time.Now(), stream.IDOf(keyOf(1))).Seq <= time.Now().UnixMilli()-announceAgain.Milliseconds()*3 {
			t.Error("the first counts")
		}
		a.seq = time.Now().Add(time.Hour).UnixMilli()
		if err := a.announce(t.Context(), h, announcement(1), TTL); err != nil {
			t.Errorf("after the clock was set back by an hour: %v", err)
		}
	})
}

func TestFiguresThatAreAboutTheSameWait(t *testing.T) {
	for _, c := range []struct {
		a, b int
		want bool
	}{{0, 0, false}, {-1, 0, false}, {0, 3, true}, {3, 0, true}, {3, 5, false}, {10, 14, false}, {10, 16, true}, {1000, 1400, false}, {1600, 1000, true}} {
		if got := differ(c.a, c.b); got != c.want {
			t.Errorf("%d and %d: %v", c.a, c.b, got)
		}
	}
}

// A source that ends while it is dialled back does not hear whether it was taken, and says goodbye all the same.
func TestWhoEndsBeforeTheAnswerSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		d := &noted{begun: time.Now()}
		d.answer = func(n int) (int, Answer) {
			if n == 0 {
				time.Sleep(3 * time.Second) // it dials back
			}
			return 200, Answer{}
		}
		n.web["d.example"] = d
		a := &Announcer{
			URL: mustURL("https://d.example/"), Key: keyOf(1), Told: func(error) {}, Client: Client{Transport: n.as("192.0.2.1:1")},
			What: func(context.Context) Announcement { return announcement(1) },
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); a.Run(ctx) }()
		time.Sleep(time.Second)
		cancel()
		<-ended
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.ttls) != 2 || d.ttls[0] != TTL || d.ttls[1] != 0 {
			t.Errorf("it has said %v", d.ttls)
		}
	})
}
