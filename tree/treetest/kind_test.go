package treetest_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"relay/tree/treetest"
)

// lookedAround is a time in which every host has looked for a place nearer to the root.
const lookedAround = 45 * time.Second

// behind is a network in which hosts call each other.
func behind(seed uint64) *treetest.Sim {
	return treetest.New(treetest.Config{
		Seed: seed, MinDelay: 2 * ms, MaxDelay: 60 * ms, Stream: treetest.Stream{Interval: 100 * ms}, Probes: true, Proofs: true, Calls: true,
	})
}

// wantKinds checks that nobody is below a closed host but those in its home, and that a call
// gets everybody through who is below a punchable one.
func wantKinds(t *testing.T, s *treetest.Sim) {
	t.Helper()
	for _, h := range s.Hosts() {
		p := h.Parent()
		if !h.Alive() || p == nil || h.Home != 0 && h.Home == p.Home {
			continue
		}
		if p.Kind == treetest.Closed || p.Kind == treetest.Punchable && !s.Meet(h, p) {
			t.Errorf("host %d (%v) is below host %d (%v)", h.Index, h.Kind, p.Index, p.Kind)
		}
	}
}

func TestEverybodyIsServedWhateverShareIsClosed(t *testing.T) {
	for _, percent := range []int{0, 30, 60, 90} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%d%%/seed %d", percent, seed), func(t *testing.T) {
				t.Parallel()
				n := 60
				if raceEnabled {
					n = 30
				}
				s := behind(seed)
				p := treetest.NewPopulation(s, treetest.Crowd{
					N: n, Mix: treetest.Mixes["lan"], Spread: 5 * time.Second, Seeds: 2, Gossip: treetest.DefaultGossip,
					Kinds: &treetest.Kinds{Closed: float64(percent) / 100, Punchable: float64(100-percent) / 200},
				})
				end := p.Watch() // it looks for hosts that are alone for too long
				run(t, s, 6*time.Second)
				// The simulation says whether somebody is alone for too long.
				for !s.AllAttached() && s.Elapsed() < 100*time.Second {
					run(t, s, time.Second)
				}
				took := s.Elapsed()
				if !s.AllAttached() {
					t.Fatalf("not everyone is attached after %v", took)
				}
				run(t, s, 15*time.Second)
				c := p.Census()
				for began := s.Elapsed(); c.Real.Deepest() > c.Ideal.Deepest()+2 && s.Elapsed()-began < lookedAround; c = p.Census() {
					run(t, s, time.Second)
				}
				m := end()
				t.Logf("seed %d, %.2f of the pairs meet: all attached after %v, the longest took %v; depth %.2f, ideal %.2f; %d below punchable ones; %d calls, %d moves",
					seed, s.PairShare(), took, treetest.Quantile(c.Attach, 1), c.Real.Mean(), c.Ideal.Mean(),
					c.Below[treetest.Punchable], s.Calls, m.Moves)
				if c.Alone > 0 {
					t.Errorf("%d are alone", c.Alone)
				}
				if c.Real.Deepest() > c.Ideal.Deepest()+2 {
					t.Errorf("depth %d, and %d is possible", c.Real.Deepest(), c.Ideal.Deepest())
				}
				wantKinds(t, s)
			})
		}
	}
}

// One host is below the root, which has a slot for it alone. Another, which gives nothing, comes.
func TestWhoCanBeBelowWhom(t *testing.T) {
	for _, above := range []treetest.Kind{treetest.Open, treetest.Punchable, treetest.Closed} {
		for _, below := range []treetest.Kind{treetest.Open, treetest.Punchable, treetest.Closed} {
			for seed := range uint64(6) {
				s := behind(seed)
				root := s.AddRoot(1)
				a := s.AddKind(above, 3, root)
				run(t, s, 6*time.Second)
				b := s.AddKind(below, 0, root)
				want := above == treetest.Open || above == treetest.Punchable && s.Meet(a, b)
				if below == treetest.Closed && above == treetest.Punchable && want {
					t.Fatal("a closed host meets a punchable one")
				}
				took, got := s.RunUntil(10*time.Second, func() bool { return b.Parent() == a })
				if got != want {
					t.Errorf("seed %d: %v below %v: %v, want %v (%v)", seed, below, above, got, want, s.Err())
				}
				if want && took > 2*time.Second {
					t.Errorf("seed %d: %v below %v after %v", seed, below, above, took)
				}
			}
		}
	}
}

func TestAClosedHostServesItsOwnHome(t *testing.T) {
	s := behind(1)
	root := s.AddRoot(1)
	a := s.AddAt(1, treetest.Closed, 3, root)
	run(t, s, 5*time.Second)
	b, c := s.AddAt(1, treetest.Closed, 0, a), s.AddAt(2, treetest.Closed, 0, root, a)
	if took, ok := s.RunUntil(2*time.Second, func() bool { return b.Parent() == a }); !ok {
		t.Errorf("its neighbour is not below it after %v: %v", took, s.Err())
	}
	run(t, s, 10*time.Second)
	if p := c.Parent(); p != nil {
		t.Errorf("a stranger is below host %d", p.Index)
	}
	wantKinds(t, s)
}

