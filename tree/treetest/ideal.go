package treetest

import "slices"

// Levels are the numbers of nodes that a tree has at each depth. The root is the one at 0.
type Levels []int

// Ideal is the tree with the least mean depth: the nodes with the most slots are highest. It
// leaves out nodes for which there are no slots.
func Ideal(root int, slots []int) Levels {
	slots = slices.Clone(slots)
	slices.SortFunc(slots, func(a, b int) int { return b - a })
	levels := Levels{1}
	for room := root; room > 0 && len(slots) > 0; {
		n := min(room, len(slots))
		levels = append(levels, n)
		room = 0
		for _, s := range slots[:n] {
			room += s
		}
		slots = slots[n:]
	}
	return levels
}

func (l *Levels) add(depth, n int) {
	for len(*l) <= depth {
		*l = append(*l, 0)
	}
	(*l)[depth] += n
}

// Mean is the mean depth of all nodes but the root.
func (l Levels) Mean() float64 {
	n, sum := 0, 0
	for d := 1; d < len(l); d++ {
		n, sum = n+l[d], sum+d*l[d]
	}
	if n == 0 {
		return 0
	}
	return float64(sum) / float64(n)
}

// Deepest is the depth of the deepest node.
func (l Levels) Deepest() int { return len(l) - 1 }

// And returns the sum of both.
func (l Levels) And(m Levels) Levels {
	l = slices.Clone(l)
	for d, n := range m {
		l.add(d, n)
	}
	return l
}
