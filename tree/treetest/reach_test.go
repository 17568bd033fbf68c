package treetest_test

import (
	"fmt"
	"testing"
	"time"

	"relay/tree"
	"relay/tree/treetest"
)

// homes is a channel whose source has three slots, and most of whose nodes are behind routers that
// let nobody in. Everybody claims three slots.
func homes(seed uint64, open, closed int) *treetest.Sim {
	s := treetest.New(treetest.Config{
		Seed: seed, MinDelay: 2 * ms, MaxDelay: 60 * ms, Stream: treetest.Stream{Interval: 100 * ms}, Probes: true, Proofs: true,
	})
	root := s.AddRoot(3)
	kinds := make([]bool, open+closed)
	for i := range closed {
		kinds[i] = true
	}
	s.Rand().Shuffle(len(kinds), func(i, k int) { kinds[i], kinds[k] = kinds[k], kinds[i] })
	for i, shut := range kinds {
		s.After(time.Duration(i)*200*ms, func() {
			if shut {
				s.AddClosed(3, root)
			} else {
				s.Add(3, root)
			}
		})
	}
	return s
}

// wantServed checks that everybody has a parent, that none of these is closed, and how deep they are.
func wantServed(t *testing.T, s *treetest.Sim, deepest int) {
	t.Helper()
	for _, h := range s.Hosts()[1:] {
		if !h.Alive() {
			continue
		}
		p, i := h.Parent(), h.Node.Info()
		if p == nil || !i.Attached {
			t.Fatalf("host %d has no parent", h.Index)
		}
		if p.Kind == treetest.Closed {
			t.Errorf("host %d is below host %d, and nobody gets through to that", h.Index, p.Index)
		}
		if i.Depth > deepest {
			t.Errorf("host %d is at depth %d, want %d at most", h.Index, i.Depth, deepest)
		}
	}
}

// As many can watch as there are slots that strangers can use: the source's and those of nodes that
// are open. The first in the channel may all be closed; those who can serve get their places.
func TestEverybodyIsServedByThoseWhoCanServe(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := homes(seed, 10, 20) // 3 + 30 slots for 30: depth 3 is the ideal
			run(t, s, 8*time.Second)
			if took, ok := s.RunUntil(30*time.Second, s.AllAttached); !ok {
				t.Fatalf("not everyone is attached after %v of calm: %v", took, s.Err())
			}
			run(t, s, 2*time.Minute)
			wantServed(t, s, 4)
			open := 0
			for _, c := range s.Hosts()[0].Node.Info().Children {
				if c.Reach == tree.Open {
					open++
				}
			}
			if open != 3 {
				t.Errorf("%d of the source's children are open, want all three", open)
			}
			// One of the few who serve dies. Its children find others.
			for _, h := range s.Hosts()[1:] {
				if h.Kind == treetest.Open && h.Parent() == s.Hosts()[0] {
					h.Kill()
					break
				}
			}
			if took, ok := s.RunUntil(30*time.Second, func() bool { return orphans(s) <= 0 }); !ok {
				t.Fatalf("%d are without a parent %v after a death: %v", orphans(s), took, s.Err())
			}
		})
	}
}

// orphans counts those without a parent beyond those that there is no slot for.
func orphans(s *treetest.Sim) int {
	slots, alone, alive := 3, 0, 0
	for _, h := range s.Hosts()[1:] {
		if !h.Alive() {
			continue
		}
		alive++
		if h.Kind == treetest.Open {
			slots += 3
		}
		if !h.Node.Info().Attached {
			alone++
		}
	}
	return alone - max(0, alive-slots)
}
