package treetest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"relay/tree/treetest"
)

// bar is what a vice may do at most in two minutes, in a crowd of forty with four liars known to all.
type bar struct {
	most  int           // times that one host falls for one liar
	pause time.Duration // without a chunk, of any host
}

var (
	// unwelcoming is the bar of those that let nobody in, or show with the label that they lie.
	unwelcoming = bar{0, time.Second}
	// welcoming is that of those that let anybody in and send nothing. A host that is served, or that has
	// just come, waits for a chunk. One that has lost its parent commits at once, since others wait below
	// it; it looks further after half a second, may be let in by a second liar then, and leaves the first
	// one alone for a minute.
	welcoming = bar{2, 2 * time.Second}
)

var vices = map[treetest.Vice]bar{
	treetest.Refuses:  unwelcoming,
	treetest.Itself:   unwelcoming,
	treetest.Ring:     unwelcoming,
	treetest.Floods:   unwelcoming,
	treetest.Replays:  unwelcoming,
	treetest.Mute:     welcoming,
	treetest.Hollow:   welcoming,
	treetest.Timeless: welcoming,
	treetest.Shallow:  welcoming,
	treetest.Ahead:    welcoming,
	treetest.Forges:   unwelcoming,
	treetest.Starves:  {2, 3 * time.Second}, // it delivers for a while
	treetest.Delays:   {2, 3 * time.Second},
	treetest.Shifts:   {2, 3 * time.Second},
	treetest.Knot:     {2, 3 * time.Second}, // it delivers, until it falls with its own parent
}

// sieges are seeds; with 8 and 15 hosts that have lost their parent know of little but liars.
func sieges() []uint64 {
	if raceEnabled {
		return []uint64{3}
	}
	return []uint64{3, 7, 8, 15}
}

func TestLiarsCostTheirNeighboursABoundedAttempt(t *testing.T) {
	for _, v := range treetest.Vices {
		seeds := sieges()
		if v == treetest.Delays || v == treetest.Shifts { // as starves, to those below
			seeds = seeds[:1]
		}
		for _, seed := range seeds {
			t.Run(fmt.Sprintf("%s/seed %d", v, seed), func(t *testing.T) { besiege(t, v, seed) })
		}
	}
}

// besieged is what liars cost a crowd of n.
func besieged(t *testing.T, v treetest.Vice, seed uint64, n, liars int, take time.Duration) treetest.Toll {
	t.Helper()
	s := treetest.New(treetest.Config{
		Seed: seed, MinDelay: 2 * ms, MaxDelay: 40 * ms, Stream: treetest.Stream{Interval: 100 * ms}, Large: true, Vouched: true, Proofs: true,
	})
	toll, err := treetest.RunSiege(s, treetest.Crowd{
		N: n, Mix: treetest.Mixes["lan"], Sessions: treetest.Exponential(3 * time.Minute), Graceful: 0.3,
		Spread: 5 * time.Second, Seeds: 1, Gossip: treetest.DefaultGossip,
	}, v, liars, take)
	if err != nil {
		t.Fatal(err)
	}
	return toll
}

func besiege(t *testing.T, v treetest.Vice, seed uint64) {
	t.Parallel()
	n, take := 40, 2*time.Minute
	if raceEnabled {
		n, take = 20, 90*time.Second
	}
	toll := besieged(t, v, seed, n, 4, take)
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
	if v == treetest.Starves || v == treetest.Delays || v == treetest.Shifts {
		if b := treetest.Quantile(toll.Below, 0.5); b > 5*time.Second {
			t.Errorf("of those that a liar did harm to, half stayed for more than %v", b)
		}
	}
	if (v == treetest.Forges) != (toll.Forged > 0) {
		t.Errorf("%d forged chunks came", toll.Forged)
	}
	if toll.Asked > 20 {
		t.Errorf("a host dials liars %.1f times a minute", toll.Asked)
	}
}

// With seeds 1, 2 and 4 newcomers met liars that had what was, and would have begun there.
func TestACrowdPlaysOnAmongLiarsThatHarmLater(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine, and 8 times as slow; each vice is tried above")
	}
	for _, c := range []struct {
		liars int // beside as many who serve as make that 20 and 40 %
		whole float64
	}{{19, 0.99}, {51, 0.95}} {
		for _, v := range []treetest.Vice{treetest.Starves, treetest.Delays} {
			t.Run(fmt.Sprintf("%d that %s", c.liars, strings.TrimSuffix(string(v), "s")), func(t *testing.T) {
				t.Parallel()
				var whole, sessions int
				for _, seed := range []uint64{1, 2, 4} {
					toll := besieged(t, v, seed, 100, c.liars, 2*time.Minute)
					whole, sessions = whole+toll.Clean, sessions+toll.Sessions
				}
				if sessions < 250 || float64(whole) < c.whole*float64(sessions) {
					t.Errorf("%d of %d sessions had each chunk within 4 s", whole, sessions)
				}
			})
		}
	}
}
