package follow

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/stream"
)

// sky is a finder that sees what is in it, and counts.
type sky struct {
	mu    sync.Mutex
	list  []Channel
	on    map[stream.ChannelID]State
	asked []time.Duration // since the beginning
	of    int             // channels that were asked about last
	begun time.Time
}

func (s *sky) find(_ context.Context, of []Channel, found func(Sighting)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.of = append(s.asked, time.Since(s.begun).Round(time.Second)), len(of)
	for _, c := range of {
		if st := s.on[c.ID]; st != Off {
			found(Sighting{ID: c.ID, State: st, Node: "kitchen"})
		}
	}
}

// follows returns the list.
func (s *sky) follows() []Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list
}

// turn changes what there is.
func (s *sky) turn(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// rounds is how often it was asked.
func (s *sky) rounds() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func TestFollowedChannelsAreToldOfOnceForEachChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sky{on: map[stream.ChannelID]State{id(1): Live}, begun: time.Now(), list: []Channel{{Name: "a", ID: id(1)}, {Name: "b", ID: id(2)}}}
		var told []string
		w := &Watcher{
			Read: s.follows, Finders: []Finder{s.find}, Rand: rand.New(rand.NewPCG(1, 2)),
			Told: func(f Followed, airs bool) { told = append(told, fmt.Sprint(f.Name, " ", airs)) },
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { w.Run(ctx); close(done) }()
		is := func(want string) {
			t.Helper()
			synctest.Wait()
			if got := strings.Join(told, ", "); got != want {
				t.Errorf("after %v: %q, want %q", time.Since(s.begun), got, want)
			}
			told = nil
		}
		time.Sleep(firstAfter - time.Nanosecond)
		is("")
		if s.rounds() != 0 {
			t.Error("it asks at the start")
		}
		if now := w.Now(); len(now) != 2 || now[0].State != Off {
			t.Errorf("%+v", now)
		}
		time.Sleep(time.Nanosecond)
		is("a true")
		s.turn(func() { s.on[id(2)] = On })
		time.Sleep(askMost)
		is("b true")
		if now := w.Now(); now[0].State != Live || now[1].State != On || now[1].Node != "kitchen" {
			t.Errorf("%+v", now)
		}
		// One round that misses it is no end; two are.
		s.turn(func() { s.on[id(1)], s.on[id(2)] = Off, Waiting })
		rounds := s.rounds()
		for s.rounds() == rounds {
			time.Sleep(time.Second)
			synctest.Wait()
		}
		is("")
		if w.Now()[0].State != Live {
			t.Error("it is off after one round")
		}
		time.Sleep(askMost)
		is("a false, b false")
		// What is added is asked about soon, and alone.
		s.turn(func() {
			s.list = append(s.list[:2:2], Channel{Name: "c", ID: id(3)})
			s.on[id(3)] = Live
		})
		time.Sleep(readEvery)
		is("c true")
		if s.of != 1 {
			t.Errorf("with %d others", s.of-1)
		}
		s.turn(func() { s.list = s.list[:1] })
		time.Sleep(readEvery)
		synctest.Wait()
		if len(w.Now()) != 1 {
			t.Errorf("%+v", w.Now())
		}
		cancel()
		<-done
		if len(s.asked) > 8 || len(s.asked) < 4 {
			t.Errorf("asked at %v", s.asked)
		}
	})
}

// Nodes that begin together do not go on asking together, and no list makes one ask without end.
func TestRoundsAreFewAndApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all []*sky
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 10 {
			s := &sky{begun: time.Now()}
			all = append(all, s)
			for k := range 70 {
				s.list = append(s.list, Channel{ID: id(k)})
			}
			w := &Watcher{Read: s.follows, Finders: []Finder{s.find}, Rand: rand.New(rand.NewPCG(uint64(i), 7))}
			go w.Run(ctx)
		}
		time.Sleep(time.Hour)
		cancel()
		synctest.Wait()
		third := make(map[time.Duration]bool)
		for _, s := range all {
			if n := len(s.asked); n < 10 || n > 16 || s.of != maxAsked {
				t.Errorf("asked %d times in an hour, about %d channels", n, s.of)
			}
			third[s.asked[2]] = true
		}
		if len(third) < 7 {
			t.Errorf("of 10 nodes some ask at the same time: %d times", len(third))
		}
	})
}

func TestTheBestWordCounts(t *testing.T) {
	says := func(all ...Sighting) Finder {
		return func(_ context.Context, _ []Channel, found func(Sighting)) {
			for _, s := range all {
				found(s)
			}
		}
	}
	got := Look(t.Context(), []Channel{{ID: id(1)}, {ID: id(2)}},
		says(Sighting{ID: id(1), State: On, Node: "kitchen"}, Sighting{ID: id(9), State: Live}),
		says(Sighting{ID: id(1), State: Live, Title: "Finals"}, Sighting{ID: id(1), State: Waiting, Title: "other"}),
		says())
	if len(got) != 2 || got[id(1)].State != Live || got[id(1)].Title != "Finals" || got[id(1)].Node != "kitchen" || got[id(2)].State != Off {
		t.Errorf("%+v", got)
	}
}
