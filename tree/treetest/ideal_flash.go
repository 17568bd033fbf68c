package treetest

import (
	"cmp"
	"slices"
	"time"
)

// Arrival is a host that comes.
type Arrival struct {
	At time.Duration
	Member
}

// IdealFlash is how long each host of a crowd waits, in the order of coming, if whoever gives slots away
// knows everything but who comes later. A host that gives slots waits for none: one that gives none makes
// room, and is served where it is until it is served below. Any other has the next one that is free.
// From then on it takes hosts serve until they have their first chunk and can pass it on. Everybody gets
// through to everybody, but nobody gets through to a closed host. A host for which there is never a slot
// waits for never.
func IdealFlash(root int, hosts []Arrival, serve, never time.Duration) []time.Duration {
	hosts = slices.SortedStableFunc(slices.Values(hosts), func(a, b Arrival) int { return cmp.Compare(a.At, b.At) })
	waits := make([]time.Duration, len(hosts))
	free := root // below 0 while more are served than there will be slots for before others can serve
	var waiting []int
	var starting []start // in the order of time, since all take as long
	for next := 0; ; {
		var now time.Duration
		var begins []int
		switch {
		case len(starting) > 0 && (next == len(hosts) || starting[0].at <= hosts[next].At):
			now, free = starting[0].at, free+starting[0].slots
			starting = starting[1:]
		case next < len(hosts):
			now = hosts[next].At
			if usable(hosts[next].Member) > 0 && root > 0 {
				begins = []int{next}
				free--
			} else {
				waiting = append(waiting, next)
			}
			next++
		default:
			for _, h := range waiting {
				waits[h] = never
			}
			return waits
		}
		for ; free > 0 && len(waiting) > 0; free-- {
			begins, waiting = append(begins, waiting[0]), waiting[1:]
		}
		for _, h := range begins {
			waits[h] = now + serve - hosts[h].At
			starting = append(starting, start{now + serve, usable(hosts[h].Member)})
		}
	}
}

// start is when a host can serve, and how many.
type start struct {
	at    time.Duration
	slots int
}

// usable is how many slots of a host others get through to.
func usable(m Member) int {
	if m.Kind == Closed {
		return 0
	}
	return m.Slots
}
