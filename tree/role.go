package tree

// role is what a link is to the node. One of *uplink, the parent's; *attempt, of a search
// for another; *standby, a link kept ready; *child; guest, a standby link of another node.
type role interface{ role() }

// guest is a node that has a standby link to this one.
type guest struct{ *child }

func (*uplink) role()  {}
func (*attempt) role() {}
func (*standby) role() {}
func (*child) role()   {}
func (guest) role()    {}

// role returns what a link is to the node, nil for one that is nothing to it any more. A
// link is one thing at a time.
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
	return nil
}
