package tree

import (
	"math/rand/v2"
	"time"
)

const (
	// maxAttempts is how many places are asked at the same time.
	maxAttempts = 3
	// maxDials bounds those and the places that a dial has not reached yet: an address
	// at which nobody is must not keep others from being asked.
	maxDials = 8
	// otherEvery is how often the place asked is not one of those named by whoever was
	// asked before: a liar's list must not come before all that was known.
	otherEvery = 3
	// hedgeAfter is how long one place has before the next is asked as well: a
	// machine that froze answers a dial, and then nothing.
	hedgeAfter = 150 * time.Millisecond
	// hurryAfter is likewise where nobody serves the node and nothing is ready: a round trip is often
	// longer, and in a crowd most of those that are asked are full.
	hurryAfter = 50 * time.Millisecond
	// deliverAfter is likewise how long a place that is welcome has for its first chunk. A
	// stream of one picture in a second has sound in between.
	deliverAfter = 500 * time.Millisecond
	// flowedFor is how long after its newest chunk a node expects the stream to go on with
	// whoever serves it next.
	flowedFor = 5 * time.Second
	// maxInfeasible is how many welcomes one search may hold whose label never becomes
	// new enough. Honest labels all follow one clock, so after as many the node's own
	// label must be wrong: somebody lied.
	maxInfeasible = 3
	// maxFollowed bounds the places taken over from referrals in one search, so that
	// liars who name each other cannot keep a node from its other places. It is a whole
	// chain of MaxHops referrals with MaxRefer places each, and half as much again.
	maxFollowed = 60
	// retryFirst and retryMost bound the pause before everything known is asked
	// again: a source that restarts is found soon, one that is gone costs little.
	retryFirst  = 100 * time.Millisecond
	retryMost   = 2 * time.Second
	retryServed = 10 * time.Second // while there is a parent that still serves
)

// want is what a node looks for, in order of urgency.
type want uint8

const (
	wantNothing want = iota
	wantNearer       // it is well served, and could be nearer to the root
	wantFaster       // it is served too late
	wantOther        // it is served, and has to go
	wantAny          // it is not served
)

// search is the state of looking for a parent: what is wanted, who is being asked, and
// when the next may be. Rounds follow each other; in each, every place that the node
// knows is asked once.
type search struct {
	rand *rand.Rand

	want     want
	attempts attempts

	running    bool // a round is
	dry        bool // nobody else could be asked when that was tried last
	fruitless  int  // rounds in a row that ended with nobody
	asked      int  // places asked in this round
	followed   int  // places taken over from referrals in this round
	kept       bool // a place has let the node wait
	infeasible int  // welcomes that never became feasible, since a parent was wanted

	named   []Place   // by a parent that cannot go on: asked first in the next round
	retryAt time.Time // when the next round begins
	hedgeAt time.Time // when one more place may be asked
}

func newSearch(r *rand.Rand) search {
	return search{rand: r, attempts: make(attempts)}
}

func (s *search) find(l Link) *attempt { return s.attempts[l] }

func (s *search) add(a *attempt) { s.attempts[a.link] = a }

func (s *search) remove(a *attempt) { delete(s.attempts, a.link) }

// removeAll ends all attempts, and returns them for their links to be closed.
func (s *search) removeAll() []*attempt {
	as := s.attempts.sorted()
	clear(s.attempts)
	return as
}

// setWant goes over to another search. It returns the attempts that are of no use to it.
func (s *search) setWant(now time.Time, w want) []*attempt {
	old := s.want
	s.want = w
	switch {
	case w == wantNothing:
		s.reset()
		s.retryAt = now
		return s.removeAll()
	case old == wantNearer || old == wantFaster || w < old: // those were asked with other conditions
		s.restart(now)
		return s.removeAll()
	}
	s.hedgeAt = now
	if !s.running {
		s.restart(now)
	}
	return nil
}

// found ends the search: the node has a parent. It returns the other attempts.
func (s *search) found() []*attempt {
	s.reset()
	s.want, s.named = wantNothing, nil
	return s.removeAll()
}