func TestAnOpenHostGetsThePlaceOfAClosedOneWithinASecond(t *testing.T) {
	for seed := range uint64(20) {
		s := behind(seed)
		root := s.AddRoot(3)
		for range 3 {
			s.AddClosed(3, root)
		}
		run(t, s, 6*time.Second) // all three have been tried
		h := s.Add(3, root)
		took, ok := s.RunUntil(time.Second, func() bool { return h.Parent() == root })
		if !ok {
			t.Errorf("seed %d: no place after %v: %v", seed, took, s.Err())
		}
		if took, ok := s.RunUntil(10*time.Second, func() bool { return len(root.Children()) == 3 && s.AllAttached() }); !ok {
			t.Errorf("seed %d: not at rest after %v: %v", seed, took, s.Err())
		}
		wantKinds(t, s)
	}
}

// The root has two slots, which open hosts have. One of them has a slot too, which a punchable
// host has. Another asks, is sent there, and the host between dies while it carries the call. So
// does the other one, so that there is a slot for each.
func TestAHostThatDiesWhileItCarriesACallCostsTheCallerOneTry(t *testing.T) {
	tried, slowest := 0, time.Duration(0)
	for seed := range uint64(40) {
		s := behind(seed)
		root := s.AddRoot(2)
		between, other := s.Add(1, root), s.Add(0, root)
		run(t, s, time.Second)
		target := s.AddKind(treetest.Punchable, 3, root)
		run(t, s, 6*time.Second)
		caller := s.AddKind(treetest.Punchable, 2, root)
		if !s.Meet(target, caller) || target.Parent() != between {
			continue
		}
		if _, ok := s.RunUntil(5*time.Second, func() bool { return s.Calls > 0 }); !ok {
			t.Fatalf("seed %d: nobody is called: %v", seed, s.Err())
		}
		between.Kill()
		other.Kill()
		tried++
		took, ok := s.RunUntil(1500*ms, s.AllAttached) // a call that fails takes 4 s
		if !ok {
			t.Fatalf("seed %d: not all have a parent %v after the death: %v", seed, took, s.Err())
		}
		slowest = max(slowest, took)
		wantKinds(t, s)
	}
	t.Logf("%d calls broken, all attached after %v at most", tried, slowest)
	if tried < 10 {
		t.Errorf("%d calls were broken, too few", tried)
	}
}

func TestThePairsThatMeetAreAFieldOfTheSeed(t *testing.T) {
	const seeds = 200
	var sum, square float64
	for seed := range uint64(seeds) {
		s := treetest.New(treetest.Config{Seed: seed})
		share := s.PairShare()
		sum, square = sum+share, square+share*share
		if seed >= 5 {
			continue
		}
		for range 80 {
			s.AddKind(treetest.Punchable, 0)
		}
		hs, pairs, met := s.Hosts(), 0, 0
		for i, a := range hs {
			for _, b := range hs[:i] {
				pairs++
				if s.Meet(a, b) {
					met++
				}
				if s.Meet(a, b) != s.Meet(b, a) {
					t.Fatalf("seed %d: %d and %d meet one way only", seed, a.Index, b.Index)
				}
			}
		}
		if got := float64(met) / float64(pairs); math.Abs(got-share) > 0.04 {
			t.Errorf("seed %d: %.3f of the pairs meet, want %.3f", seed, got, share)
		}
	}
	mean := sum / seeds
	if spread := math.Sqrt(square/seeds - mean*mean); math.Abs(mean-0.7) > 0.02 || math.Abs(spread-0.07) > 0.02 {
		t.Errorf("%.3f ± %.3f of the pairs meet, want 0.70 ± 0.07", mean, spread)
	}
}

func TestTheSameSeedGivesTheSameCallsByteForByte(t *testing.T) {
	trace := func(seed uint64) ([]byte, int) {
		var b bytes.Buffer
		s := treetest.New(treetest.Config{Seed: seed, MinDelay: 2 * ms, MaxDelay: 60 * ms, Probes: true, Calls: true, Trace: &b})
		treetest.NewPopulation(s, treetest.Crowd{
			N: 30, Mix: treetest.Mixes["lan"], Sessions: treetest.Exponential(20 * time.Second), Spread: 5 * time.Second, Graceful: 0.5,
			Seeds: 1, Gossip: treetest.DefaultGossip, Kinds: &treetest.Kinds{Closed: 0.3, Punchable: 0.35},
		})
		run(t, s, 15*time.Second)
		return b.Bytes(), s.Calls
	}
	a, calls := trace(1)
	if b, _ := trace(1); !bytes.Equal(a, b) {
		t.Error("two runs of a seed differ")
	}
	if calls == 0 {
		t.Error("nobody has been called")
	}
}
