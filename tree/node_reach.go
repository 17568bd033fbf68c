package tree

import (
	"net/netip"
	"slices"
	"time"
)

// held is a joiner that would take another's place, and waits until it has been tried.
type held struct {
	*child
	join  Joined
	until time.Time
}

func (held) role() {}

// mayTry reports whether there is something to try: a node that is near shares this one's
// network, and one that does not listen has nothing to reach.
func (n *Node) mayTry(c *child) bool { return n.cfg.Probes && !c.near && len(c.place.Addrs) > 0 }

// hold has a joiner wait until it has been tried. It reports false if it has been, or if too many
// wait.
func (n *Node) hold(now time.Time, j *child, ev Joined) bool {
	if j.trial.begun() || len(n.held) >= maxHeld || n.heldFrom(j.from) >= maxHeldFrom {
		return false
	}
	n.held = append(n.held, held{j, ev, now.Add(heldTime)})
	n.try(now, j)
	return true
}

// try asks the owner to try a node.
func (n *Node) try(now time.Time, c *child) {
	c.trial.began(now)
	n.do(Probe{c.link, c.place})
}

// tryChildren has those children tried for which it is time.
func (n *Node) tryChildren(now time.Time) {
	for _, c := range n.children {
		if c.pulling && n.mayTry(c) && c.trial.due(now) {
			n.try(now, c)
		}
	}
}

// relearn takes up another port of a child that was not reached, and has it tried there: its
// router has opened one meanwhile that is not the one the child listens on, and a child has no
// way to tell its parent. Hearsay can lead to nothing but such a trial, at the address at which
// the child is seen: one port at a time, behind which its own stay, and no trial before there was
// time for one.
func (n *Node) relearn(now time.Time, of []Candidate) {
	for _, cand := range of {
		c := n.children.ofID(cand.Place.ID)
		if c == nil || c.trial.reach != Closed || !c.from.net.IsSingleIP() {
			continue
		}
		for _, a := range cand.Place.Addrs {
			if a.Addr().Unmap() != c.from.net.Addr() || slices.Contains(c.place.Addrs, a) || now.Sub(c.learnt.when) < probeSoon {
				continue
			}
			own := slices.DeleteFunc(slices.Clone(c.place.Addrs), func(b netip.AddrPort) bool { return b == c.learnt.addr })
			c.learnt = learnt{a, now}
			c.place = Place{c.place.ID, own}.withAddr(a)
			c.trial.at = now
			break
		}
	}
}

// probed takes what came of a trial.
func (n *Node) probed(now time.Time, ev Probed) {
	switch r := n.role(ev.Link).(type) {
	case *child:
		r.trial.ended(now, ev.Reach)
		n.changed = true
	case held:
		r.trial.ended(now, ev.Reach)
		n.release(now, r)
	}
}

// release decides on a joiner that was held.
func (n *Node) release(now time.Time, h held) {
	n.forgetHeld(h.link)
	n.decide(now, h.child, h.join)
}

// expireHeld decides on those that could not be tried in time, as on any that is not known.
func (n *Node) expireHeld(now time.Time) {
	for _, h := range n.held { // release makes another list
		if !now.Before(h.until) {
			h.slots = 0 // what it could give counts for nothing until it is reached
			n.release(now, h)
		}
	}
}

func (n *Node) forgetHeld(l Link) {
	var rest []held
	for _, h := range n.held {
		if h.link != l {
			rest = append(rest, h)
		}
	}
	n.held = rest
}

// heldFrom counts those of one origin.
func (n *Node) heldFrom(o origin) (of int) {
	for _, h := range n.held {
		if h.from == o {
			of++
		}
	}
	return of
}

func (n *Node) dropHeld(id ID) {
	for _, h := range n.held { // forgetHeld makes another list
		if h.place.ID == id {
			n.forgetHeld(h.link)
			n.do(Close{h.link, ByUs(ReasonReplaced)})
		}
	}
}

func (n *Node) heldOn(l Link) (held, bool) {
	for _, h := range n.held {
		if h.link == l {
			return h, true
		}
	}
	return held{}, false
}
