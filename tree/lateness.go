package tree

import (
	"math/rand/v2"
	"time"
)

const (
	// linkLag is how much later than its parent a node may have the stream before the
	// link between them is taken to be too slow. Two heartbeats and two round trips come
	// on top, by which the two may disagree.
	linkLag = 400 * time.Millisecond
	// linkPatience is how long that has to last, up to twice that by chance: the
	// children of one weak uplink must not all run at once, for when the first has
	// gone it may carry the others.
	linkPatience = 600 * time.Millisecond
	// chainLag and chainPatience are for a parent that is late itself. Each is longer the
	// deeper the node is, so that the one at the top of the late part moves first.
	chainLag             = 1 * time.Second
	chainLagPerLink      = 300 * time.Millisecond
	chainPatience        = 2 * time.Second
	chainPatiencePerLink = 500 * time.Millisecond
	// lagGain is what a move has to promise.
	lagGain = 300 * time.Millisecond
	// lateAgain is how long after such a move the next may come, a third of it when
	// the ring is about to run dry. It doubles with each move that did not help.
	lateAgain = 30 * time.Second
	// veryLate is the lag at which the ring is about to run dry.
	veryLate = 2 * time.Second
	// lateRetry is when to look again after nobody was found. It doubles up to lateAgain.
	lateRetry = 1 * time.Second
	// lateReset is how long all has to be well for the doubling to start anew.
	lateReset = 60 * time.Second
)

// lateness decides whether a node looks for a faster parent. It judges by lags alone, so
// it notices a parent that looks alive and does not deliver.
type lateness struct {
	rand *rand.Rand

	linkSince  time.Time     // the link has been too slow since then, zero if it is not
	chainSince time.Time     // the parent has been too late itself since then
	patience   time.Duration // the part of it that is by chance
	wanted     bool          // a faster parent is to be looked for

	quietUntil  time.Time // nobody is looked for before this,
	urgentAfter time.Time // or before this, if the stream is very late,
	dryAfter    time.Time // or before this, if the parent sends nothing more
	failed      int       // searches in a row that found nobody
	moves       int       // in a row that did not help
	lateAt      time.Time // when the stream was late last
}

// lags are the lags that a node knows of.
type lags struct {
	own       time.Duration // this node's, behind the root
	parent    time.Duration // the parent's, behind the root, as it says
	depth     int           // of this node
	heartbeat time.Duration // between two words of the parent
	rtt       time.Duration // of the link to it
	flows     bool          // chunks come
}

// slow reports whether the link to the parent is too slow.
func (s lags) slow() bool {
	return s.own-s.parent > linkLag+2*s.heartbeat+2*s.rtt
}

// dry reports whether the parent has chunks, and sends none of them: no move can make that worse.
func (s lags) dry() bool { return !s.flows && s.own >= veryLate && s.slow() }

// chainLate reports whether the stream is late enough for the parent to be at fault.
func (s lags) chainLate() bool {
	return s.own > chainLag+time.Duration(s.depth)*chainLagPerLink
}

// watch takes the present lags into account.
func (l *lateness) watch(now time.Time, s lags) {
	l.wanted = false
	if l.patience == 0 {
		l.patience = time.Duration(l.rand.Int64N(int64(linkPatience)))
	}
	since(&l.linkSince, now, s.slow())
	since(&l.chainSince, now, s.chainLate())
	if l.linkSince.IsZero() && l.chainSince.IsZero() {
		if now.Sub(l.lateAt) >= lateReset {
			l.moves = 0
		}
		l.patience, l.failed = 0, 0
		return
	}
	l.lateAt = now
	if now.Before(l.quietUntil) && (s.own < veryLate || now.Before(l.urgentAfter)) && (!s.dry() || now.Before(l.dryAfter)) {
		return
	}
	chainLimit := chainPatience + time.Duration(s.depth)*chainPatiencePerLink
	l.wanted = lasted(l.linkSince, now, linkPatience+l.patience) || lasted(l.chainSince, now, chainLimit+l.patience)
}

// pause forgets how long the stream has been late: there is no parent to blame.
func (l *lateness) pause() {
	l.wanted = false
	l.linkSince, l.chainSince = time.Time{}, time.Time{}
}

// settled says that the node is not to look for a faster parent for now.
func (l *lateness) settled() { l.wanted = false }

// moved notes a move to a faster parent.
func (l *lateness) moved(now time.Time) {
	l.pause()
	wait := lateAgain << min(l.moves, 4)
	l.quietUntil, l.urgentAfter = now.Add(wait), now.Add(wait/3)
	l.moves++
	l.patience, l.failed = 0, 0
}

// foundNobody notes that a search ended without a faster parent.
func (l *lateness) foundNobody(now time.Time) {
	l.wanted = false
	pause := lateRetry << min(l.failed, 10)
	l.quietUntil = now.Add(min(pause, lateAgain))
	l.urgentAfter, l.dryAfter = l.quietUntil, now.Add(min(pause, retryMost))
	l.failed++
}

// since sets t to when a condition began to hold, and to zero while it does not hold.
func since(t *time.Time, now time.Time, holds bool) {
	switch {
	case !holds:
		*t = time.Time{}
	case t.IsZero():
		*t = now
	}
}

// lasted reports whether what began at t, if it did, has gone on for d.
func lasted(t, now time.Time, d time.Duration) bool { return !t.IsZero() && now.Sub(t) >= d }
