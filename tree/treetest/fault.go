package treetest

import (
	"maps"
	"slices"
	"time"

	"relay/tree"
)

// Kill ends h's process; the system closes its connections.
func (h *Host) Kill() { h.die() }

// PowerOff ends h's machine: nobody is told anything.
func (h *Host) PowerOff() {
	if !h.alive {
		return
	}
	h.sim.tracef(h, "power off")
	h.ends()
	h.alive, h.off = false, true
}

func (h *Host) die() {
	if !h.alive {
		return
	}
	h.sim.tracef(h, "ends")
	h.ends()
	h.hangUpAll()
	h.alive, h.up, h.upLink = false, nil, 0
}

func (h *Host) ends() {
	if h.sim.OnEnd != nil {
		h.sim.OnEnd(h, h.leaving)
	}
}

func (h *Host) hangUpAll() {
	for _, l := range slices.Sorted(maps.Keys(h.conns)) {
		h.sim.hangUp(h, l, h.conns[l])
	}
}

// Forget frees the memory of a host that has ended.
func (h *Host) Forget() { h.Node, h.conns, h.dials, h.thawing = nil, nil, nil, nil }

// Restart starts h's process again. The new one knows nothing, and the connections of the old
// one are reset.
func (h *Host) Restart() {
	h.sim.tracef(h, "restart")
	h.hangUpAll()
	h.sim.begin(h)
}

// Freeze stops h's process for d. When it thaws it finds what came meanwhile.
func (h *Host) Freeze(d time.Duration) {
	if !h.alive || h.frozen {
		return
	}
	s := h.sim
	s.tracef(h, "freeze")
	h.frozen = true
	run := h.run
	s.After(d, func() {
		if h.run == run {
			h.thaw()
		}
	})
}

func (h *Host) thaw() {
	s := h.sim
	s.tracef(h, "thaw")
	h.frozen = false
	if h.Node == nil || !h.alive {
		return
	}
	if s.rand.IntN(2) == 0 { // the timer may win, or the sockets
		h.Node.Advance(h.now())
		h.carryOut()
	}
	todo := h.thawing
	h.thawing = nil
	for _, f := range todo {
		f()
	}
	if h.alive && !h.frozen {
		h.Node.Advance(h.now())
		h.carryOut()
		h.pump()
	}
}

// Jump sets h's clock forward by d, or back.
func (h *Host) Jump(d time.Duration) {
	h.sim.tracef(h, "clock jumps by %v", d)
	h.jump += d
	if h.alive && !h.frozen && h.Node != nil {
		h.Node.Advance(h.now())
		h.carryOut()
	}
}

// Cut lets nothing through from one host to the other for d.
func (s *Sim) Cut(from, to *Host, d time.Duration) {
	s.tracef(from, "cut to %d", to.Index)
	s.cuts[[2]int{from.Index, to.Index}] = s.now.Add(d)
}

// Partition lets nothing through for d between hosts for which part returns different
// numbers. There is one partition at a time.
func (s *Sim) Partition(d time.Duration, part func(*Host) int) {
	s.split, s.heal = part, s.now.Add(d)
}

// Leave makes h leave in good order.
func (h *Host) Leave() {
	h.sim.tracef(h, "leave")
	h.leaving = true
	h.tell(tree.Leave{})
}

// Heard tells h that a chunk came from its parent.
func (h *Host) Heard() {
	if h.up != nil {
		h.tell(tree.Heard{Link: h.upLink})
	}
}

// Plays reports whether h has had a chunk.
func (h *Host) Plays() bool { return h.head.Seq > 0 }

// Alive reports whether h's process runs.
func (h *Host) Alive() bool { return h.alive }

// Parent is the host that h has committed to, nil if there is none.
func (h *Host) Parent() *Host {
	if h.up == nil {
		return nil
	}
	return h.up.ends[1]
}

// Attached reports whether the stream gets to h: every parent up to the root runs.
func (h *Host) Attached() bool {
	for range len(h.sim.hosts) + 1 {
		switch {
		case h == nil || !h.alive || h.frozen:
			return false
		case h.Root:
			return true
		case h.Fake != nil || !h.Node.Info().Attached:
			return false
		}
		h = h.Parent()
	}
	return false
}

// Depth is h's distance to the root along committed parents, -1 if there is none.
func (h *Host) Depth() int {
	for d := range len(h.sim.hosts) + 1 {
		if h == nil {
			return -1
		}
		if h.Root {
			return d
		}
		h = h.Parent()
	}
	return -1
}

// Children are the hosts that h has given a slot, in the order of their links.
func (h *Host) Children() []*Host {
	var hs []*Host
	for _, c := range h.Node.Info().Children {
		if conn := h.conns[c.Link]; conn != nil {
			hs = append(hs, conn.ends[0])
		}
	}
	return hs
}

// Below are the running hosts that take the stream from h, directly or through others.
func (h *Host) Below() []*Host {
	var hs []*Host
	for _, c := range h.children {
		if k := c.ends[0]; k.up == c && k.alive && len(hs) < len(h.sim.hosts) {
			hs = append(append(hs, k), k.Below()...)
		}
	}
	return hs
}

// AllAttached reports whether the stream gets to every process that runs.
func (s *Sim) AllAttached() bool {
	return !slices.ContainsFunc(s.hosts, func(h *Host) bool { return h.alive && h.Fake == nil && !h.Attached() })
}
