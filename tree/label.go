package tree

import (
	"cmp"
	"math"
	"time"
)

// Epoch is one run of the source, as in relay/stream. A later one replaces an earlier one.
type Epoch struct {
	Ms   uint64
	Rand uint64
}

// Compare returns -1 if e is before f, 0 if they are equal, and +1 if e is after f.
func (e Epoch) Compare(f Epoch) int {
	return cmp.Or(cmp.Compare(e.Ms, f.Ms), cmp.Compare(e.Rand, f.Rand))
}

// Position is a place in the stream: the chunk with that number in that epoch.
type Position struct {
	Epoch Epoch
	Seq   uint64
}

// LabelStep is the time between two steps of the root's label. It is short against the
// time an orphan needs to find a parent, and long against the delay of a hop.
const LabelStep = 100 * time.Millisecond

// Label is what a node knows of its distance to the root: when the root was at step E of
// the epoch, the node was H links away from it. Only the root makes new steps.
type Label struct {
	Epoch Epoch
	E     uint64
	H     uint16
}

// compareE orders labels by their age alone: -1 if l is older than m.
func (l Label) compareE(m Label) int {
	return cmp.Or(l.Epoch.Compare(m.Epoch), cmp.Compare(l.E, m.E))
}

// Newer reports whether l has a later epoch or step than m.
func (l Label) Newer(m Label) bool { return l.compareE(m) > 0 }

// Standing is a node's own label together with its feasibility distance FD, the least H
// that it has held at the label's E. The zero Standing is a newcomer's.
type Standing struct {
	Label
	FD uint16
}

// Feasible reports whether a node that stands at s may take a parent whose label is p. It
// may if p is newer, or if p is as new and nearer to the root than s ever was at that E.
// That is the feasibility condition of Babel (RFC 8966 section 2.4) and DUAL, with the
// root's clock as sequence number. Along every edge that this allows (E, -FD) grows
// towards the root, so there is no cycle at any instant, however stale the hints were.
func (s Standing) Feasible(p Label) bool {
	if p.Epoch == (Epoch{}) {
		return false
	}
	if p.H >= MaxPath {
		return false
	}
	c := p.compareE(s.Label)
	return c > 0 || c == 0 && p.H < s.FD
}

// Adopt returns the standing of a node whose committed parent now has the label
// p. A parent's older label changes nothing.
func (s Standing) Adopt(p Label) Standing {
	h := p.H + 1 - p.H/math.MaxUint16 // it does not overflow
	switch c := p.compareE(s.Label); {
	case c > 0:
		return Standing{Label{p.Epoch, p.E, h}, h}
	case c == 0:
		return Standing{Label{p.Epoch, p.E, h}, min(s.FD, h)}
	}
	return s
}
