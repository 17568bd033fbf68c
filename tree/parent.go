package tree

import "time"

// uplink is the committed parent.
type uplink struct {
	link    Link
	place   Place
	heard   time.Time // when anything last came
	fresh   time.Time // when its label last grew newer
	suspect bool      // silent for too long; nothing is closed yet
	orphan  bool      // it says it has no live parent itself
	leaving bool      // it said so, and serves on for a little
	excused bool      // this silence may have been the node's own stall
}

func (n *Node) isParent(l Link) bool { return n.up != nil && n.up.link == l }

func (n *Node) heard(now time.Time, l Link) {
	if n.isParent(l) {
		n.up.heard = now
		n.up.suspect = false
		n.up.excused = false
	}
}

func (n *Node) heartbeat(now time.Time, l Link, hb Heartbeat) {
	if a := n.search.attempts[l]; a != nil && a.welcome != nil {
		a.welcome.Label = hb.Label
		if !hb.Orphan {
			n.tryCommit(now, a)
		}
		return
	}
	if !n.isParent(l) {
		return
	}
	n.heard(now, l)
	n.up.orphan = hb.Orphan
	if hb.Label.compareE(n.at.Label) > 0 {
		n.up.fresh = now
	}
	if hb.Label.Epoch.Compare(n.at.Epoch) > 0 {
		n.clock.known = false // another epoch, another zero
	}
	n.at = n.at.Adopt(hb.Label)
	n.clock.sample(now, now.Sub(n.origin), hb)
}

func (n *Node) pathChanged(now time.Time, l Link, m Path) {
	if a := n.search.attempts[l]; a != nil && a.welcome != nil {
		a.welcome.Path = m.Path
		return
	}
	if !n.isParent(l) {
		return
	}
	n.heard(now, l)
	if !n.setPath(m.Path) {
		// Labels make this impossible among honest nodes.
		n.do(Close{l, ReasonLoop})
		n.parentLost(now, ReasonLoop)
	}
}

// setPath takes the way from the root to the parent, as the parent tells it. It
// refuses one that is too long, leads through this node or does not end at the
// parent: who that is, the link itself has proved. Children hear of it at the next
// tick, so that a parent's torrent of paths goes no further.
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
	if len(n.up.place.Addrs) > 0 { // the address that is known to work comes first
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
	return n.up.heard.Add(silence)
}

// watchParent draws conclusions from a parent's silence. late is how much later
// than asked the node was woken: one that was itself stopped cannot tell a silent
// parent from its own deaf ears, and listens a little longer first: once in one
// silence, or a machine that is always late would never lose a parent.
func (n *Node) watchParent(now time.Time, late time.Duration) {
	u := n.up
	if u == nil {
		return
	}
	if late > stallSlack && !u.excused {
		u.excused = true
		if heard := now.Add(heartbeatInterval - silence); !u.suspect && u.heard.Before(heard) {
			u.heard = heard
		}
		return
	}
	if now.Sub(u.heard) >= deadAfter {
		n.do(Close{u.link, ReasonSilent})
		n.parentLost(now, ReasonSilent)
	}
}

// staleAfter is how long a label may stand still before the node looks around
// itself: longer the deeper it is, so that a break is mended at its top.
func (n *Node) staleAfter() time.Duration {
	return staleFirst + time.Duration(min(int(n.at.H), 20))*stalePerLink
}

// wantsParent reports whether the node looks for a parent, and whether it has one
// that still serves while it does.
func (n *Node) wantsParent(now time.Time) (wants, served bool) {
	u := n.up
	switch {
	case n.cfg.Root || !n.leaveBy.IsZero():
		return false, false
	case u == nil:
		return true, false
	case now.Sub(u.heard) >= silence:
		if !u.suspect {
			u.suspect = true
			n.search.hurry(now)
		}
		return true, false
	case u.leaving:
		return true, true
	case now.Sub(u.fresh) >= n.staleAfter():
		return true, true
	}
	return false, true
}

// parentLost makes the node an orphan. It keeps its children, its label, and the
// way to the root as places to ask.
func (n *Node) parentLost(now time.Time, r Reason) {
	if n.up == nil {
		return
	}
	n.rememberPath()
	n.book.failed(now, n.up.place, r)
	n.up = nil
	n.search.restart(now)
	n.do(Orphaned{r})
}
