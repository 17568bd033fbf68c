//go:build e2e && linux

package netns

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// minDepth is how deep the tree must be for the test to mean something.
const minDepth = 3

// TestFaultsAreNotSeenBelow breaks nodes and cables of a swarm, one after another, and
// looks at every player of it.
func TestFaultsAreNotSeenBelow(t *testing.T) {
	t.Parallel()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	chosen := chosenFaults(t)
	s := newSwarm(t, *nodesFlag, 0)
	s.settle(t)
	sh := s.shape(t)
	t.Logf("%d watchers in a tree of depth %d:\n%v", len(s.watchers()), sh.depth, sh)
	if sh.depth < minDepth {
		t.Errorf("the tree is %d deep, %d at least are needed", sh.depth, minDepth)
	}
	s.suffer(t, rng, chosen, func(f fault) int {
		if *runsFlag == 0 {
			return f.short
		}
		return *runsFlag
	})
}

// suffer has faults happen to a swarm, each so often, and tells what came of them.
func (s *swarm) suffer(t *testing.T, rng *rand.Rand, chosen []fault, times func(fault) int) {
	t.Helper()
	all := make(map[string][]*episode)
	t.Cleanup(func() { // also of a run that failed half-way
		var b bytes.Buffer
		report(&b, chosen, all)
		t.Logf("times in ms\n%s", b.String())
		if *keepFlag != "" {
			must(t, os.WriteFile(filepath.Join(s.dir, "report.txt"), b.Bytes(), 0o644))
		}
	})
	for _, f := range chosen {
		for i := range times(f) {
			all[f.name] = append(all[f.name], s.run(t, f, rng, i))
		}
	}
}

func chosenFaults(t *testing.T) []fault {
	t.Helper()
	if *faultsFlag == "" {
		return allFaults
	}
	var chosen []fault
	for _, name := range strings.Split(*faultsFlag, ",") {
		i := slices.IndexFunc(allFaults, func(f fault) bool { return f.name == name })
		if i < 0 {
			t.Fatalf("there is no fault %q", name)
		}
		chosen = append(chosen, allFaults[i])
	}
	return chosen
}
