package tree

import "time"

const (
	// linkLag is how much later than its parent a node may have the stream before the
	// link between them is taken to be too slow; two heartbeats and two round trips on
	// top, by which the two may disagree.
	linkLag = 400 * time.Millisecond
	// linkPatience is how long that has to last, up to twice that by chance: the
	// children of one weak uplink must not all run at once, for when the first has
	// gone it may carry the others.
	linkPatience = 600 * time.Millisecond
	// chainLag and chainPatience are for a parent that is late itself, each longer the
	// deeper the node is: the one at the top of the late part moves first.
	chainLag             = 1 * time.Second
	chainLagPerLink      = 300 * time.Millisecond
	chainPatience        = 2 * time.Second
	chainPatiencePerLink = 500 * time.Millisecond
	// lagGain is what a move has to promise.
	lagGain = 300 * time.Millisecond
	// lateAgain is how long after such a move the next may come, a third of it when
	// the ring is about to run dry; doubled with each move that did not help.
	lateAgain = 30 * time.Second
	// veryLate is when it is.
	veryLate = 2 * time.Second
	// lateRetry is when to look again after nobody was found, doubled up to lateAgain.
	lateRetry = 1 * time.Second
	// lateReset is how long all has to be well for the doubling to start anew.
	lateReset = 60 * time.Second
)

// lateness tells whether the stream comes too late, and whose fault that is.
type lateness struct {
	link     time.Time // since when the link is too slow, zero if it is not
	chain    time.Time // since when the parent is too late itself
	patience time.Duration
	quiet    time.Time // nothing is done before,
	urgent   time.Time // if it is very late, not before this
	failed   int       // looks that found nobody
	moves    int       // that did not help
	on       bool
	last     time.Time // when it was late
}

// watchLag notices a parent that looks alive and does not deliver.
func (n *Node) watchLag(now time.Time) {
	l := &n.late
	l.on = false
	if n.up == nil || !n.up.told {
		l.link, l.chain = time.Time{}, time.Time{}
		return
	}
	slack := linkLag + 2*n.times.heartbeat + 2*n.clock.rtt
	depth := time.Duration(n.depth())
	if l.patience == 0 {
		l.patience = time.Duration(n.cfg.Rand.Int64N(int64(linkPatience)))
	}
	since(&l.link, now, n.lag-n.up.lag > slack)
	since(&l.chain, now, n.lag > chainLag+depth*chainLagPerLink)
	if l.link.IsZero() && l.chain.IsZero() {
		if now.Sub(l.last) >= lateReset {
			l.moves = 0
		}
		l.patience, l.failed = 0, 0
		return
	}
	l.last = now
	if now.Before(l.quiet) && (n.lag < veryLate || now.Before(l.urgent)) {
		return
	}
	l.on = !l.link.IsZero() && now.Sub(l.link) >= linkPatience+l.patience ||
		!l.chain.IsZero() && now.Sub(l.chain) >= chainPatience+depth*chainPatiencePerLink+l.patience
}

func since(t *time.Time, now time.Time, holds bool) {
	switch {
	case !holds:
		*t = time.Time{}
	case t.IsZero():
		*t = now
	}
}

// lateMoved notes a move to a faster parent.
func (n *Node) lateMoved(now time.Time) {
	l := &n.late
	l.on = false
	wait := lateAgain << min(l.moves, 4)
	l.quiet, l.urgent = now.Add(wait), now.Add(wait/3)
	l.moves++
	l.link, l.chain, l.patience, l.failed = time.Time{}, time.Time{}, 0, 0
}

// lateAlone notes that nobody was found.
func (n *Node) lateAlone(now time.Time) {
	l := &n.late
	l.quiet = now.Add(min(lateRetry<<min(l.failed, 10), lateAgain))
	l.urgent = l.quiet
	l.failed++
}

// faster reports whether a place that is so late would be a gain.
func (n *Node) faster(lag time.Duration) bool { return lag+lagGain < n.lag }
