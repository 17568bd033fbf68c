package treetest_test

import (
	"testing"

	"relay/tree"
	"relay/tree/treetest"
)

func TestNoOrderOfMovesAndStaleLabelsMakesALoop(t *testing.T) {
	n := 250_000
	if raceEnabled {
		n = 25_000
	}
	for seed := range uint64(8) {
		s := treetest.LabelStorm{Seed: seed, Nodes: []int{3, 8, 50, 400}[seed%4]}
		if err := s.Run(n); err != nil {
			t.Error(err)
		}
		if s.Refused < s.Moves/100 {
			t.Errorf("seed %d: %d moves and %d refused: the guard has nothing to do", seed, s.Moves, s.Refused)
		}
	}
}

// The storm would show a loop if the guard let one through.
func TestWeakerGuardsMakeLoops(t *testing.T) {
	for name, may := range map[string]func(tree.Standing, tree.Label) bool{
		"anything":    func(tree.Standing, tree.Label) bool { return true },
		"no older":    func(at tree.Standing, l tree.Label) bool { return !at.Newer(l) },
		"nearer only": func(at tree.Standing, l tree.Label) bool { return l.H < at.FD || at.Epoch != l.Epoch },
		"as near as ever": func(at tree.Standing, l tree.Label) bool {
			return at.Feasible(l) || l.Epoch == at.Epoch && l.E == at.E && l.H == at.FD
		},
	} {
		s := treetest.LabelStorm{Nodes: 50, May: may}
		if err := s.Run(1_000_000); err == nil {
			t.Errorf("guarded by %q, a million moves made no loop", name)
		}
	}
}

func BenchmarkLabelStorm(b *testing.B) {
	s := treetest.LabelStorm{Nodes: 100}
	if err := s.Run(b.N); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(s.Steps)/float64(s.Moves), "steps/move")
}
