package tree

import "time"

// uplink is the committed parent.
type uplink struct {
	link      Link
	place     Place
	heard     time.Time // when anything came from it last
	fresh     time.Time // when its label was newer than before last
	suspect   bool      // silent for too long; nothing is closed yet
	orphan    bool      // it says that it has no live parent itself
	orphanAt  time.Time // since when it says so
	leaving   bool      // it is leaving, and serves on for a little
	displaced bool      // it needs the slot for another node, and serves on for a little,
	askedAt   time.Time // as it said then
	near      bool
	called    bool // it cannot be dialled
	brought   bool // it has delivered
	proof     proof
	unproven  bool      // that was missing when it was looked for last
	liesSince time.Time // since when it says that it is nearer to the root than it proves
	since     time.Time
	proved    bool          // it has served for a while
	told      bool          // a heartbeat has come
	room      Room          // at and below it, for joiners that are dialled
	roomCalls Room          // likewise, for those that can call, and not below this node
	lag       time.Duration // how late it is itself, as it says
	excused   bool          // this silence may have been the node's own stall
}

// provedAfter is how long a parent has to serve before its earlier failures are
// forgotten.
const provedAfter = 10 * time.Second

// staysAfter is how long a parent has to serve after it has asked the node to move before the node has its slot
// again: others have gone meanwhile, or it would have been cut.
const staysAfter = EmergencyTime + 2*time.Second

// moving reports whether the parent has told the node to go elsewhere.
func (u *uplink) moving() bool { return u.leaving || u.displaced }

// hear notes a sign of life.
func (u *uplink) hear(now time.Time) {
	u.heard, u.suspect, u.excused = now, false, false
}

func (n *Node) isParent(l Link) bool { return n.up != nil && n.up.link == l }

func (n *Node) heard(now time.Time, ev Heard) {
	at := ev.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	switch {
	case !n.isParent(ev.Link), !at.After(n.up.heard):
	case now.Sub(at) >= n.times.silence: // it has been silent since
		n.up.heard = at
	default:
		n.up.hear(at)
	}
}

func (n *Node) heartbeat(now time.Time, l Link, hb Heartbeat) {
	switch r := n.role(l).(type) {
	case *uplink:
		n.parentBeat(now, hb)
	case *attempt:
		n.attemptBeat(now, r, hb)
	case *standby:
		if r.ready {
			r.beat(now, hb)
		}
	}
}

// attemptBeat commits to a place whose welcome was held, if its label is new enough now.
func (n *Node) attemptBeat(now time.Time, a *attempt, hb Heartbeat) {
	if a.welcome == nil {
		return
	}
	a.welcome.Label, a.welcome.Lag = hb.Label, hb.Lag
	if !hb.Orphan {
		n.tryCommit(now, a)
	}
}

func (n *Node) parentBeat(now time.Time, hb Heartbeat) {
	n.up.hear(now)
	dialled, called := hb.rooms(false), hb.rooms(true)
	if n.up.orphan != hb.Orphan || n.best != dialled.best || n.called != called.best {
		n.changed = true
	}
	if hb.Orphan && !n.up.orphan {
		n.up.orphanAt = now
	}
	n.up.orphan, n.up.told, n.up.lag = hb.Orphan, true, lagOf(hb.Lag)
	n.best, n.up.room = dialled.best, dialled.here
	n.called, n.up.roomCalls = called.best, called.here
	if hb.Label.compareE(n.at.Label) > 0 {
		n.up.fresh = now
	}
	if hb.Label.Epoch.Compare(n.at.Epoch) > 0 {
		n.clock.known = false // each epoch's clock begins at 0
		n.up.proof = proof{}
	}
	if !n.search.attempts.awaitsLabel() { // a welcome's label must be able to catch up with this node's own
		depth := n.depth()
		n.at = n.at.Adopt(n.believed(now, hb.Label))
		if n.depth() > depth {
			n.gotDeeper(now)
		}
	}
	if !n.up.proved && now.Sub(n.up.since) >= provedAfter {
		n.up.proved = true
		n.book.worked(n.up.place)
	}
	if n.up.displaced && now.Sub(n.up.askedAt) >= staysAfter {
		n.up.displaced = false
	}
	n.watchClaim(now, hb.Label)
	n.clock.sample(now, now.Sub(n.origin), hb)
}

func (n *Node) pathChanged(now time.Time, l Link, m Path) {
	switch r := n.role(l).(type) {
	case *attempt:
		if r.welcome != nil {
			r.welcome.Path = m.Path
		}
	case *uplink:
		r.hear(now)
		if !n.setPath(m.Path) {
			// Labels make this impossible among honest nodes.
			n.do(Close{l, ByUs(ReasonLoop)})
			n.parentLost(now, ByUs(ReasonLoop))
		}
	}
}

