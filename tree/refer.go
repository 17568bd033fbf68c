package tree

import (
	"cmp"
	"math/bits"
	"slices"
	"time"
)

// betterFor names places for a joiner that cannot be taken. They are the children nearest
// to a node that would take it. Among those as near, the ones that were sent the fewest
// joiners since their last report come first, then the ones that have stayed longest. Children
// that were asked to move come last: they will be further down, but most nodes may be below
// them. The ancestors follow. A child with no room at or below it is a dead end and is not named.
// within, if not 0, is the greatest depth that is of use. Of those as near, the ones that are dialled
// come before those that are called; these leave half of the list to the others, as the joiner's
// calls may not get through.
func (n *Node) betterFor(now time.Time, j *child, within int) named {
	class := j.class()
	var open []*child
	dialled := 0
	if n.attached() {
		for _, c := range n.children {
			if !c.pulling || !c.reported || c.shedding() && within > 0 || !c.leads(j.canCall()) || c.place.same(j.place) || c.claim.doubted(now) {
				continue
			}
			if c.reachable() {
				dialled++
			}
			room := c.report.room(j.canCall())[class]
			if room != NoRoom && (within == 0 || n.depth()+2+int(room) <= within) {
				open = append(open, c)
			}
		}
	}
	n.cfg.Rand.Shuffle(len(open), func(i, k int) { open[i], open[k] = open[k], open[i] })
	settled := func(a, b *child) int {
		if within == 0 {
			return 0
		}
		return cmp.Compare(staying(now, b), staying(now, a)) // whoever is served has time to find the best
	}
	slices.SortStableFunc(open, func(a, b *child) int {
		return cmp.Or(
			cmp.Compare(a.moves(), b.moves()),
			cmp.Compare(a.report.room(j.canCall())[class], b.report.room(j.canCall())[class]),
			cmp.Compare(a.called(), b.called()),
			settled(a, b),
			cmp.Compare(a.told, b.told),
			cmp.Compare(staying(now, b), staying(now, a)),
		)
	})
	l := n.higher(j, open, within)
	first := within > 0 || !n.attached() || n.children.find(j.link) != nil || !n.crowd.comes(now) || !n.nameOpenings(now, j, &l)
	calls := MaxRefer - min(dialled, MaxRefer/2)
	for _, c := range open {
		if len(l.places) >= MaxRefer {
			break
		}
		if l.has(c.place) {
			continue
		}
		if !c.reachable() {
			if calls--; calls < 0 {
				continue
			}
		}
		if first {
			first = false
			c.told++
			// One that is served may find that the place is not as it wants it.
			if within == 0 && c.reachable() && c.report.Free > 0 && c.report.room(j.canCall())[class] == 0 {
				n.sendTo(now, j, c, false)
			}
		}
		l.add(c.place, !c.reachable())
	}
	for i := 0; within == 0 && i < len(n.path) && len(l.places) < MaxRefer; i++ {
		if p := n.path[i]; !p.same(j.place) && len(p.Addrs) > 0 && !l.has(p) && (j.canCall() || !n.calling(p)) {
			l.add(p, n.calling(p))
		}
	}
	return l
}

// higher names the parent or the root, if a joiner would get nearer to the root through it
// than through the children in open.
func (n *Node) higher(j *child, open []*child, within int) (l named) {
	if n.up == nil || len(n.path) == 0 || !n.attached() {
		return l
	}
	class, depth := j.class(), n.depth()
	here := 2 * MaxPath // the depth of the node that would take the joiner, below this one
	if len(open) > 0 {
		here = depth + 1 + int(open[0].report.room(j.canCall())[class])
	}
	above := rooms{n.up.room, n.best}
	if j.canCall() {
		above = rooms{n.up.roomCalls, n.called}
	}
	parent, root := 2*MaxPath, 2*MaxPath
	if r := above.here[class]; r != NoRoom {
		parent = depth - 1 + int(r)
	}
	if r := above.best[class]; r != NoRoom {
		root = int(r)
	}
	best := min(parent, root)
	p := n.top()
	if parent <= root {
		p = n.path[len(n.path)-1]
	}
	if best >= here || within > 0 && best+1 > within || p.same(j.place) || len(p.Addrs) == 0 || n.calling(p) && !j.canCall() {
		return l
	}
	l.add(p, n.calling(p))
	return l
}

// staying says how long a child can be expected to stay: it grows by one with each
// doubling of its age, from a minute on. Those who have stayed long go on to stay long.
func staying(now time.Time, c *child) int {
	return bits.Len(uint(max(0, now.Sub(c.born)) / time.Minute))
}

// elsewhere names places where a joiner or child could go if this node were gone.
func (n *Node) elsewhere(now time.Time, joiner Place) []Place {
	var ps []Place
	if i := len(n.path) - 1; i >= 0 && !n.path[i].same(joiner) && len(n.path[i].Addrs) > 0 {
		ps = append(ps, n.path[i])
	}
	for _, c := range n.children {
		if len(ps) < MaxRefer && c.pulling && c.slots > 0 && c.reachable() && !c.place.same(joiner) &&
			!slices.ContainsFunc(ps, c.place.same) {
			ps = append(ps, c.place)
		}
	}
	if len(ps) < MaxRefer {
		ps = append(ps, n.book.best(now, MaxRefer-len(ps), func(p Place) bool {
			return p.same(joiner) || p.ID == n.cfg.Self.ID || slices.ContainsFunc(ps, p.same)
		})...)
	}
	return ps
}
