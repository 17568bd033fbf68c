package treedraw

import (
	"cmp"
	"slices"

	"relay/cli/term"
	"relay/playback/api"
)

// Channel is what relay top shows of one channel at one moment. What is not known
// is nil, or an empty text.
type Channel struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Title   string    `json:"title"`
	State   api.State `json:"state"`    // at the relay that was asked
	BitRate *int64    `json:"bit_rate"` // bit/s
	Players *int      `json:"players"`  // at the relay that was asked
	Problem string    `json:"problem"`  // why the source could not be asked
	SeenBy  string    `json:"seen_by"`  // who was asked then

	Summary api.TreeSummary `json:"summary"`
	Nodes   []Row           `json:"nodes"`
}

// Row is one node. Its link is the one to its parent.
type Row struct {
	ID       string `json:"id"` // its first 12 characters
	Hop      int    `json:"hop"`
	Source   bool   `json:"source"`
	Here     bool   `json:"here"` // it is the relay that was asked
	CutOff   bool   `json:"cut_off"`
	DownBPS  *int64 `json:"down_bps"`
	UpBPS    *int64 `json:"up_bps"`
	CapBPS   *int64 `json:"cap_bps"` // what its slots take when all are in use
	Children int    `json:"children"`
	Slots    int    `json:"slots"`
	DelayMs  *int64 `json:"delay_ms"` // behind the source
	Lost     int64  `json:"lost"`     // chunks
	AgeS     *int64 `json:"age_s"`    // in the channel
	Link     string `json:"link"`     // "near", "far" or "" if it is not known
	Addr     string `json:"addr"`     // of the other end of a link of the relay that was asked

	losing bool // it has lost chunks since the picture before
}

// Channels puts together, in words safe to print, what a relay says of its trees and, if it does, of itself.
func Channels(trees api.Trees, st *api.Status) []Channel {
	all := []Channel{}
	for _, t := range trees.Channels {
		c := Channel{ID: t.ID, Name: term.Clean(t.Name), Title: term.Clean(t.Title), Summary: t.Summary, Problem: term.Clean(t.Problem), SeenBy: t.SeenBy, Nodes: []Row{}}
		var own *api.ChannelStatus
		if st != nil {
			if i := slices.IndexFunc(st.Channels, func(s api.ChannelStatus) bool { return s.ID == t.ID }); i >= 0 {
				own = &st.Channels[i]
				c.State, c.BitRate, c.Players = api.State(term.Clean(string(own.State))), new(int64(own.BitRate)), new(own.ViewerCount)
			}
		}
		for _, n := range t.Nodes {
			c.Nodes = append(c.Nodes, rowOf(n, t, own))
		}
		all = append(all, c)
	}
	return all
}

// rowOf is a node of t; own is what the relay that was asked says of itself, or nil.
func rowOf(n api.TreeNode, t api.ChannelTree, own *api.ChannelStatus) Row {
	r := Row{
		ID: n.ID, Hop: n.Depth, Source: n.Depth == 0, Here: n.ID == t.Self, CutOff: n.Orphan,
		Children: n.Children, Slots: n.Slots, Lost: n.Lost,
	}
	if !n.Unheard {
		r.UpBPS, r.AgeS = &n.UploadBPS, &n.UptimeS
		if n.Depth == 0 || n.DelayMs > 0 {
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

func nearness(p api.Peer) string {
	if p.Near {
		return "near"
	}
	return "far"
}

// Order is what the nodes are sorted by.
type Order byte

// The orders, by the keys that choose them. In all but the first, the most comes first.
const (
	ByHop    Order = 'h'
	ByDelay  Order = 'd'
	ByLoss   Order = 'l'
	ByUpload Order = 'u'
)

// sorted returns the nodes in that order; equal ones stay in the order of the tree.
func (o Order) sorted(rows []Row) []Row {
	key := func(r Row) int64 { return int64(r.Hop) }
	switch o {
	case ByDelay:
		key = func(r Row) int64 { return -known(r.DelayMs) }
	case ByLoss:
		key = func(r Row) int64 { return -r.Lost }
	case ByUpload:
		key = func(r Row) int64 { return -known(r.UpBPS) }
	}
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(key(a), key(b)) })
	return rows
}

// known is a figure, or -1 if there is none: behind all that are known.
func known(p *int64) int64 {
	if p == nil {
		return -1
	}
	return *p
}

// markLosses marks the nodes that have lost chunks since the picture before.
func markLosses(before, now []Channel) {
	lost := make(map[string]int64)
	for _, c := range before {
		for _, r := range c.Nodes {
			lost[c.ID+r.ID] = r.Lost
		}
	}
	for _, c := range now {
		for i, r := range c.Nodes {
			was, ok := lost[c.ID+r.ID]
			c.Nodes[i].losing = ok && r.Lost > was
		}
	}
}