// parentBye handles the parent's good-bye. A parent that is leaving, or needs the slot,
// serves on until the node has found another.
func (n *Node) parentBye(now time.Time, m Bye) {
	n.search.named = m.Places[:min(len(m.Places), MaxRefer)]
	n.book.add(n.search.named, rankReferred, 0)
	n.book.mark(now, n.search.named, m.Called, n.up.place.ID)
	switch m.Reason {
	case ReasonLeaving:
		n.up.leaving = true
	case ReasonDisplaced:
		n.up.displaced, n.up.askedAt = true, now
		n.book.noStandby(n.up.place, now.Add(optionalEvery)) // else the node would crowd it again as its backup
	default:
		n.do(Close{n.up.link, ByThem(m.Reason)})
		n.parentLost(now, ByThem(m.Reason))
	}
}

// setPath takes over the way from the root to the parent, as the parent tells it. It
// refuses a path that is too long, leads through this node, or does not end at the node
// that the link has proved the parent to be. Children hear of the path at the next tick, so
// that a parent's torrent of paths goes no further.
func (n *Node) setPath(path []Place) bool {
	if len(path) == 0 || len(path) > MaxPath || path[len(path)-1].ID != n.up.place.ID {
		return false
	}
	for _, p := range path {
		if p.ID == n.cfg.Self.ID {
			return false
		}
	}
	n.path = append([]Place(nil), path...)
	parent := &n.path[len(n.path)-1]
	if len(n.up.place.Addrs) > 0 && len(parent.Addrs) > 0 { // the address that is known to work comes first
		*parent = parent.withAddr(n.up.place.Addrs[0])
	}
	n.up.place = *parent
	n.pathDue = true
	return true
}

// suspectAt is when the parent's silence becomes suspicious.
func (n *Node) suspectAt() time.Time {
	if n.up == nil || n.up.suspect || !n.leaveBy.IsZero() {
		return time.Time{}
	}
	return n.up.heard.Add(n.times.silence)
}

// watchParent gives up a parent that has been silent for too long. late is how much later
// than asked the node was woken. A node that was itself stopped cannot tell a silent parent
// from its own deafness, so it listens a little longer first. It does so once in a silence,
// for else a machine that is always late would never lose a parent.
func (n *Node) watchParent(now time.Time, late time.Duration) {
	u := n.up
	if u == nil {
		return
	}
	if late > n.times.stallSlack && !u.excused {
		u.excused = true
		if heard := now.Add(n.times.heartbeat - n.times.silence); !u.suspect && u.heard.Before(heard) {
			u.heard = heard
		}
		return
	}
	if now.Sub(u.heard) >= n.times.deadAfter {
		n.do(Close{u.link, ByUs(ReasonSilent)})
		n.parentLost(now, ByUs(ReasonSilent))
	}
}

// staleAfter is how long the parent's label may stand still before the node looks for
// another parent. Deeper nodes wait longer, so that a break is mended at its top.
func (n *Node) staleAfter() time.Duration {
	return n.times.staleFirst + time.Duration(min(int(n.at.H), 20))*n.times.stalePerLink
}

// parentStuck reports whether the parent has been an orphan for too long, and a link is
// ready to a node that is none.
func (n *Node) parentStuck(now time.Time) bool {
	u := n.up
	if !u.orphan || now.Sub(u.orphanAt) < n.times.orphan+time.Duration(n.depth())*n.times.orphanPerLink {
		return false
	}
	if n.search.want == wantOther && len(n.search.attempts) > 0 {
		return true // such a link has been pulled
	}
	return n.standbys.fitting(func(b *standby) bool { return !b.orphan }) != nil
}

// wants says what the node looks for.
func (n *Node) wants(now time.Time) want {
	u := n.up
	switch {
	case n.cfg.Root || !n.leaveBy.IsZero():
		return wantNothing
	case u == nil:
		return wantAny
	case now.Sub(u.heard) >= n.times.silence:
		if !u.suspect {
			u.suspect = true
			n.orphanAt = now
			n.beatAt = now // the children hear of it at once
		}
		return wantAny
	case u.moving(), now.Sub(u.fresh) >= n.staleAfter(), n.parentStuck(now), n.undelivered(now), u.lies(now):
		return wantOther
	case n.late.wanted, n.search.want == wantFaster && n.search.attempts.bring():
		return wantFaster // also while it is served by the next parent and waits for that one's label
	case n.improve.on:
		return wantNearer
	}
	return wantNothing
}

// parentLost makes the node an orphan. It keeps its children, its label, and the
// way to the root as places to ask.
func (n *Node) parentLost(now time.Time, e End) {
	if n.up == nil {
		return
	}
	n.rememberPath()
	n.book.failed(now, n.up.place, e.Reason)
	if n.up.leaving && e.By != Us {
		e = ByThem(ReasonLeaving) // as it has said
	}
	if !n.up.suspect {
		n.orphanAt = now
	}
	n.up, n.lostFor = nil, e
	n.beatAt = now
	n.best, n.called = noRoom, noRoom
	n.changed = true
	n.search.restart(now)
	n.do(Orphaned{e})
}
