package tree

import "time"

// Info is what a node can show of itself.
type Info struct {
	ID       ID
	Root     bool
	Label    Label
	Depth    int       // links to the root; 0 at the root, and while it is not known
	Proven   int       // depth that signatures show; 0 for none, and at the root
	Path     []Place   // from the root to the parent
	Parent   Place     // zero at the root and for an orphan
	Attached bool      // it is the root, or its parent lives and is attached itself
	Turned   time.Time // since when Attached is what it is
	Asking   int       // places being asked right now
	Slots    int
	Far      int // of Slots, for children that are not near
	Children []ChildInfo
	Standbys []Place // to which it keeps a link ready, in the order of their use
	Guests   int     // nodes that keep a standby link to this one
}

// ChildInfo is one child as its parent knows it.
type ChildInfo struct {
	Link    Link
	Place   Place
	Since   time.Time
	Pulling bool
	Report  Report
	Reach   Reach
}

// Info describes the node.
func (n *Node) Info() Info {
	i := Info{
		ID:       n.cfg.Self.ID,
		Root:     n.cfg.Root,
		Label:    n.at.Label,
		Depth:    n.depth(),
		Path:     n.path,
		Attached: n.attached(),
		Turned:   n.turnedAt,
		Asking:   len(n.search.attempts),
		Slots:    n.cfg.Slots,
		Far:      min(n.far, n.cfg.Slots),
	}
	if n.up != nil {
		i.Parent, i.Proven = n.up.place, n.up.proof.depth
	}
	for _, c := range n.children {
		i.Children = append(i.Children, ChildInfo{c.link, c.place, c.since, c.pulling, c.report, c.known()})
	}
	for _, b := range n.standbys.links {
		if b.ready {
			i.Standbys = append(i.Standbys, b.addr)
		}
	}
	i.Guests = len(n.guests)
	return i
}
