package treetest

import (
	"time"

	"relay/tree"
)

// addBoaster adds a host that says it is the root's child and welcomes everybody. Its label
// is one that the root will have only so much later. It does what a live parent does, and
// has no parent itself.
func addBoaster(s *Sim, ahead time.Duration) *Host {
	var b *Host
	label := func() tree.Label {
		l := s.rootLabel(ahead)
		l.H = 1
		return l
	}
	b = s.AddFake(func(_ time.Time, ev tree.Event) []tree.Action {
		switch ev := ev.(type) {
		case tree.Joined:
			path := []tree.Place{s.hosts[0].Place, b.Place}
			return []tree.Action{tree.Send{Link: ev.Link, Msg: tree.Welcome{Label: label(), Path: path}}}
		case tree.Received:
			p, ok := ev.Msg.(tree.Pull)
			if !ok {
				return nil
			}
			b.beat(ev.Link, label)
			return []tree.Action{tree.Serve{Link: ev.Link, Have: p.Have}}
		}
		return nil
	})
	return b
}

// beat sends heartbeats over a link for as long as it stands.
func (h *Host) beat(l tree.Link, label func() tree.Label) {
	if !h.alive || h.conns[l] == nil {
		return
	}
	h.Do(tree.Send{Link: l, Msg: tree.Heartbeat{Label: label()}})
	h.sim.After(fakeBeat, func() { h.beat(l, label) })
}
