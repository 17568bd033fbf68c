package treetest_test

import (
	"testing"
	"time"

	"relay/tree/treetest"
)

// vices says what each vice may do at most in two minutes, in a crowd of forty with four
// liars known to all.
var vices = map[treetest.Vice]struct {
	most  int           // times that one host falls for one liar
	pause time.Duration // without a chunk, of any host
}{
	treetest.Refuses:  {0, time.Second},
	treetest.Itself:   {0, time.Second},
	treetest.Ring:     {0, time.Second},
	treetest.Floods:   {0, time.Second},
	treetest.Replays:  {0, time.Second},
	treetest.Mute:     {0, time.Second},
	treetest.Hollow:   {0, time.Second},
	treetest.Timeless: {0, time.Second},
	treetest.Shallow:  {0, time.Second},
	treetest.Ahead:    {0, time.Second},
	treetest.Knot:     {2, 3 * time.Second}, // it delivers, until it falls with its own parent
}

func TestLiarsCostTheirNeighboursABoundedAttempt(t *testing.T) {
	for _, v := range treetest.Vices {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			s := treetest.New(treetest.Config{
				Seed: 3, MinDelay: 2 * ms, MaxDelay: 40 * ms, Stream: treetest.Stream{Interval: 100 * ms}, Large: true, Vouched: true,
			})
			n, take := 40, 2*time.Minute
			if raceEnabled {
				n, take = 20, 90*time.Second
			}
			toll, err := treetest.RunSiege(s, treetest.Crowd{
				N: n, Mix: treetest.Mixes["lan"], Sessions: treetest.Exponential(3 * time.Minute), Graceful: 0.3,
				Spread: 5 * time.Second, Seeds: 1, Gossip: treetest.DefaultGossip,
			}, v, 4, take)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d moves below a liar, %d of one host below one; %.1f dials to one per host and minute; %d of %d sessions good, %d chunks missed; first chunk after %v, and %v without one, at most",
				toll.Fell, toll.Most, toll.Asked, toll.Good, toll.Sessions, toll.Skipped,
				treetest.Quantile(toll.First, 1), treetest.Quantile(toll.Outages, 1))
			bar, ok := vices[v]
			if !ok {
				t.Fatal("nobody has said what it may do")
			}
			if toll.Stuck > 0 {
				t.Errorf("%d hosts starve below a liar", toll.Stuck)
			}
			if toll.Most > bar.most {
				t.Errorf("one host fell for one liar %d times in %v", toll.Most, take)
			}
			if toll.Good < toll.Sessions || toll.Sessions < n/2 {
				t.Errorf("%d of %d sessions had 99%% of their chunks in time", toll.Good, toll.Sessions)
			}
			if p := treetest.Quantile(toll.Outages, 1); p > bar.pause {
				t.Errorf("a host was without a chunk for %v", p)
			}
			if f := treetest.Quantile(toll.First, 1); f > 3*time.Second {
				t.Errorf("a newcomer waited %v for its first chunk", f)
			}
			if toll.Asked > 20 {
				t.Errorf("a host dials liars %.1f times a minute", toll.Asked)
			}
		})
	}
}
