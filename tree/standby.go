package tree

import (
	"slices"
	"time"
)

const (
	// maxStandbys is how many links are kept ready: to places that the parent named as far
	// as there are any, else to places that gossip knows.
	maxStandbys = 2
	// standbyPace is how long after a move, and between two dials, a node waits before
	// it connects ahead: a crowd's first pictures come first.
	standbyPace = 250 * time.Millisecond
	// standbyAvoid is how long a place that had no use for a standby link is not asked
	// for one again.
	standbyAvoid = 15 * time.Second
	// disjointTries is how many places of its own choice a node tries below one parent,
	// one in disjointEvery, for a way to the root that shares nobody but the root with
	// its own. One that shares somebody is left alone for disjointAvoid then.
	disjointTries = 5
	disjointEvery = 10 * time.Second
	disjointAvoid = 2 * time.Minute
)

// standby is a link to a place that could be the next parent.
type standby struct {
	link    Link
	place   Place
	addr    Place // place, with the address that worked
	near    bool
	called  bool // it was reached by a call
	started time.Time
	own     bool // the present parent did not choose it, or has once left it out
	chosen  bool // the node chose it from gossip, for another way to the root

	// Set from its welcome on.
	ready  bool
	path   []Place
	lag    time.Duration
	orphan bool
	room   Room
	heard  time.Time
	told   time.Time // when it got the newest report
}

// welcomed makes the link one that can be used.
func (b *standby) welcomed(now time.Time, w Welcome) {
	b.ready, b.heard, b.told = true, now, now
	b.room = noRoom
	b.path, b.lag = w.Path, lagOf(w.Lag)
}

// beat takes a heartbeat into account.
func (b *standby) beat(now time.Time, hb Heartbeat) {
	b.heard, b.orphan, b.room, b.lag = now, hb.Orphan, hb.Room, lagOf(hb.Lag)
}

// silent reports whether the place has said nothing for too long: for limit once it has
// welcomed the node, before that for as long as any place has for its answer.
func (b *standby) silent(now time.Time, limit time.Duration) bool {
	if !b.ready {
		return now.Sub(b.started) >= attemptTime
	}
	return now.Sub(b.heard) >= limit
}

// reportDue reports whether the place is to hear from the node again.
func (b *standby) reportDue(now time.Time, every time.Duration) bool {
	return b.ready && now.Sub(b.told) >= every
}

// attempt is what the link becomes when the stream is pulled over it.
func (b *standby) attempt(now time.Time) *attempt {
	return &attempt{link: b.link, place: b.place, addr: b.addr, near: b.near, called: b.called, started: now, pulled: true, ready: true}
}

// standbys are the links that are kept ready, and the choice of the next.
type standbys struct {
	links    []*standby // the oldest first, which is used first
	assigned []Place    // by the parent: of use to the children too
	dialAt   time.Time  // nobody is dialled before
	tries    int        // of places of the node's own choice, below this parent
}

func (s *standbys) find(l Link) *standby {
	for _, b := range s.links {
		if b.link == l {
			return b
		}
	}
	return nil
}

// of is the link to a place, nil if there is none.
func (s *standbys) of(p Place) *standby {
	for _, b := range s.links {
		if b.place.same(p) || b.addr.same(p) {
			return b
		}
	}
	return nil
}

func (s *standbys) holds(p Place) bool { return s.of(p) != nil }

// remove takes one out. A list from before stays as it was, so that it can be ranged
// over meanwhile.
func (s *standbys) remove(b *standby) {
	s.links = slices.DeleteFunc(slices.Clone(s.links), func(c *standby) bool { return c == b })
}

// fitting is the first that is ready and fits, nil if none does.
func (s *standbys) fitting(fits func(*standby) bool) *standby {
	for _, b := range s.links {
		if b.ready && fits(b) {
			return b
		}
	}
	return nil
}

// choice is a place to connect to ahead.
type choice struct {
	place   Place
	own     bool     // the node's, from gossip, and not the parent's
	instead *standby // this link has to make way for it, if there is one
}

// next chooses where to connect to ahead, if there is room for one more link or the
// parent's choice takes the place of the node's own. Gossip's places have to be no
// deeper than the node, with slots to give, and not above it.
func (s *standbys) next(gossip []Candidate, depth int, usable func(Place) bool, above func(ID) bool) (choice, bool) {
	full := len(s.links) >= maxStandbys
	if i := slices.IndexFunc(s.assigned, usable); i >= 0 {
		c := choice{place: s.assigned[i]}
		switch {
		case !full:
			return c, true
		case !slices.ContainsFunc(s.links, func(b *standby) bool { return !b.own }):
			c.instead = s.links[0]
			return c, true
		}
	}
	if full {
		return choice{}, false
	}
	for _, g := range gossip {
		if g.Slots > 0 && g.Depth >= 0 && g.Depth <= depth && usable(g.Place) && !above(g.Place.ID) {
			return choice{place: g.Place, own: true}, true
		}
	}
	return choice{}, false
}

// dial begins a link to a chosen place.
func (s *standbys) dial(now time.Time, l Link, c choice) {
	s.dialAt = now.Add(standbyPace)
	if c.own {
		s.tries++
	}
	s.links = append(s.links, &standby{link: l, place: c.place, started: now, own: c.own, chosen: c.own})
}

// sharing is a link of the node's own choice by which the way to the root is partly the
// node's own, and that has had its time: another place may be tried. It is nil if there is none.
func (s *standbys) sharing(now time.Time, shares func(path []Place) bool) *standby {
	if s.tries >= disjointTries {
		return nil
	}
	for _, b := range s.links {
		if b.chosen && b.ready && shares(b.path) && now.Sub(b.started) >= disjointEvery {
			return b
		}
	}
	return nil
}

// assign takes the parent's choice over. A link to a place that is no longer the
// parent's choice stays until one to a better place is there.
func (s *standbys) assign(ps []Place) {
	s.assigned = ps
	for _, b := range s.links {
		b.own = b.own || !slices.ContainsFunc(ps, b.place.same)
	}
}

// moved begins anew below another parent, which has its own choice. It returns the links
// that lead to that parent.
func (s *standbys) moved(now time.Time, parent Place) []*standby {
	s.assigned, s.tries = nil, 0
	s.dialAt = now.Add(standbyPace)
	var same []*standby
	for _, b := range s.links {
		b.own = true
		if b.addr.same(parent) {
			same = append(same, b)
		}
	}
	return same
}
