package tree

import (
	"maps"
	"slices"
	"time"
)

const (
	// maxAttempts is how many places are asked at the same time.
	maxAttempts = 3
	// maxDials bounds those and the places that a dial has not reached yet: an address
	// at which nobody is must not keep others from being asked.
	maxDials = 8
	// dialGrace is how long a place counts as asked while it is only dialled.
	dialGrace = 300 * time.Millisecond
	// hungAfter is when a dial gives way to another place, if there are maxDials: three
	// round trips to the far side of the world.
	hungAfter = 1 * time.Second
	// otherEvery is how often the place asked is not one of those named by whoever was
	// asked before: a liar's list must not come before all that was known.
	otherEvery = 3
	// hedgeAfter is how long one place has before the next is asked as well: a
	// machine that froze answers a dial, and then nothing.
	hedgeAfter = 150 * time.Millisecond
	// attemptTime bounds one place's answer, dial included.
	attemptTime = 4 * time.Second
	// maxHeld is how many welcomes in one search may be held in vain until their label is
	// new enough. Honest labels all follow one clock, so by then the node's own is wrong: somebody lied.
	maxHeld = 3
	// maxFollowed bounds the places taken over from referrals in one search, so that
	// liars who name each other cannot keep a node from its other places: a whole
	// chain of MaxHops referrals with MaxRefer places each, and half as much again.
	maxFollowed = 60
	// retryFirst and retryMost bound the pause before everything known is asked
	// again: a source that restarts is found soon, one that is gone costs little.
	retryFirst  = 100 * time.Millisecond
	retryMost   = 2 * time.Second
	retryServed = 10 * time.Second // while there is a parent that still serves
)

// attempt is one place being asked.
type attempt struct {
	link    Link
	place   Place
	hops    int
	started time.Time
	addr    Place // place, with the address that worked
	near    bool
	pulled  bool // chunks are wanted from it already
	welcome *Welcome
	since   time.Time // of the welcome
}

// search is the state of looking for a parent.
type search struct {
	attempts map[Link]*attempt
	last     Link // number given to the newest dial
	want     want
	on       bool      // a round is running
	rounds   int       // that ended with nobody
	begun    int       // places asked in this round
	followed int       // places taken over from referrals in this round
	named    []Place   // by a parent that cannot go on: asked first in the next round
	held     int       // welcomes that were never feasible, since a parent was wanted
	retryAt  time.Time // when the next begins
	hedgeAt  time.Time // when one more place may be asked
}

// hurry makes the next round begin at once, unless one is running.
func (s *search) hurry(now time.Time) {
	if !s.on {
		s.restart(now)
	}
}

// restart makes a round begin at once.
func (s *search) restart(now time.Time) {
	s.on, s.rounds = false, 0
	s.retryAt, s.hedgeAt = now, now
}

// newLink numbers a dial: odd, and never again.
func (s *search) newLink() Link {
	s.last += 2
	return s.last | 1
}

// seek asks the next place if a parent is wanted and one may be asked now.
func (n *Node) seek(now time.Time) {
	s := &n.search
	if w := n.wants(now); w != s.want {
		n.wantChanged(now, w)
	}
	if s.want == wantNothing {
		return
	}
	if !s.on {
		if now.Before(s.retryAt) {
			return
		}
		n.beginRound(now)
	}
	dry := false
	for s.roomFor(now) && (len(s.attempts) == 0 || !now.Before(s.hedgeAt)) {
		if dry = !n.useStandby(now, n.fits) && !n.askNext(now); dry {
			break
		}
		s.hedgeAt = now.Add(hedgeAfter)
	}
	if dry && s.asked(now) == 0 { // dials that hang go on into the next round
		n.roundOver(now)
	}
}

// roomFor reports whether one more place may be asked.
func (s *search) roomFor(now time.Time) bool {
	return s.asked(now) < maxAttempts && (len(s.attempts) < maxDials || s.hung(now) != nil)
}

// asked counts the places that may answer soon.
func (s *search) asked(now time.Time) int {
	asked := 0
	for _, a := range s.attempts {
		if !a.dialling() || now.Sub(a.started) < dialGrace {
			asked++
		}
	}
	return asked
}

// hung is the dial that has gone on for longest, if that is too long.
func (s *search) hung(now time.Time) *attempt {
	var oldest *attempt
	for _, a := range s.attempts { // in any order: the least link of the oldest is taken
		if !a.dialling() || now.Sub(a.started) < hungAfter {
			continue
		}
		if oldest == nil || a.started.Before(oldest.started) || a.started.Equal(oldest.started) && a.link < oldest.link {
			oldest = a
		}
	}
	return oldest
}

// dialling reports whether nobody has answered at the place yet.
func (a *attempt) dialling() bool { return !a.pulled && a.addr.ID.IsZero() }

