package treetest

import (
	"slices"
	"time"

	"relay/tree"
)

// check compares a host's node with what the network knows of it.
func (s *Sim) check(h *Host) {
	i := h.Node.Info()
	switch over := len(i.Children) - i.Slots; {
	case over <= 0:
		h.over = time.Time{}
	case over > max(tree.EmergencySlots(i.Slots), h.Slots-i.Slots):
		s.fail("host %d has %d children in %d slots", h.Index, len(i.Children), i.Slots)
	case h.over.IsZero():
		h.over = s.now
	case s.now.Sub(h.over) > tree.EmergencyTime+time.Second:
		s.fail("host %d has had %d children in %d slots for %v", h.Index, len(i.Children), i.Slots, s.now.Sub(h.over))
	}
	if h.up != nil && i.Parent.ID != h.up.ends[1].Place.ID {
		s.fail("host %d is fed by %d, and takes another for its parent", h.Index, h.up.ends[1].Index)
	}
	if (h.up == nil) != i.Parent.ID.IsZero() {
		s.fail("host %d: link of the parent %d, parent %v", h.Index, h.upLink, i.Parent.ID.Short())
	}
	if i.Asking > 8 {
		s.fail("host %d asks %d places at a time", h.Index, i.Asking)
	}
	if len(i.Path) > tree.MaxPath {
		s.fail("host %d: path of %d", h.Index, len(i.Path))
	}
}

// checkDegree checks a host that has begun to serve one more child.
func (s *Sim) checkDegree(h *Host) {
	if h.Fake == nil && len(h.children) > h.Slots+tree.EmergencySlots(h.Slots) {
		s.fail("host %d serves %d children in %d slots", h.Index, len(h.children), h.Slots)
	}
}

const (
	// orphanLimit is how long a host may be without a parent in a network that is whole
	// and has slots for all.
	orphanLimit = time.Minute
	// yieldLimit is that where those who cannot call need others to make room for them, if two that
	// were asked find no place, one after the other: each has 9 s for it, and then nobody is asked
	// for 30 s.
	yieldLimit = 90 * time.Second
	// emergencySlack is how much later than promised a node may notice that an
	// emergency is over: a few of the longest heartbeats.
	emergencySlack = 3 * time.Second
)

// checkLong checks for states in which a host may be for a while only.
func (s *Sim) checkLong(h *Host) {
	if !h.alive || h.frozen || h.Fake != nil {
		return
	}
	if over := time.Duration(s.t - h.overAt); h.overAt != 0 && over > tree.EmergencyTime+emergencySlack {
		s.fail("host %d has served %d children in %d slots for %v", h.Index, len(h.children), h.Slots, over)
	}
	limit := orphanLimit
	if s.cfg.Calls {
		limit = yieldLimit
	}
	if alone := time.Duration(s.t - h.orphan); h.up == nil && !h.leaving && alone > limit {
		s.fail("host %d has been without a parent for %v", h.Index, alone)
	}
}

// checkCycle follows the committed parents of a host that has a new one. It leaves out an
// edge whose parent has hung up, for nothing flows along it.
func (s *Sim) checkCycle(h *Host) {
	at := h
	for range len(s.hosts) + 1 {
		c := at.up
		if c == nil || c.closed[1] || c.ends[1].run != c.runs[1] {
			return
		}
		if at = c.ends[1]; at == h {
			s.fail("host %d is above itself", h.Index)
			return
		}
	}
	s.fail("host %d is below a cycle", h.Index)
}

// checkMessage checks that what a node sends is within the bounds of the messages.
func (s *Sim) checkMessage(h *Host, c *conn, l tree.Link, msg tree.Message) {
	if h.Fake != nil {
		return
	}
	to := c.ends[1-c.end(h, l)].Place
	named := func(what string, ps []tree.Place) {
		if len(ps) > tree.MaxRefer {
			s.fail("host %d: %s names %d places", h.Index, what, len(ps))
		}
		for i, p := range ps {
			switch {
			case p.ID == h.Place.ID:
				s.fail("host %d names itself in a %s", h.Index, what)
			case p.ID == to.ID:
				s.fail("host %d names the asker in a %s", h.Index, what)
			case len(p.Addrs) == 0 || len(p.Addrs) > tree.MaxAddrs:
				s.fail("host %d names a place with %d addresses in a %s", h.Index, len(p.Addrs), what)
			case slices.ContainsFunc(ps[:i], func(q tree.Place) bool { return q.ID == p.ID }):
				s.fail("host %d names a place twice in a %s", h.Index, what)
			}
		}
	}
	called := func(what string, ps []tree.Place, ms tree.Marks) {
		named(what, ps)
		for i := range 8 {
			if !ms.Has(i) {
				continue
			}
			if i >= len(ps) {
				s.fail("host %d has a place called in a %s that it does not name", h.Index, what)
			} else if t := s.hostAt(ps[i].Addrs[0]); !h.linked(t) {
				s.fail("host %d has %d called in a %s, and is not linked with it", h.Index, t.Index, what)
			}
		}
	}
	switch m := msg.(type) {
	case tree.Welcome:
		named("welcome", m.Others)
	case tree.Refer:
		called("refer", m.Places, m.Called)
	case tree.Backups:
		called("backups", m.Places, m.Called)
	case tree.Bye:
		called("bye", m.Places, m.Called)
	case tree.Path:
		if len(m.Path) > tree.MaxPath || m.Path[len(m.Path)-1].ID != h.Place.ID {
			s.fail("host %d sends a path of %d that does not end with it", h.Index, len(m.Path))
		}
	}
}
