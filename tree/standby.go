package tree

import (
	"slices"
	"time"
)

const (
	// maxStandbys is how many links are kept ready: one named by the parent, and one
	// more, by another way to the root if there is one.
	maxStandbys = 2
	// standbyPace is how long after a move, and between two dials, a node waits before
	// it connects ahead: a crowd's first pictures come first.
	standbyPace = 250 * time.Millisecond
	// standbyAvoid is how long a place that had no use for a standby link is not asked
	// for one again.
	standbyAvoid = 15 * time.Second
	// disjointTries is how many places of its own choice a node tries below one parent,
	// one in disjointEvery, for a way to the root that shares nobody but the root with
	// its own; disjointAvoid is how long one that shares somebody is left alone then.
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
	started time.Time
	ready   bool // it was welcomed
	path    []Place
	lag     time.Duration
	orphan  bool
	room    Room
	heard   time.Time
	told    time.Time // newest report to it
	own     bool      // this node's choice and not its parent's
	chosen  bool      // from gossip, for another way to the root
}

// standbys keeps links ready.
type standbys struct {
	links    []*standby  // the first is used first
	assigned []Place     // by the parent: of use to the children too
	others   []Candidate // from gossip, for a choice of one's own
	dialAt   time.Time
	tries    int // of places of one's own choice, below this parent
}

func (s *standbys) find(l Link) *standby {
	for _, b := range s.links {
		if b.link == l {
			return b
		}
	}
	return nil
}

func (s *standbys) holds(p Place) bool {
	return slices.ContainsFunc(s.links, func(b *standby) bool { return b.place.same(p) || b.addr.same(p) })
}

// remove takes one out; a list from before stays as it was, so that it can be ranged
// over meanwhile.
func (s *standbys) remove(b *standby) {
	s.links = slices.DeleteFunc(slices.Clone(s.links), func(c *standby) bool { return c == b })
}

// keepStandbys dials what is missing, one at a time, and drops what is of no use.
func (n *Node) keepStandbys(now time.Time) {
	s := &n.ready
	for _, b := range s.links {
		switch {
		case !b.ready && now.Sub(b.started) >= attemptTime, b.ready && now.Sub(b.heard) >= n.times.childSilence:
			n.dropStandby(b, ByUs(ReasonSilent))
			n.book.noStandby(b.place, now.Add(standbyAvoid))
		case b.ready && now.Sub(b.told) >= n.times.standby:
			b.told = now
			n.send(b.link, n.ownReport(now))
		}
	}
	if n.up == nil || n.up.suspect || n.up.moving() || !n.leaveBy.IsZero() || now.Before(s.dialAt) {
		return
	}
	n.tryDisjoint(now)
	p, own, ok := n.nextStandby(now)
	if !ok {
		s.dialAt = now.Add(n.times.heartbeat)
		return
	}
	s.dialAt = now.Add(standbyPace)
	b := &standby{link: n.newLink(), place: p, started: now, own: own, chosen: own}
	if own {
		s.tries++
	}
	s.links = append(s.links, b)
	n.do(Dial{b.link, p})
}

// nextStandby is the place to connect to ahead, if there is room for one.
func (n *Node) nextStandby(now time.Time) (p Place, own, ok bool) {
	s := &n.ready
	held := 0 // of the parent's choice
	for _, b := range s.links {
		if !b.own {
			held++
		}
	}
	for _, p := range s.assigned {
		if s.holds(p) || n.notNow(p) || !n.book.mayStandby(now, p) {
			continue
		}
		if len(s.links) >= maxStandbys {
			if held > 0 {
				break
			}
			n.dropStandby(s.links[0], ByUs(ReasonNotNeeded))
		}
		return p, false, true
	}
	if len(s.links) >= maxStandbys {
		return Place{}, false, false
	}
	for _, c := range s.others {
		if c.Slots > 0 && c.Depth >= 0 && c.Depth <= n.depth() && !s.holds(c.Place) && !n.notNow(c.Place) &&
			!n.above(c.Place.ID) && n.book.mayStandby(now, c.Place) {
			return c.Place, true, true
		}
	}
	return Place{}, false, false
}