// wantChanged goes over to another search.
func (n *Node) wantChanged(now time.Time, w want) {
	s := &n.search
	old := s.want
	s.want = w
	switch {
	case w == wantNothing:
		n.dropAttempts(ReasonNotNeeded)
		s.on, s.rounds, s.held = false, 0, 0
		s.retryAt = now
	case old == wantNearer || old == wantFaster || w < old: // it asked with other conditions
		n.dropAttempts(ReasonNotNeeded)
		s.restart(now)
	default:
		s.hedgeAt = now
		s.hurry(now)
	}
	if old == wantNearer {
		n.improve.on = false
	}
}

func (n *Node) beginRound(now time.Time) {
	s := &n.search
	s.on = true
	s.begun, s.followed = 0, 0
	s.hedgeAt = now
	n.book.round()
	if s.want == wantNearer {
		n.book.only(n.improve.targets)
		return
	}
	n.rememberPath()
	n.book.add(s.named, rankReferred, 0)
	s.named = nil
}

// makeRoom gives up the dial that has hung for longest if there are as many attempts as
// there may be. roomFor has said that there is one.
func (n *Node) makeRoom(now time.Time) {
	if len(n.search.attempts) < maxDials {
		return
	}
	a := n.search.hung(now)
	n.do(Close{a.link, ByUs(ReasonSilent)})
	n.attemptFailed(now, a, ReasonUnreachable)
}

// askNext dials the best place that was not asked in this round.
func (n *Node) askNext(now time.Time) bool {
	s := &n.search
	var e *bookEntry
	if s.begun%otherEvery == otherEvery-1 {
		e = n.book.next(now, func(e *bookEntry) bool { return e.rank == rankReferred || n.notNow(e.place) })
	}
	if e == nil {
		e = n.book.next(now, func(e *bookEntry) bool { return n.notNow(e.place) })
	}
	if e == nil {
		return false
	}
	n.makeRoom(now)
	e.tried = true
	s.begun++
	a := &attempt{link: s.newLink(), place: e.place, hops: e.hops, started: now}
	s.attempts[a.link] = a
	n.do(Dial{a.link, e.place})
	return true
}

// fits reports whether a standby link helps with what the node looks for.
func (n *Node) fits(b *standby) bool {
	switch n.search.want {
	case wantAny:
		return true
	case wantOther: // who only has to make room should not crowd another node instead
		return n.up.leaving || !n.up.displaced && !b.orphan
	case wantFaster:
		// Over its slots only if nobody else was found: it would be asked to move on.
		return !b.orphan && (b.room[0] == 0 || n.late.failed > 0) && n.faster(b.lag)
	}
	return false
}

func (n *Node) roundOver(now time.Time) {
	s := &n.search
	switch s.want {
	case wantNearer:
		n.improve.on = false
		n.wantChanged(now, wantNothing)
		return
	case wantFaster:
		n.late.foundNobody(now)
		n.wantChanged(now, wantNothing)
		return
	}
	most := retryMost
	if s.want == wantOther {
		most = retryServed
	}
	pause := min(retryFirst<<min(s.rounds, 10), most)
	s.on = false
	s.rounds++
	s.retryAt = now.Add(pause/2 + time.Duration(n.cfg.Rand.Int64N(int64(pause))))
}

// seekAt is when seek has something to do of its own accord.
func (n *Node) seekAt() time.Time {
	s := &n.search
	switch {
	case s.want == wantNothing:
		return time.Time{} // the tick notices
	case !s.on:
		return s.retryAt
	}
	return s.hedgeAt // if it is over and nobody could be asked, the tick does it
}

// rememberPath makes the way to the root places to ask: the grandparent first,
// for the parent's slot there is free now, the other ancestors upwards after it.
func (n *Node) rememberPath() {
	var up []Place
	for i := len(n.path) - 2; i >= 0; i-- {
		up = append(up, n.path[i])
	}
	if len(up) > 0 {
		n.book.add(up[:1], rankGrandparent, 0)
		n.book.add(up[1:], rankPath, 0)
	}
	if len(n.path) > 0 { // it may come back
		n.book.add(n.path[len(n.path)-1:], rankHint, 0)
	}
}

// notNow reports whether a place must not be asked: the node itself, its parent,
// one that is being asked, or a child.
func (n *Node) notNow(p Place) bool {
	if p.ID == n.cfg.Self.ID && !p.ID.IsZero() || n.up != nil && n.up.place.same(p) {
		return true
	}
	for _, a := range n.search.attempts {
		if a.place.same(p) {
			return true
		}
	}
	return n.children.ofID(p.ID) != nil || n.ready.holds(p)
}

func (n *Node) dropAttempts(r Reason) {
	for _, a := range n.sortedAttempts() {
		n.do(Close{a.link, ByUs(r)})
	}
	clear(n.search.attempts)
}

func (n *Node) sortedAttempts() []*attempt {
	return sortedBy(n.search.attempts)
}

func sortedBy[V any](m map[Link]V) []V {
	vs := make([]V, 0, len(m))
	for _, l := range slices.Sorted(maps.Keys(m)) {
		vs = append(vs, m[l])
	}
	return vs
}
