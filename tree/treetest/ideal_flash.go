package treetest

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// Arrival is a host that comes.
type Arrival struct {
	At time.Duration
	Member
}

// IdealFlash is how long each host of a crowd waits, in the order of coming, if whoever gives a slot
// away knows everything but who comes later: a free slot goes at once to the one with the most to give
// of those that wait. From then on it takes hosts serve until they have their first chunk and can pass
// it on. Everybody gets through to everybody, but nobody gets through to a closed host. A host for which
// there is never a slot waits for never.
func IdealFlash(root int, hosts []Arrival, serve, never time.Duration) []time.Duration {
	hosts = slices.SortedStableFunc(slices.Values(hosts), func(a, b Arrival) int { return cmp.Compare(a.At, b.At) })
	waits := make([]time.Duration, len(hosts))
	free := root
	var waiting, starting hostQueue
	for next := 0; ; {
		var now time.Duration
		switch {
		case len(starting) > 0 && (next == len(hosts) || starting[0].key <= hosts[next].At):
			h := heap.Pop(&starting).(queued)
			now, free = h.key, free+usable(hosts[h.host].Member)
		case next < len(hosts):
			now = hosts[next].At
			heap.Push(&waiting, queued{-time.Duration(usable(hosts[next].Member)), next})
			next++
		default:
			for _, h := range waiting {
				waits[h.host] = never
			}
			return waits
		}
		for ; free > 0 && len(waiting) > 0; free-- {
			h := heap.Pop(&waiting).(queued)
			waits[h.host] = now + serve - hosts[h.host].At
			heap.Push(&starting, queued{now + serve, h.host})
		}
	}
}

// usable is how many slots of a host others get through to.
func usable(m Member) int {
	if m.Kind == Closed {
		return 0
	}
	return m.Slots
}

// queued is a host in a queue, the least key first.
type queued struct {
	key  time.Duration
	host int
}

// hostQueue implements [heap.Interface].
type hostQueue []queued

func (q hostQueue) Len() int { return len(q) }
func (q hostQueue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].key, q[j].key), cmp.Compare(q[i].host, q[j].host)) < 0
}
func (q hostQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *hostQueue) Push(x any)   { *q = append(*q, x.(queued)) }
func (q *hostQueue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}
