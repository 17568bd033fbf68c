// Package treeview puts what nodes tell of a channel's tree into the words of playback's API.
package treeview

import (
	"relay/cli/fault"
	"relay/cli/term"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/wire"
	"relay/tree"
)

// Of is a survey as the API has it: all but the channel's ID, name, title and summary.
func Of(s relay.Survey) api.ChannelTree {
	t := api.ChannelTree{Self: s.Self.Tag(), SeenBy: s.By.Tag()}
	if s.Err != nil {
		t.Problem = term.Clean(fault.Plain(s.Err))
	}
	top := int(s.View.Depth)
	var way [tree.MaxPath + 1]int // the newest node at each depth of the view
	for i, f := range s.View.Nodes {
		n := api.TreeNode{
			ID:        f.ID.String(),
			Name:      s.Names[f.ID].Name(),
			AtHome:    s.Names[f.ID].Home(),
			Parent:    -1,
			Depth:     top + int(f.Down),
			Slots:     int(f.Slots),
			SlotsFree: f.Free(),
			Children:  int(f.Children),
			DelayMs:   int64(f.DelayMs),
			Lost:      int64(f.Lost),
			UploadBPS: int64(f.Upload) * 1000,
			UptimeS:   int64(f.UptimeS),
			Version:   f.Version,
			Orphan:    f.Flags&wire.Orphan != 0,
			Unheard:   f.Flags&wire.Unheard != 0,
		}
		if f.Down > 0 {
			n.Parent = way[f.Down-1]
		}
		way[f.Down] = i
		t.Nodes = append(t.Nodes, n)
	}
	if r := s.View.Rest; r.Nodes > 0 {
		t.Cut = api.TreeCut{
			Nodes: int(r.Nodes), MaxDepth: top + int(r.Down), WorstDelayMs: int64(r.DelayMs), Lost: int64(r.Lost), SlotsFree: int64(r.Free),
		}
	}
	return t
}
