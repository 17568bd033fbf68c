package tree

import (
	"net/netip"
	"time"
)

const (
	// maxUnpulled is how many slots one address may hold at a node that are granted and
	// not pulled, and how many standby links. That is enough for a household that starts
	// together, and not for a flood.
	maxUnpulled = 4
	// lapseFirst is how long an address is turned away that let a granted slot lapse. It
	// doubles each time, up to lapseMost. A joiner that changes its mind closes the link,
	// which costs nothing.
	lapseFirst = 3 * time.Second
	lapseMost  = 10 * time.Minute
	// maxLapses bounds the addresses remembered.
	maxLapses = 256
)

// origin is what answers for a joiner: its address, or the /64 that holds it if that is
// IPv6. On this very machine, where all have the same address, it is the node itself.
type origin struct {
	net netip.Prefix
	id  ID
}

func originOf(ev Joined) origin {
	a := ev.Addr.Addr().Unmap().WithZone("")
	if !a.IsValid() || a.IsLoopback() {
		return origin{id: ev.Peer}
	}
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return origin{id: ev.Peer}
	}
	return origin{net: p}
}

// lapses remembers who was granted slots and did not take them.
type lapses map[origin]lapse

type lapse struct {
	n     int
	until time.Time
}

// note counts one more lapse and returns the map, which is a new one if l is nil.
func (l lapses) note(now time.Time, o origin) lapses {
	if l == nil {
		l = make(lapses)
	}
	for k, v := range l { // in any order: nothing is told to anyone
		if now.Sub(v.until) >= lapseMost {
			delete(l, k)
		}
	}
	v := l[o]
	if v.n == 0 && len(l) >= maxLapses {
		return l
	}
	v.until = now.Add(min(lapseFirst<<min(v.n, 10), lapseMost))
	v.n++
	l[o] = v
	return l
}

func (l lapses) barred(now time.Time, o origin) bool { return now.Before(l[o].until) }

// busyWith reports whether the joiner's origin is barred, or holds as many slots unpulled
// as it may.
func (n *Node) busyWith(now time.Time, j *child) bool {
	if n.lapses.barred(now, j.from) {
		return true
	}
	held := 0
	for _, c := range n.children {
		if !c.pulling && c.from == j.from {
			held++
		}
	}
	return held >= min(maxUnpulled, max(1, n.cfg.Slots/2))
}
