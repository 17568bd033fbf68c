package treetest

import (
	"cmp"
	"slices"
)

// IdealOf is a tree of little mean depth for hosts of several kinds. Those that can serve are
// highest, by their slots; half of a punchable one's count, as in the tree's classes, and none
// of a closed one's: it is a leaf. A place below a punchable host goes only to one that meets
// it. Whoever may have such a place takes it, so that the others are left to those that may
// not. Hosts for which there is no place are left out.
func IdealOf(root int, ms []Member, meet func(i, k int) bool) Levels {
	worth := func(i int) int {
		switch ms[i].Kind {
		case Closed:
			return -1
		case Punchable:
			return ms[i].Slots / 2
		}
		return ms[i].Slots
	}
	rest := make([]int, len(ms))
	for i := range rest {
		rest[i] = i
	}
	slices.SortStableFunc(rest, func(a, b int) int { return cmp.Compare(worth(b), worth(a)) })
	type parent struct{ host, room int }
	levels := Levels{1}
	var called []parent // the punchable ones of the level above
	for room := root; len(rest) > 0; {
		var placed, left []int
		for _, i := range rest {
			at := -1
			for len(called) > 0 && called[0].room == 0 {
				called = called[1:]
			}
			if ms[i].Kind != Closed {
				at = slices.IndexFunc(called, func(p parent) bool { return p.room > 0 && meet(i, p.host) })
			}
			switch {
			case at >= 0:
				called[at].room--
			case room > 0:
				room--
			default:
				left = append(left, i)
				continue
			}
			placed = append(placed, i)
		}
		if len(placed) == 0 {
			break
		}
		levels = append(levels, len(placed))
		rest, room, called = left, 0, nil
		for _, i := range placed {
			switch ms[i].Kind {
			case Open:
				room += ms[i].Slots
			case Punchable:
				called = append(called, parent{i, ms[i].Slots})
			}
		}
	}
	return levels
}
