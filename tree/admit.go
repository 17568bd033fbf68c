package tree

import (
	"net/netip"
	"slices"
	"time"
)

// maxBelow bounds what a child may claim to have below it: more viewers than there
// are people, few enough not to overflow a sum.
const maxBelow = 1 << 24

// child is a node that was given a slot.
type child struct {
	link     Link
	place    Place
	slots    uint16
	since    time.Time
	heard    time.Time // its newest report
	pulling  bool
	report   Report
	reported bool
	told     int // joiners sent its way since its newest report
}

// joined decides on a node that asks to be a child.
func (n *Node) joined(now time.Time, ev Joined) {
	if ev.Peer == n.cfg.Self.ID {
		n.do(Close{ev.Link, ReasonSelf})
		return
	}
	for _, c := range n.sortedChildren() {
		if c.place.ID == ev.Peer { // it came back before its old link was seen to end
			delete(n.children, c.link)
			n.do(Close{c.link, ReasonReplaced})
		}
	}
	joiner := n.joinerPlace(ev)
	switch {
	case !n.leaveBy.IsZero():
		n.refuse(now, ev.Link, ReasonLeaving, joiner)
	case n.above(ev.Peer):
		n.refuse(now, ev.Link, ReasonLoop, joiner)
	case !n.attached() || len(n.path)+1 >= MaxPath:
		n.refuse(now, ev.Link, ReasonOrphan, joiner)
	case len(n.children) >= n.cfg.Slots:
		n.refuse(now, ev.Link, ReasonFull, joiner)
	default:
		n.children[ev.Link] = &child{link: ev.Link, place: joiner, slots: ev.Join.Slots, since: now, heard: now}
		n.send(ev.Link, Welcome{
			Label:  n.label(now),
			Path:   n.ownPath(),
			Others: n.elsewhere(now, joiner),
			Seen:   seenAt(ev),
		})
	}
}

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

func (n *Node) above(id ID) bool {
	return slices.ContainsFunc(n.path, func(p Place) bool { return p.ID == id })
}

func (n *Node) refuse(now time.Time, l Link, r Reason, joiner Place) {
	n.send(l, Refer{r, n.betterFor(now, joiner)})
	n.do(Close{l, r})
}

// betterFor names places for a joiner that cannot be taken: the children nearest
// to a free slot, those sent fewest joiners of late first; failing that, the way
// up. A child with nothing free below it is a dead end and is not named.
func (n *Node) betterFor(now time.Time, joiner Place) []Place {
	var open []*child
	const class = 0
	if n.attached() {
		for _, c := range n.sortedChildren() {
			if c.pulling && c.reported && c.report.Room[class] != NoRoom && len(c.place.Addrs) > 0 && !c.place.same(joiner) {
				open = append(open, c)
			}
		}
	}
	n.cfg.Rand.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	slices.SortStableFunc(open, func(a, b *child) int {
		if d := int(a.report.Room[class]) - int(b.report.Room[class]); d != 0 {
			return d
		}
		return a.told - b.told
	})
	var ps []Place
	for _, c := range open[:min(len(open), MaxRefer)] {
		if len(ps) == 0 {
			c.told++
		}
		ps = append(ps, c.place)
	}
	for i := 0; i < len(n.path) && len(ps) < MaxRefer; i++ {
		if !n.path[i].same(joiner) {
			ps = append(ps, n.path[i])
		}
	}
	return ps
}

// elsewhere names places where a child could go if this node were gone.
func (n *Node) elsewhere(now time.Time, joiner Place) []Place {
	var ps []Place
	if len(n.path) > 0 {
		ps = append(ps, n.path[len(n.path)-1])
	}
	for _, c := range n.sortedChildren() {
		if len(ps) < MaxRefer && c.pulling && c.slots > 0 && len(c.place.Addrs) > 0 && !c.place.same(joiner) {
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

func (n *Node) pulled(now time.Time, l Link, m Pull) {
	c := n.children[l]
	if c == nil {
		return
	}
	c.heard = now
	if c.pulling {
		return // once is enough; the cursor goes on by itself
	}
	c.pulling = true
	n.do(Serve{l, m.Have})
}

func (n *Node) childReport(now time.Time, l Link, m Report) {
	if c := n.children[l]; c != nil {
		c.heard, c.report, c.reported, c.told = now, m, true, 0
	}
}

// beatChildren tells every child that this node is alive and where it stands.
func (n *Node) beatChildren(now time.Time) {
	if len(n.children) == 0 {
		return
	}
	hb := Heartbeat{Label: n.label(now), Orphan: !n.attached()}
	if t, ok := n.RootClock(now); ok {
		hb.Clock = uint64(max(1, t.Microseconds()))
	}
	for _, c := range n.sortedChildren() {
		hb.Echo, hb.Held = 0, 0
		if c.reported {
			hb.Echo, hb.Held = c.report.Sent, uint64(now.Sub(c.heard).Microseconds())
		}
		n.send(c.link, hb)
	}
}

// tellPath tells the children of a new way to the root, those too that have not
// pulled yet: their welcome may hold the old one.
func (n *Node) tellPath() {
	if !n.pathDue {
		return
	}
	n.pathDue = false
	for _, c := range n.sortedChildren() {
		n.send(c.link, Path{n.ownPath()})
	}
}

func (n *Node) expireChildren(now time.Time) {
	for _, c := range n.sortedChildren() {
		if !c.pulling && now.Sub(c.since) >= admissionTime || now.Sub(c.heard) >= childSilence {
			delete(n.children, c.link)
			n.do(Close{c.link, ReasonSilent})
		}
	}
}

// report tells the parent what is free at and below this node, when it is due or
// has changed.
func (n *Node) report(now time.Time) {
	if n.up == nil || now.Before(n.reportAt) {
		return
	}
	r := Report{
		Slots:    uint16(min(n.cfg.Slots, 1<<16-1)),
		Children: uint16(min(len(n.children), 1<<16-1)),
		Room:     noRoom,
		Lost:     n.lost,
	}
	if free := n.cfg.Slots - len(n.children); free > 0 && n.leaveBy.IsZero() {
		r.Free, r.Room = uint16(min(free, 1<<16-1)), Room{}
	}
	for _, c := range n.sortedChildren() {
		r.Below += 1 + min(c.report.Below, maxBelow)
		if c.reported && n.leaveBy.IsZero() && len(c.place.Addrs) > 0 {
			r.Room = r.Room.or(c.report.Room.below())
		}
	}
	last := n.reported
	last.Sent, last.Lost = 0, r.Lost
	due := now.Sub(n.origin)-micros(n.reported.Sent) >= reportInterval
	if n.reported.Sent != 0 && last == r && !due {
		return
	}
	r.Sent = uint64(max(1, now.Sub(n.origin).Microseconds()))
	n.reported = r
	n.reportAt = now.Add(reportSpacing)
	n.send(n.up.link, r)
}

func (n *Node) hasChild(id ID) bool {
	for _, c := range n.children {
		if c.place.ID == id && !id.IsZero() {
			return true
		}
	}
	return false
}

func (n *Node) sortedChildren() []*child { return sortedBy(n.children) }
