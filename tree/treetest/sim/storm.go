package main

import (
	"fmt"
	"time"

	"relay/tree/treetest"
)

// stormMoves is how many moves one storm makes; the next has another seed.
const stormMoves = 1_000_000

// storm makes moves guarded by labels alone, and looks for a loop after each.
func storm(o options) error {
	begin := time.Now()
	sizes := []int{3, 8, 50, 200, 1000}
	n := uint64((o.loops + stormMoves - 1) / stormMoves)
	var moves, refused int
	type storms struct {
		moves, refused int
		err            error
	}
	for _, r := range parallel(n, func(i uint64) storms {
		s := treetest.LabelStorm{Seed: o.first + i, Nodes: sizes[i%uint64(len(sizes))]}
		err := s.Run(stormMoves)
		return storms{s.Moves, s.Refused, err}
	}) {
		if r.err != nil {
			return r.err
		}
		moves, refused = moves+r.moves, refused+r.refused
	}
	fmt.Printf("%d moves, %d refused by labels, no loop; %v\n", moves, refused, time.Since(begin).Round(time.Second))
	return nil
}
