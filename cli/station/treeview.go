package station

import (
	"context"
	"errors"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// survey is the tree of one of the station's channels, in playback's words.
func (s *Station) survey(ctx context.Context, id stream.ChannelID) (api.ChannelTree, error) {
	c := s.Node.Channel(id)
	if c == nil {
		return api.ChannelTree{}, relay.ErrEnded
	}
	got, err := c.Survey(ctx)
	if err != nil {
		return api.ChannelTree{}, errors.New(fault.Plain(err)) // a person reads it
	}
	t := treeOf(got)
	if s.peercast != nil {
		n := s.peercast.Counts(id)
		t.PeerCast = &n
	}
	return t, nil
}

func treeOf(s relay.Survey) api.ChannelTree {
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
