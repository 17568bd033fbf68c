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
	born     time.Time // when it joined the channel, as it says
	near     bool
	since    time.Time
	heard    time.Time // when it last said anything
	pulling  bool
	report   Report
	reported bool
	claim    slotClaim
	told     int // joiners sent its way since its newest report

	instead Link // the child that makes room for it, if there is one

	// Set when it was asked to move on.
	shedAt  time.Time
	shedFor ID // who was let in in its place, if anyone

	backups    []Place // it was told of
	assignedAt time.Time
}

func (c *child) class() int     { return classOf(c.slots) }
func (c *child) shedding() bool { return !c.shedAt.IsZero() }

// reachable reports whether others can be sent to it.
func (c *child) reachable() bool { return len(c.place.Addrs) > 0 }

// weaker orders children by what it costs to move them down: by class, then by how
// many they carry already, roughly, then by age.
func weaker(a, b *child) int {
	return cmp.Or(
		cmp.Compare(a.class(), b.class()),
		cmp.Compare(bits.Len32(a.report.Below), bits.Len32(b.report.Below)),
		b.born.Compare(a.born),
		cmp.Compare(b.link, a.link),
	)
}

// younger orders children by how long they can be expected to stay: who is to be
// replaced for good, and who is to take the place of its parent.
func younger(a, b *child) int {
	return cmp.Or(cmp.Compare(a.class(), b.class()), b.born.Compare(a.born), cmp.Compare(b.link, a.link))
}

// outranks reports whether a joiner is let in in place of a child: it is of a
// higher class, or it carries others too and has stayed four times as long, so that
// what is below will have to move less often.
func (c *child) outranks(now time.Time, w *child) bool {
	if c.class() != w.class() {
		return c.class() > w.class()
	}
	return c.class() > 0 && staying(now, c) >= staying(now, w)+elder
}

// elder is by how many doublings one has to be older than another of its class.
const elder = 2

// children are in the order of their links.
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

func (cs children) add(c *child) children {
	i, _ := slices.BinarySearchFunc(cs, c.link, func(c *child, l Link) int { return cmp.Compare(c.link, l) })
	return slices.Insert(cs, i, c)
}

// without returns the list without c; the one before stays as it was, so that it
// can be ranged over meanwhile.
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

// newChild is a joiner as its parent knows it.
func (n *Node) newChild(now time.Time, ev Joined) *child {
	age := time.Duration(min(ev.Join.Age, maxAge)) * time.Second
	return &child{
		link: ev.Link, place: n.joinerPlace(ev), from: originOf(ev), slots: int(ev.Join.Slots), born: now.Add(-age),
		near: ev.Near, since: now, heard: now,
		report: Report{Below: min(ev.Join.Below, maxBelow)},
	}
}

// maxAge bounds what a joiner may claim to be old, in seconds: a year.
const maxAge = 365 * 24 * 3600

// joinerPlace is where others can reach a joiner: first the address its
// connection comes from, with the port it listens on, then what it says itself.
func (n *Node) joinerPlace(ev Joined) Place {
	addrs := ev.Join.Addrs[:min(len(ev.Join.Addrs), MaxAddrs)]
	return Place{ev.Peer, addrs}.withAddr(seenAt(ev))
}

// seenAt is the address that the network itself vouches for. It is not valid for
// a joiner that does not listen, nor for one on this very machine that others can
// reach: to them the loopback address would be themselves.
func seenAt(ev Joined) netip.AddrPort {
	if len(ev.Join.Addrs) == 0 || !ev.Addr.IsValid() {
		return netip.AddrPort{}
	}
	if ev.Addr.Addr().Unmap().IsLoopback() && !ev.Join.Addrs[0].Addr().IsLoopback() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ev.Addr.Addr().Unmap(), ev.Join.Addrs[0].Port())
}
