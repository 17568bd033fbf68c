package tree

import (
	"cmp"
	"slices"
	"time"
)

// A newcomer that asks its way down the tree needs three round trips for each link, and most that it asks are
// full. So each node tells its parent of a few below it that have free slots, and whoever is full sends
// newcomers there at once.

const (
	// bookedFor is how long a newcomer takes to come to where it was sent, and its parent to tell
	// of it: until then the slot counts as taken.
	bookedFor = 400 * time.Millisecond
	// maxBooked bounds the newcomers remembered that are on their way.
	maxBooked = 256
	// crowdOf newcomers turned away within crowdTime are a crowd.
	crowdOf   = 3
	crowdTime = 150 * time.Millisecond
	// openingsNamed is how many a newcomer is told of: as many as it asks at a time.
	openingsNamed = maxAttempts
)

// opening is one as its parent, or a node further up, knows it.
type opening struct {
	Opening
	via *child // it is that child, or below it
}

// openings are the nodes below this one that have free slots: those that were reached, and those that
// the children tell of. The nearest come first, and of those the ones below whom has stayed longest.
func (n *Node) openings(now time.Time) (of []opening) {
	if !n.leaveBy.IsZero() {
		return nil
	}
	for _, c := range n.children {
		if !n.roomBelow(now, c, false) {
			continue
		}
		if c.report.Free > 0 && (c.trial.reach == Open || !n.cfg.Probes) {
			of = append(of, opening{Opening{c.place, uint8(min(c.report.Free, MaxFree)), 1}, c})
		}
		if c.below.doubted(now) {
			continue
		}
		for _, o := range c.report.Openings[:min(len(c.report.Openings), MaxOpenings)] {
			if o.Down < MaxPath && n.mayName(o.Place) {
				of = append(of, opening{Opening{o.Place, min(o.Free, MaxFree), o.Down + 1}, c})
			}
		}
	}
	slices.SortStableFunc(of, func(a, b opening) int {
		return cmp.Or(cmp.Compare(a.Down, b.Down), cmp.Compare(staying(now, b.via), staying(now, a.via)))
	})
	return of
}

// mayName reports whether a child may have a node named as one below it.
func (n *Node) mayName(p Place) bool {
	return !p.ID.IsZero() && len(p.Addrs) > 0 && p.ID != n.cfg.Self.ID && !n.above(p.ID) && n.children.ofID(p.ID) == nil
}

// spread picks the first ones, of each child one before any has a second: a child that lies must not
// have the whole list.
func spread(of []opening, most int) (picked []opening) {
	has := make(map[*child]int)
	for rank := 0; len(picked) < most && rank < 1+MaxOpenings; rank++ {
		clear(has)
		for _, o := range of {
			if has[o.via] == rank && len(picked) < most {
				picked = append(picked, o)
			}
			has[o.via]++
		}
	}
	return picked
}

// openingsOf is what the parent is told of them.
func openingsOf(of []opening) (rs []Opening) {
	for _, o := range spread(of, MaxOpenings) {
		rs = append(rs, o.Opening)
	}
	return rs
}

// SameOpenings reports whether two lists say the same.
func SameOpenings(a, b []Opening) bool {
	return slices.EqualFunc(a, b, func(a, b Opening) bool { return a.Place.ID == b.Place.ID && a.Free == b.Free && a.Down == b.Down })
}

// nameOpenings names some to a joiner, those first to which the fewest are on their way, and books a slot
// at the first. It reports whether there was one.
func (n *Node) nameOpenings(now time.Time, j *child, l *named) bool {
	of := slices.DeleteFunc(n.openings(now), func(o opening) bool {
		return n.bookings.at(now, o.Opening) >= int(o.Free) || o.Place.same(j.place) || o.via == j
	})
	n.cfg.Rand.Shuffle(len(of), func(i, k int) { of[i], of[k] = of[k], of[i] })
	slices.SortStableFunc(of, func(a, b opening) int {
		return cmp.Or(
			cmp.Compare(a.Down, b.Down), cmp.Compare(n.bookings.at(now, a.Opening), n.bookings.at(now, b.Opening)),
			cmp.Compare(staying(now, b.via), staying(now, a.via)),
		)
	})
	first := true
	for _, o := range spread(of, openingsNamed) {
		if len(l.places) >= MaxRefer || l.has(o.Place) {
			continue
		}
		if first {
			first = false
			n.bookings = n.bookings.add(now, j.from, o.Opening)
			n.sendTo(now, j, o.via, o.Down > 1)
		}
		l.add(o.Place, false)
	}
	return !first
}

// sendTo notes that a joiner is sent to a child, or to a node below it, for a free slot there.
func (n *Node) sendTo(now time.Time, j, c *child, below bool) {
	claim := &c.claim
	if below {
		claim = &c.below
	}
	claim.send(now)
	if n.children.find(j.link) == nil {
		n.remember(referral{joiner: j.place.ID, from: j.from, child: c.link, changes: claim.changes, when: now, below: below})
	}
}

// crowd is when a node has turned newcomers away last, the latest at the end.
type crowd [crowdOf]time.Time

// comes notes one, and reports whether there is a crowd. Nobody else is worth a worse place in the tree.
func (c *crowd) comes(now time.Time) bool {
	copy(c[:], c[1:])
	c[crowdOf-1] = now
	return now.Sub(c[0]) < crowdTime
}

// bookings are the slots to which newcomers were sent a moment ago.
type bookings []booking

type booking struct {
	at   ID
	from origin
	free uint8 // slots there by then
	when time.Time
}

// at counts those at one node. Once it tells of another number of free slots, those before have come, or others.
func (bs bookings) at(now time.Time, o Opening) (of int) {
	for _, b := range bs {
		if b.at == o.Place.ID && b.free == o.Free && now.Sub(b.when) < bookedFor {
			of++
		}
	}
	return of
}

// add books a slot. No address holds two, or whoever asks again and again would have them all.
func (bs bookings) add(now time.Time, from origin, o Opening) bookings {
	bs = slices.DeleteFunc(bs, func(b booking) bool { return b.from == from || now.Sub(b.when) >= bookedFor })
	if len(bs) >= maxBooked {
		bs = slices.Delete(bs, 0, 1)
	}
	return append(bs, booking{o.Place.ID, from, o.Free, now})
}
