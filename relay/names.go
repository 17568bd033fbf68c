package relay

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"relay/relay/nameplate"
	"relay/relay/stream"
	"relay/relay/wire"
)

// A node's name is its own claim, and counts only under its own signature: see [nameplate]. A plate goes up
// the tree behind the facts that list its node, once, and down on demand alone, to those who draw the tree.
// The name that a person has given goes anywhere; the machine's own only from one node to another in each
// other's networks, and no longer once this node has had to do with the Internet.

const (
	// namesAtOnce is how many plates a parent is told at a time, every gaugeInterval: 1.8 KB a second at
	// most, until it has all.
	namesAtOnce = 8
	// namesRate and namesBurst bound the plates that a child may send, per second: twice that. Each takes a
	// signature's 60 µs.
	namesRate  = 32
	namesBurst = 64
)

// names is what this node calls itself, and whom it has told of whose name.
type names struct {
	own atomic.Pointer[nameplate.Plate] // set by the channel's goroutine; nil for none

	// Owned by the channel's goroutine.
	abroad bool // this node has had to do with the Internet
	parent *link
	// told has each node that the parent has been told of, with the plate that it has got of it, "" for none.
	told map[wire.NodeTag]nameplate.Plate
}

// plate is this node's own; "" for none.
func (n *names) plate() nameplate.Plate {
	if p := n.own.Load(); p != nil {
		return *p
	}
	return ""
}

// namesShown reports whether nodes of this channel may be called by their names: the source has said so.
func (c *Channel) namesShown() bool {
	if c.writer != nil {
		return !c.node.cfg.HideNames
	}
	a := c.about()
	return a != nil && !a.NamesHidden()
}

// renameSelf makes this node's plate if what it calls itself is another name than before.
func (c *Channel) renameSelf(now time.Time) {
	c.names.abroad = c.names.abroad || !c.isAtHome()
	cfg := &c.node.cfg
	name, home := "", false
	switch {
	case !c.namesShown():
	case cfg.Name != "":
		name = nameplate.Clean(cfg.Name)
	case !c.names.abroad && !c.pass.private:
		name, home = nameplate.Clean(cfg.HostName), true
	}
	old := c.names.plate()
	if name == old.Name() && (name == "" || home == old.Home()) {
		return
	}
	if last := old.At(); uint64(now.UnixMilli()) <= last { // this machine's clock was set back
		now = time.UnixMilli(int64(last) + 1)
	}
	p := nameplate.Sign(c.id, cfg.Key, now, name, home)
	c.names.own.Store(&p)
}

// isAtHome reports whether all that is known of where this node can be found, and of where it looks for others,
// is within its own networks. Links are looked at when they are made.
func (c *Channel) isAtHome() bool {
	for _, h := range c.invite.Hosts {
		if a, err := netip.ParseAddr(h.Host); err != nil && h.Host != "localhost" || err == nil && !c.node.homely(a) {
			return false
		}
	}
	for _, a := range c.node.Addrs() {
		if !c.node.homely(a.Addr()) {
			return false
		}
	}
	return !c.peers.seenInTheWorld().IsValid()
}

// homely reports whether an address is in this machine's own networks, and of no meaning beyond them. Where
// there are public addresses, those of a subnet may be of anybody.
func (n *Node) homely(a netip.Addr) bool {
	a = a.Unmap()
	return (a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()) && n.Near(a)
}

// tellOwnName tells a child of this node's name.
func (c *Channel) tellOwnName(d *downlink) {
	if p := c.names.plate(); p != d.said.name && (!p.Home() || d.home) {
		d.said.name = p
		d.send(wire.Names{Of: []nameplate.Plate{p}})
	}
}

// listed notes of which nodes the parent has been told. What it lists no longer, it has forgotten the name
// of.
func (n *names) listed(parent *link, nodes []wire.Fact) {
	before := n.told
	if n.parent != parent {
		before = nil
	}
	n.parent, n.told = parent, make(map[wire.NodeTag]nameplate.Plate, len(nodes))
	for _, f := range nodes {
		n.told[f.ID] = before[f.ID]
	}
}

// tellNames tells the parent some of the names that it lacks.
func (c *Channel) tellNames(u *uplink) {
	n := &c.names
	if n.parent != &u.link || !u.knows6() || !c.namesShown() {
		return
	}
	var some []nameplate.Plate
	lacks := func(id wire.NodeTag, p nameplate.Plate) bool {
		if had, listed := n.told[id]; listed && p.At() > had.At() && (!p.Home() || u.home) {
			n.told[id] = p
			some = append(some, p)
		}
		return len(some) < namesAtOnce
	}
	if lacks(wire.TagOf(c.node.ID()), n.plate()) {
		c.reporting.facts.names(lacks)
	}
	if len(some) > 0 {
		u.send(wire.Names{Of: some})
	}
}

// takeNames takes what a child tells of itself and those below it: only of nodes that it has listed, and
// what these have signed. It runs on the link's reader.
func (c *Channel) takeNames(d *downlink, of []nameplate.Plate) error {
	if !d.naming.AllowN(time.Now(), 1+len(of)) {
		return fmt.Errorf("more than %d names a second: %w", namesRate, wire.ErrNotDue)
	}
	if !c.namesShown() {
		return nil
	}
	for _, p := range of {
		id := wire.TagOf(p.Node())
		if p.Home() && !d.home || !c.reporting.facts.lacks(&d.link, id, p) {
			continue
		}
		if !p.Verify(c.id) {
			return fmt.Errorf("name of %s: %w", id, stream.ErrSignature)
		}
		c.reporting.facts.name(&d.link, id, p)
	}
	return nil
}

// takeName takes what a parent calls itself. It runs on the link's reader.
func (c *Channel) takeName(u *uplink, of []nameplate.Plate) error {
	for _, p := range of {
		if p.Node() != u.peer || p.Home() && !u.home {
			continue
		}
		if old := u.name.Load(); old != nil && old.At() >= p.At() {
			continue
		}
		if !p.Verify(c.id) {
			return fmt.Errorf("name of %s: %w", u.peer.Short(), stream.ErrSignature)
		}
		u.name.Store(&p)
	}
	return nil
}

// plates are the names that this node knows, its own and its parent's with them.
func (c *Channel) plates(parent *uplink) map[wire.NodeTag]nameplate.Plate {
	all := make(map[wire.NodeTag]nameplate.Plate)
	if !c.namesShown() {
		return all
	}
	c.reporting.facts.names(func(id wire.NodeTag, p nameplate.Plate) bool {
		all[id] = nameplate.Later(all[id], p)
		return true
	})
	if p := c.names.plate(); p != "" {
		all[wire.TagOf(c.node.ID())] = p
	}
	if parent != nil {
		if p := parent.name.Load(); p != nil {
			all[wire.TagOf(parent.peer)] = *p
		}
	}
	return all
}