func (s *search) reset() {
	s.running, s.fruitless, s.infeasible, s.kept = false, 0, 0, false
}

// restart makes a round begin at once.
func (s *search) restart(now time.Time) {
	s.running, s.fruitless = false, 0
	s.retryAt, s.hedgeAt = now, now
}

// startOver makes a round begin at once for a node that has given up its label.
func (s *search) startOver(now time.Time) {
	s.infeasible = 0
	s.restart(now)
}

// begin begins a round if it is time, and reports whether it did.
func (s *search) begin(now time.Time) bool {
	if s.running || now.Before(s.retryAt) {
		return false
	}
	s.running = true
	s.asked, s.followed = 0, 0
	s.hedgeAt = now
	return true
}

// takeNamed returns the places to ask first, once.
func (s *search) takeNamed() []Place {
	ps := s.named
	s.named = nil
	return ps
}

// end ends a round in which nobody was found. The pause until the next doubles.
func (s *search) end(now time.Time) {
	most := retryMost
	if s.want == wantOther {
		most = retryServed
	}
	pause := min(retryFirst<<min(s.fruitless, 10), most)
	s.running = false
	s.fruitless++
	s.retryAt = now.Add(pause/2 + time.Duration(s.rand.Int64N(int64(pause))))
}

// mayAsk reports whether one more place may be asked now.
func (s *search) mayAsk(now time.Time) bool {
	return s.running && s.hasRoom(now) && (len(s.attempts) == 0 || !now.Before(s.hedgeAt))
}

// hasRoom reports whether the bounds allow one more attempt. If there are maxDials
// already, the one that hangs has to go first.
func (s *search) hasRoom(now time.Time) bool {
	return s.attempts.open(now) < maxAttempts && (len(s.attempts) < maxDials || s.attempts.hung(now) != nil)
}

// outOfTurn reports whether the next place asked is not to be one just named.
func (s *search) outOfTurn() bool { return s.asked%otherEvery == otherEvery-1 }

// hedge gives the place asked last, over a link that was ready or not, some time before the next is asked
// as well.
func (s *search) hedge(now time.Time, ready bool) {
	after := hedgeAfter
	if s.want == wantAny && !ready {
		after = hurryAfter
	}
	s.hedgeAt = now.Add(after)
}

// awaitChunk gives a place some time to deliver before the next is asked as well: each that
// does sends the whole stream.
func (s *search) awaitChunk(now time.Time) { s.hedgeAt = now.Add(deliverAfter) }

// failed ends an attempt, and lets the next place be asked at once.
func (s *search) failed(now time.Time, a *attempt) {
	s.remove(a)
	s.hedgeAt = now
}

// follow returns the places of a referral that are to be asked.
func (s *search) follow(a *attempt, ps []Place) []Place {
	if a.hops >= MaxHops {
		return nil
	}
	ps = ps[:min(len(ps), MaxRefer, maxFollowed-s.followed)]
	s.followed += len(ps)
	return ps
}

// expired says why an attempt has had its time, ReasonNone if it has not. hold is how
// long a welcome may wait for its label, and then for the first chunk. A node without a parent
// waits for that as long as for an answer.
func (s *search) expired(now time.Time, a *attempt, hold time.Duration) Reason {
	if a.due && s.want == wantAny {
		hold = attemptTime
	}
	if now.Sub(a.started) < attemptTime && (a.welcome == nil || now.Sub(a.since) < hold) {
		return ReasonNone
	}
	if a.welcome == nil || a.due {
		return ReasonSilent
	}
	if s.want >= wantFaster {
		s.infeasible++
	}
	return ReasonNotNeeded // it did answer
}

// wrongLabel reports whether so many welcomes were infeasible that the label of the node
// itself must be wrong.
func (s *search) wrongLabel() bool { return s.infeasible >= maxInfeasible }

// deadline is when the search has something to do of its own accord, zero if it has not.
func (s *search) deadline() time.Time {
	switch {
	case s.want == wantNothing:
		return time.Time{} // the tick notices
	case !s.running:
		return s.retryAt
	}
	return s.hedgeAt // if it is over and nobody could be asked, the tick does it
}
