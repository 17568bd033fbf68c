package treetest_test

import (
	"fmt"
	"testing"
	"time"

	"relay/tree/treetest"
)

// Liars that say they have slots have taken all of the source's, and refer whoever comes to each other.
// The first newcomer is let in all the same, and nobody had to come before it to show that they lie.
func TestTheFirstNewcomerBesideARingOfLiarsPlaysWithinThreeSeconds(t *testing.T) {
	for _, liars := range []int{4, 8, 12, 30} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%d liars/seed %d", liars, seed), func(t *testing.T) {
				t.Parallel()
				s := treetest.New(treetest.Config{
					Seed: seed, MinDelay: 2 * ms, MaxDelay: 60 * ms, Stream: treetest.Stream{Interval: 100 * ms}, Large: true, Vouched: true,
				})
				p := treetest.NewPopulation(s, treetest.Crowd{N: 0, Mix: treetest.Mixes["lan"], Gossip: treetest.DefaultGossip})
				g := treetest.NewSiege(p, treetest.Ring, liars)
				run(t, s, 30*time.Second)
				h := s.Add(4, append([]*treetest.Host{p.Root}, g.Liars[:min(4, liars)]...)...)
				took, ok := s.RunUntil(30*time.Second, func() bool { return h.Plays() })
				if !ok || took > 3*time.Second {
					t.Errorf("it plays after %v (%v)", took, ok)
				}
			})
		}
	}
}
