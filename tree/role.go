package tree

// role is what a link is to the node. It is one of *uplink for the parent's link, *attempt
// for a link to a place that is being asked, *standby for a link kept ready, *child, guest
// for another node's standby link, and held for a joiner that is tried first.
type role interface{ role() }

// guest is a node that has a standby link to this one.
type guest struct{ *child }

func (*uplink) role()  {}
func (*attempt) role() {}
func (*standby) role() {}
func (*child) role()   {}
func (guest) role()    {}

// role returns a link's role, nil for a link that has none any more. A link has one role at
// a time.
func (n *Node) role(l Link) role {
	if n.up != nil && n.up.link == l {
		return n.up
	}
	if a := n.search.find(l); a != nil {
		return a
	}
	if b := n.standbys.find(l); b != nil {
		return b
	}
	if c := n.children.find(l); c != nil {
		return c
	}
	if g := n.guests.find(l); g != nil {
		return guest{g}
	}
	if h, ok := n.heldOn(l); ok {
		return h
	}
	return nil
}
