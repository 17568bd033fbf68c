package treedraw

import (
	"cmp"
	"slices"
	"strings"

	"relay/cli/term"
	"relay/playback/api"
)

// Channels combines what a relay says about its trees with what it says about itself, if it
// does. The texts are safe to print.
func Channels(trees api.Trees, st *api.Status) []api.TopChannel {
	all := []api.TopChannel{}
	for _, t := range trees.Channels {
		c := api.TopChannel{ID: t.ID, Name: term.Clean(t.Name), Title: term.Clean(t.Title), Summary: t.Summary, Watching: t.Watching, Problem: term.Clean(t.Problem), SeenBy: t.SeenBy, Nodes: []api.TopNode{}}
		var own *api.ChannelStatus
		if st != nil {
			if p := st.Node.PortMapping; p != nil && len(all) == 0 { // it is the relay's, so it is said once
				c.Port = term.Clean(p.Text)
			}
			if i := slices.IndexFunc(st.Channels, func(s api.ChannelStatus) bool { return s.ID == t.ID }); i >= 0 {
				own = &st.Channels[i]
				c.Port = strings.TrimSpace(own.ReachText() + " " + c.Port) // likewise
				c.State, c.Situation, c.BitRate, c.Players = api.State(term.Clean(string(own.State))), situationOf(*own), new(int64(own.BitRate)), new(own.ViewerCount)
			}
		}
		for _, n := range t.Nodes {
			c.Nodes = append(c.Nodes, rowOf(n, t, own))
		}
		all = append(all, c)
	}
	return all
}

// situationOf is what a viewer of the relay sees; a relay of an older version tells less.
func situationOf(s api.ChannelStatus) *api.Situation {
	if s.Situation.Name == "" {
		return nil
	}
	s.Situation.Name = api.SituationName(term.Clean(string(s.Situation.Name)))
	return &s.Situation
}

// rowOf returns the row of a node of t. own is what the relay that was asked says about itself,
// or nil.
func rowOf(n api.TreeNode, t api.ChannelTree, own *api.ChannelStatus) api.TopNode {
	r := api.TopNode{
		ID: n.ID, Name: term.Clean(n.Name), Hop: n.Depth, Source: n.Source(), Here: n.ID == t.Self, CutOff: n.Orphan,
		Children: n.Children, Slots: n.Slots, Lost: n.Lost,
	}
	if !n.Unheard {
		r.UpBPS, r.AgeS = &n.UploadBPS, &n.UptimeS
		if n.Source() || n.DelayMs > 0 {
			r.DelayMs = &n.DelayMs
		}
	}
	if own == nil {
		return r
	}
	if own.BitRate > 0 && !n.Unheard {
		r.CapBPS = new(int64(n.Slots) * int64(own.BitRate))
	}
	if r.Here && !r.Source {
		r.DownBPS = new(int64(own.BitRate))
	}
	if p := own.Parent; r.Here && p != nil {
		r.Link, r.Addr = nearness(*p), term.Clean(p.Addr)
	}
	for _, ch := range own.Children {
		if n.ID != "" && len(ch.ID) >= len(n.ID) && ch.ID[:len(n.ID)] == n.ID {
			r.Link, r.Addr = nearness(ch.Peer), term.Clean(ch.Addr)
		}
	}
	return r
}

// near says of a link that it stays in the machine's own networks.
const near = "near"

func nearness(p api.Peer) string {
	if p.Near {
		return near
	}
	return "far"
}

// Order is the order of the nodes.
type Order byte

// These are the orders, each named by its key. In all but the first, the largest figure comes
// first.
const (
	ByHop    Order = 'h'
	ByDelay  Order = 'd'
	ByLoss   Order = 'l'
	ByUpload Order = 'u'
)

// sorted returns the nodes in that order. Nodes with equal figures stay in the order of the
// tree.
func (o Order) sorted(rows []api.TopNode) []api.TopNode {
	key := func(r api.TopNode) int64 { return int64(r.Hop) }
	switch o {
	case ByDelay:
		key = func(r api.TopNode) int64 { return -known(r.DelayMs) }
	case ByLoss:
		key = func(r api.TopNode) int64 { return -r.Lost }
	case ByUpload:
		key = func(r api.TopNode) int64 { return -known(r.UpBPS) }
	}
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b api.TopNode) int { return cmp.Compare(key(a), key(b)) })
	return rows
}

// known returns a figure, or -1 if there is none, so that the node comes after all those with
// one.
func known(p *int64) int64 {
	if p == nil {
		return -1
	}
	return *p
}

// markLosses marks the nodes that have lost chunks since the previous picture.
func markLosses(before, now []api.TopChannel) {
	lost := make(map[string]int64)
	for _, c := range before {
		for _, r := range c.Nodes {
			lost[c.ID+r.ID] = r.Lost
		}
	}
	for _, c := range now {
		for i, r := range c.Nodes {
			was, ok := lost[c.ID+r.ID]
			c.Nodes[i].Losing = ok && r.Lost > was
		}
	}
}
