package treetest

import (
	"maps"
	"slices"
	"time"

	"relay/tree"
)

// renewal is how often the root makes its lineage anew, as relay/lineage says.
const renewal = 5 * time.Second

// lineage is how deep a host can prove to be. A liar shows the best that it was given.
type lineage struct {
	depth    int
	until    int64     // 0 for none yet
	youngest time.Time // on the way to the host, itself included: when it came
}

// proves returns how deep a host can prove to be, and for how long.
func (h *Host) proves() (depth int, holds time.Duration, ok bool) {
	if h.Root {
		return 0, tree.ProofLife, true
	}
	holds = time.Duration(h.lineage.until - h.sim.t)
	return h.lineage.depth, holds, holds > 0
}

// proveAlong has the parent's end of a connection prove its place, with a welcome or once in each renewal.
func (s *Sim) proveAlong(c *conn, m tree.Message) {
	if !s.cfg.Proofs {
		return
	}
	switch m.(type) {
	case tree.Welcome:
		s.prove(c)
	case tree.Heartbeat:
		if s.t-c.shown >= int64(renewal) {
			s.prove(c)
		}
	}
}

// prove shows end 0 how deep it is below end 1.
func (s *Sim) prove(c *conn) {
	depth, until, ok := c.ends[1].proves()
	if !ok || !c.open(0) {
		return
	}
	c.shown, c.depth, c.until = s.t, depth+1, s.t+int64(until)
	h := c.ends[0]
	c.youngest = c.ends[1].lineage.youngest
	if c.ends[1].Root {
		c.youngest = s.start.Add(-maxSession) // it has been there for as long as anybody
	}
	h.tell(tree.Proven{Link: c.links[0], Depth: c.depth, For: until, Age: s.now.Sub(c.youngest)})
	if h.up == c || h.Fake != nil {
		h.inherit(c)
	}
}

// inherit makes a host's lineage of what its parent has proved. Its children are told at once if it is
// another.
func (h *Host) inherit(c *conn) {
	s := h.sim
	if !s.cfg.Proofs || c == nil || c.depth == 0 || h.Fake != nil && s.t < h.lineage.until && h.lineage.depth < c.depth {
		return
	}
	old := h.lineage
	came := h.came
	if came.IsZero() {
		came = s.start.Add(time.Duration(h.born))
	}
	if came.Before(c.youngest) {
		came = c.youngest
	}
	h.lineage = lineage{c.depth, c.until, came}
	if old.depth == c.depth {
		return
	}
	for _, l := range slices.Sorted(maps.Keys(h.conns)) {
		if d := h.conns[l]; l.Inbound() && d.serve {
			s.After(s.delay(h, d.ends[0]), func() { s.prove(d) })
		}
	}
}
