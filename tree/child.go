package tree

import (
	"cmp"
	"math/bits"
	"net/netip"
	"slices"
	"time"
)

// child is a node that was given a slot, or a standby link.
type child struct {
	link     Link
	place    Place
	from     origin
	slots    int
	born     time.Time // when it joined the channel, as it says itself
	near     bool
	calls    bool // it knows how to call
	met      bool // the link was made half-way, by a call
	trial    trial
	learnt   learnt
	since    time.Time
	heard    time.Time // when it last said anything
	pulling  bool
	report   Report
	reported bool
	claim    slotClaim
	below    slotClaim // likewise, to have openings below it
	told     int       // joiners sent to it since its newest report

	yielded bool // it was let in in place of a child that yields

	instead Link // the child that makes room for it, if there is one

	// Set when it was asked to move on.
	shedAt  time.Time
	shedFor ID   // the node that was let in in its place, if there is one
	yields  bool // and that has nowhere else to go

	backups    []Place // it was told of
	assignedAt time.Time
}

// class is what the child gives to the tree. The slots of one that nobody gets through to are
// of no use there. Half of those are that of one which is called: some can reach it.
func (c *child) class() int {
	switch {
	case c.callable():
		return classOf(c.slots / 2)
	case c.trial.reach == Closed:
		return 0
	}
	return classOf(c.slots)
}

func (c *child) shedding() bool { return !c.shedAt.IsZero() }

// moves is 1 if the child was asked to move, and else 0.
func (c *child) moves() int {
	if c.shedding() {
		return 1
	}
	return 0
}

// reachable reports whether others can be sent to it, to dial it. They are not before a trial has
// ended that is the first: whoever is sent to those that cannot be dialled takes the sender for a liar.
func (c *child) reachable() bool {
	return len(c.place.Addrs) > 0 && c.trial.reach != Closed && !(c.trial.reach == Untried && c.trial.under)
}

// weaker orders children by what it costs to move them down: by class, then by how
// many nodes they carry (by doublings), then by age.
func weaker(a, b *child) int {
	return cmp.Or(
		cmp.Compare(a.class(), b.class()),
		cmp.Compare(bits.Len32(a.report.Below), bits.Len32(b.report.Below)),
		b.born.Compare(a.born),
		cmp.Compare(b.link, a.link),
	)
}

// younger orders children by class and then by how long they can be expected to stay. It
// says which child is replaced for good, and which takes its parent's place.
func younger(a, b *child) int {
	return cmp.Or(cmp.Compare(a.class(), b.class()), b.born.Compare(a.born), cmp.Compare(b.link, a.link))
}

// outranks reports whether the joiner c is let in in place of the child w. It is if it is
// of a higher class, or if it gives slots too and has stayed four times as long: nodes
// below it will have to move less often.
func (c *child) outranks(now time.Time, w *child) bool {
	if c.class() != w.class() {
		return c.class() > w.class()
	}
	return c.class() > 0 && staying(now, c) >= staying(now, w)+elder
}

// elder is by how many doublings a joiner has to be older than a child of its class.
const elder = 2

// children are sorted by their links.
type children []*child

func (cs children) find(l Link) *child {
	for _, c := range cs {
		if c.link == l {
			return c
		}
	}
	return nil
}

func (cs children) ofID(id ID) *child {
	for _, c := range cs {
		if c.place.ID == id && !id.IsZero() {
			return c
		}
	}
	return nil
}

// yieldsTo reports whether one of the children yields to c.
func (cs children) yieldsTo(c *child) bool {
	for _, w := range cs {
		if w.shedding() && w.yields && w.shedFor == c.place.ID {
			return true
		}
	}
	return false
}

func (cs children) add(c *child) children {
	i, _ := slices.BinarySearchFunc(cs, c.link, func(c *child, l Link) int { return cmp.Compare(c.link, l) })
	return slices.Insert(cs, i, c)
}

// without returns the list without c. The old list stays as it was, so that it can be
// ranged over meanwhile.
func (cs children) without(c *child) children {
	out := make(children, 0, len(cs))
	for _, d := range cs {
		if d != c {
			out = append(out, d)
		}
	}
	return out
}

// of counts those of one origin.
func (cs children) of(o origin) int {
	n := 0
	for _, c := range cs {
		if c.from == o {
			n++
		}
	}
	return n
}

// far counts the children that are not near.
func (cs children) far() int {
	n := 0
	for _, c := range cs {
		if !c.near {
			n++
		}
	}
	return n
}

// newChild returns a joiner as its parent is to know it.
func (n *Node) newChild(now time.Time, ev Joined) *child {
	age := time.Duration(min(ev.Join.Age, maxAge)) * time.Second
	return &child{
		link: ev.Link, place: n.joinerPlace(ev), from: originOf(ev), slots: int(ev.Join.Slots), born: now.Add(-age),
		near: ev.Near, calls: ev.Calls, met: ev.Met, since: now, heard: now,
		report: Report{Below: min(ev.Join.Below, maxBelow)},
	}
}

// maxAge bounds the age that a joiner may claim, in seconds: a year.
const maxAge = 365 * 24 * 3600

// joinerPlace is where others can reach a joiner. The first address is the one that its
// connection comes from, with the port it listens on. The others it gives itself.
func (n *Node) joinerPlace(ev Joined) Place {
	addrs := ev.Join.Addrs[:min(len(ev.Join.Addrs), MaxAddrs)]
	return Place{ev.Peer, addrs}.withAddr(seenAt(ev))
}

// Listens is where a node says it listens, at the address from which it comes; not valid for nowhere.
func (ev Joined) Listens() netip.AddrPort { return seenAt(ev) }

// seenAt is the joiner's address as the network itself shows it, with the port at which it
// says that it is reached there: a router may have given it another than its own. It is not
// valid for a joiner that does not listen. Neither is it for one on this very machine that others can
// reach: a loopback address would lead them to themselves.
func seenAt(ev Joined) netip.AddrPort {
	if len(ev.Join.Addrs) == 0 || !ev.Addr.IsValid() {
		return netip.AddrPort{}
	}
	if ev.Addr.Addr().Unmap().IsLoopback() && !ev.Join.Addrs[0].Addr().IsLoopback() {
		return netip.AddrPort{}
	}
	ip := ev.Addr.Addr().Unmap()
	return netip.AddrPortFrom(ip, portAt(ip, ev.Join.Addrs))
}

// portAt is the port that a node listens on at one of its addresses: as it says of that
// very one, else as it says of the first of the same sort, else of the first at all.
func portAt(ip netip.Addr, addrs []netip.AddrPort) uint16 {
	port, best := addrs[0].Port(), 0
	for _, a := range addrs {
		is := a.Addr().Unmap()
		likeness := 0
		switch {
		case is == ip:
			return a.Port()
		case is.Is4() == ip.Is4() && is.IsPrivate() == ip.IsPrivate():
			likeness = 2
		case is.IsPrivate() == ip.IsPrivate():
			likeness = 1
		}
		if likeness > best {
			port, best = a.Port(), likeness
		}
	}
	return port
}
