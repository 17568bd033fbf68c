package tree

import (
	"cmp"
	"slices"
	"time"
)

const (
	// assignInterval is how often a parent reviews the backups that it told its children.
	assignInterval = 1 * time.Second
	// assignKeep is how long a list that still holds is left as it is.
	assignKeep = 30 * time.Second
	// assignedPerChild is how many backups a child is told of. It keeps links to two, and
	// the third is for when one of them turns it down.
	assignedPerChild = 3
)

// spare is a place that could take some of the children in.
type spare struct {
	place Place
	after int // children before this one in order of strength may not use it
	share int // children it can take, as far as is known
	first int // children that have it as their first choice

	called bool // and not dialled
	load   int  // children that have it; a first choice counts twice
}

// assignBackups tells each child where to turn should this node be gone. The places
// differ as far as there are enough of them, so that its death makes no stampede.
func (n *Node) assignBackups(now time.Time) {
	if now.Before(n.assignAt) {
		return
	}
	n.assignAt = now.Add(assignInterval)
	if len(n.children) == 0 {
		return
	}
	strong := slices.Clone(n.children)
	slices.SortFunc(strong, func(a, b *child) int { return younger(b, a) })
	pool := n.spares(strong)
	for i, c := range strong {
		if !c.pulling {
			continue
		}
		if now.Sub(c.assignedAt) < assignKeep && len(c.backups) > 0 && stillIn(pool, c, i) {
			count(pool, c.backups)
			continue
		}
		ps := choose(pool, c, i)
		count(pool, ps)
		if !slices.EqualFunc(ps, c.backups, Place.same) {
			n.send(c.link, Backups{ps, marksOf(pool, ps)})
		}
		c.backups, c.assignedAt = ps, now
	}
}

// spares are the places that children could be sent to: this node's parent and
// backups, and children with free slots. A child may use only siblings that are stronger
// than itself, so that no two wait for each other when their parent is gone.
func (n *Node) spares(strong []*child) []*spare {
	var pool []*spare
	add := func(p Place, called bool, after, share int) {
		if len(p.Addrs) == 0 || p.ID.IsZero() || p.ID == n.cfg.Self.ID {
			return
		}
		for _, s := range pool {
			if s.place.same(p) {
				return
			}
		}
		pool = append(pool, &spare{place: p, called: called, after: after, share: max(1, share)})
	}
	if n.up != nil {
		add(n.up.place, n.up.called, 0, 2) // the slot of this node is free then
	}
	for _, p := range n.standbys.assigned {
		if n.children.ofID(p.ID) != nil {
			continue
		}
		b := n.standbys.of(p)
		if called := !n.book.through(p).IsZero(); !called || b != nil && b.called {
			add(p, called, 0, 2) // this node can carry a call over a link that it keeps ready
		}
	}
	for i, c := range strong {
		if !c.pulling || !c.reported || c.shedding() || c.slots == 0 || !c.leads(true) {
			continue
		}
		if free := int(c.report.Free); free > 0 {
			add(c.place, !c.reachable(), i+1, free)
		} else if n.cfg.Root { // there is nobody else
			add(c.place, !c.reachable(), 0, 1)
		}
	}
	if n.cfg.Root { // when the root dies all ends, so siblings only have to help when a link breaks
		for _, s := range pool {
			s.after = 0
		}
	}
	return pool
}

func (s *spare) may(c *child, i int) bool {
	return i >= s.after && !s.place.same(c.place) && (c.canCall() || !s.called)
}

// marksOf says which of the places are called.
func marksOf(pool []*spare, ps []Place) (m Marks) {
	for i, p := range ps {
		if slices.ContainsFunc(pool, func(s *spare) bool { return s.called && s.place.same(p) }) {
			m |= 1 << i
		}
	}
	return m
}

func stillIn(pool []*spare, c *child, i int) bool {
	for _, p := range c.backups {
		if !slices.ContainsFunc(pool, func(s *spare) bool { return s.may(c, i) && s.place.same(p) }) {
			return false
		}
	}
	return true
}

func count(pool []*spare, ps []Place) {
	for k, p := range ps {
		for _, s := range pool {
			if s.place.same(p) {
				s.load += max(1, 2-k)
				if k == 0 {
					s.first++
				}
			}
		}
	}
}

// choose picks a child's backups. The first is the place that is the first choice of the
// fewest children for its share, since all turn to their first choice at once. The others
// are those with the least load.
func choose(pool []*spare, c *child, i int) []Place {
	var fit []*spare
	for _, s := range pool {
		if s.may(c, i) {
			fit = append(fit, s)
		}
	}
	lighter := func(a, b *spare) int { return cmp.Compare(a.load*b.share, b.load*a.share) }
	slices.SortStableFunc(fit, func(a, b *spare) int {
		return cmp.Or(cmp.Compare(a.first*b.share, b.first*a.share), lighter(a, b))
	})
	if len(fit) > 1 {
		slices.SortStableFunc(fit[1:], lighter)
	}
	var ps []Place
	for _, s := range fit[:min(len(fit), assignedPerChild)] {
		ps = append(ps, s.place)
	}
	return ps
}