// tryDisjoint gives a place of its own choice up whose way to the root is partly the
// node's own, so that another can be tried.
func (n *Node) tryDisjoint(now time.Time) {
	s := &n.ready
	if s.tries >= disjointTries || len(s.others) == 0 {
		return
	}
	for _, b := range s.links {
		if b.chosen && b.ready && n.shares(b.path) && now.Sub(b.started) >= disjointEvery {
			n.book.noStandby(b.place, now.Add(disjointAvoid))
			n.dropStandby(b, ByUs(ReasonNotNeeded))
			return
		}
	}
}

// shares reports whether a way from the root has a node in common with this node's
// own, the root apart.
func (n *Node) shares(path []Place) bool {
	for i, p := range path {
		if i > 0 && n.above(p.ID) {
			return true
		}
	}
	return false
}

func (n *Node) dropStandby(b *standby, e End) {
	n.ready.remove(b)
	n.do(Close{b.link, e})
}

func (n *Node) dropStandbys(r Reason) {
	for _, b := range n.ready.links {
		n.do(Close{b.link, ByUs(r)})
	}
	n.ready.links = nil
}

// backupsTold takes the parent's choice over.
func (n *Node) backupsTold(l Link, m Backups) {
	if !n.isParent(l) {
		return
	}
	ps := m.Places[:min(len(m.Places), MaxBackups)]
	n.ready.assigned = ps
	n.book.add(ps, rankOther, 0)
	for _, b := range n.ready.links {
		if !b.own && !slices.ContainsFunc(ps, b.place.same) {
			b.own = true // it stays until a better one is there
		}
	}
	n.assignAt = time.Time{}
}

// standbyUp goes on with one whose connection stands.
func (n *Node) standbyUp(now time.Time, b *standby, ev Up) {
	if ev.Peer == n.cfg.Self.ID || n.up != nil && n.up.place.ID == ev.Peer || n.children.ofID(ev.Peer) != nil {
		n.dropStandby(b, ByUs(ReasonNotNeeded))
		n.book.noStandby(b.place, now.Add(standbyAvoid))
		return
	}
	b.addr, b.near = Place{ev.Peer, b.place.Addrs}.withAddr(ev.Addr), ev.Near
	j := n.join(now, 0)
	j.Standby = true
	n.send(b.link, j)
}

func (n *Node) standbyWelcomed(now time.Time, b *standby, w Welcome) {
	if slices.ContainsFunc(w.Path, func(p Place) bool { return p.ID == n.cfg.Self.ID }) {
		n.dropStandby(b, ByUs(ReasonLoop))
		n.book.noStandby(b.place, now.Add(standbyAvoid))
		return
	}
	if b.chosen && n.up != nil && slices.ContainsFunc(w.Path, n.up.place.same) { // it falls when the parent falls
		n.dropStandby(b, ByUs(ReasonNotNeeded))
		n.book.noStandby(b.place, now.Add(disjointAvoid))
		return
	}
	b.ready, b.heard, b.told = true, now, now
	b.room = noRoom
	b.path, b.lag = w.Path, lagOf(w.Lag)
}

func (n *Node) standbyBeat(now time.Time, b *standby, hb Heartbeat) {
	b.heard, b.orphan, b.room, b.lag = now, hb.Orphan, hb.Room, lagOf(hb.Lag)
}

// standbyFailed forgets one that ended.
func (n *Node) standbyFailed(now time.Time, b *standby, e End) {
	n.book.noStandby(b.place, now.Add(standbyAvoid))
	if e.Reason == ReasonForged || e.Reason == ReasonProtocol {
		n.book.failed(now, b.place, e.Reason)
	}
	n.dropStandby(b, e)
}

// useStandby turns the first link that fits into an attempt: it is pulled at once,
// without asking first.
func (n *Node) useStandby(now time.Time, fits func(*standby) bool) bool {
	for _, b := range n.ready.links {
		if !b.ready || !fits(b) {
			continue
		}
		n.makeRoom(now)
		n.ready.remove(b)
		if e := n.book.find(b.place); e != nil {
			e.tried = true
		}
		a := &attempt{link: b.link, place: b.place, addr: b.addr, near: b.near, started: now, pulled: true}
		n.search.add(a)
		n.do(Feed{a.link})
		return true
	}
	return false
}
