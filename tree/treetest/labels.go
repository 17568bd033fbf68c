package treetest

import (
	"fmt"
	"math/rand/v2"

	"relay/tree"
)

// LabelStorm tries to make a loop. Nodes move about at random, and only the labels guard
// them, of which they see old ones as often as new ones. It has no network and no time, so
// that it makes a million moves a second.
type LabelStorm struct {
	Seed  uint64
	Nodes int
	// May is the guard: it says whether a node with a standing may move below one with a
	// label. Nil is the real guard, Standing.Feasible.
	May func(at tree.Standing, label tree.Label) bool

	rand    *rand.Rand
	at      []tree.Standing
	parent  []int32
	said    [][labelsKept]tree.Label // the newest labels of each node
	told    []uint32                 // how many labels it has had since it began
	read    []uint32                 // which of its parent's labels a node took last
	e       uint64
	epoch   tree.Epoch
	Moves   int
	Refused int
	Steps   int
}

const (
	labelsKept = 8 // how many labels old the one may be by which a node moves
	nobody     = -1
)

// Run makes moves until there have been n, and fails at the first loop.
func (s *LabelStorm) Run(n int) error {
	if s.May == nil {
		s.May = tree.Standing.Feasible
	}
	s.rand = rand.New(rand.NewPCG(s.Seed, 5))
	s.at = make([]tree.Standing, s.Nodes)
	s.parent = make([]int32, s.Nodes)
	s.said = make([][labelsKept]tree.Label, s.Nodes)
	s.told = make([]uint32, s.Nodes)
	s.read = make([]uint32, s.Nodes)
	for x := range s.parent {
		s.parent[x] = nobody
	}
	s.restartRoot()
	for ; s.Moves < n; s.Steps++ {
		r := s.rand.Uint64()
		x := 1 + int(r>>32)%(s.Nodes-1)
		switch k := uint32(r) % 1024; {
		case k < 160: // the root's clock goes on
			s.e++
			s.stand(0, tree.Standing{Label: tree.Label{Epoch: s.epoch, E: s.e}})
		case k < 600: // the parent's word arrives
			s.hear(x)
		case k < 1020: // x tries to move below some node
			if err := s.move(x); err != nil {
				return err
			}
		case k < 1023: // x loses its parent
			s.parent[x] = nobody
		case r>>20%64 == 0: // the root starts again
			s.restartRoot()
		default: // x does: its links close, and what was said over them is void
			s.at[x], s.told[x], s.parent[x] = tree.Standing{}, 0, nobody
			for y, p := range s.parent {
				if p == int32(x) {
					s.parent[y] = nobody
				}
			}
		}
	}
	return nil
}

func (s *LabelStorm) restartRoot() {
	s.epoch.Ms++
	s.e = 0
	s.stand(0, tree.Standing{Label: tree.Label{Epoch: s.epoch}})
}

// stand gives x a new standing, and keeps its label for others to hear of.
func (s *LabelStorm) stand(x int, at tree.Standing) {
	if at.Label != s.at[x].Label {
		s.told[x]++
		s.said[x][s.told[x]%labelsKept] = at.Label
	}
	s.at[x] = at
}

// hear lets x take one of the labels that its parent has had since the last one that x took.
// They come in order, as over a link.
func (s *LabelStorm) hear(x int) {
	p := s.parent[x]
	if p == nobody {
		return
	}
	behind := s.told[p] - s.read[x]
	if behind == 0 {
		return
	}
	s.read[x] += 1 + s.rand.Uint32N(behind)
	if s.told[p]-s.read[x] >= labelsKept {
		s.read[x] = s.told[p] - labelsKept + 1
	}
	s.stand(x, s.at[x].Adopt(s.said[p][s.read[x]%labelsKept]))
}

// move tries to move x below a node, by a label that this node has or had.
func (s *LabelStorm) move(x int) error {
	p := s.rand.IntN(s.Nodes)
	if s.told[p] == 0 || p == x {
		return nil
	}
	age := s.rand.Uint32N(min(labelsKept, s.told[p]))
	label := s.said[p][(s.told[p]-age)%labelsKept]
	if label.Epoch == (tree.Epoch{}) || !s.May(s.at[x], label) {
		s.Refused++
		return nil
	}
	s.Moves++
	s.parent[x], s.read[x] = int32(p), s.told[p]-age
	s.stand(x, s.at[x].Adopt(label))
	for up, n := p, 0; up != nobody; up, n = int(s.parent[up]), n+1 {
		if up == x || n > s.Nodes {
			return fmt.Errorf("seed %d: move %d, of %d below %d, closes a loop", s.Seed, s.Moves, x, p)
		}
	}
	return nil
}
