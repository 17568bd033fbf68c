// Package drawtest has trees for tests that draw them.
package drawtest

import (
	"fmt"

	"relay/playback/api"
	"relay/tree"
)

// Sample returns a small tree with a node of every kind.
func Sample() api.ChannelTree {
	return api.ChannelTree{
		Name: "karp6ufz", Self: "bbbbbbbbbbbb", SeenBy: "aaaaaaaaaaaa", Watching: new(14),
		Summary: api.TreeSummary{Nodes: 6, MaxDepth: 3, MeanDepth: 1.75, SlotsFree: 3, WorstDelayMs: 1234, Lost: 1, Orphans: 1},
		Nodes: []api.TreeNode{
			{ID: "aaaaaaaaaaaa", Parent: -1, Slots: 2, Children: 2, UploadBPS: 6_000_000, UptimeS: 90061, Version: "0.1.0"},
			{ID: "bbbbbbbbbbbb", Name: "living room", Parent: 0, Depth: 1, Slots: 4, Children: 1, DelayMs: 12, UploadBPS: 3_000_000, UptimeS: 3723, Version: "0.2.0-rc1"},
			{ID: "cccccccccccc", Parent: 1, Depth: 2, Slots: 1, Children: 2, DelayMs: 1234, Lost: 1, UptimeS: 61, Version: "0.1.0"},
			{ID: "dddddddddddd", Parent: 2, Depth: 3, Unheard: true},
			{ID: "eeeeeeeeeeee", Name: "source", Parent: 0, Depth: 1, Orphan: true, UptimeS: 5},
		},
		Cut: api.TreeCut{Nodes: 1, MaxDepth: 3},
	}
}

// Wide returns a tree of at most n nodes, with fan children each where there is room.
func Wide(n, fan int) api.ChannelTree {
	t := api.ChannelTree{Name: "karp6ufz", Self: "n0", SeenBy: "n0", Nodes: []api.TreeNode{{ID: "n0", Parent: -1}}}
	var grow func(i int)
	grow = func(i int) {
		for range fan {
			if len(t.Nodes) >= n || t.Nodes[i].Depth >= tree.MaxPath {
				return
			}
			t.Nodes[i].Children++
			t.Nodes = append(t.Nodes, api.TreeNode{ID: fmt.Sprint("n", len(t.Nodes)), Parent: i, Depth: t.Nodes[i].Depth + 1})
			if len(t.Nodes)%3 != 0 {
				grow(len(t.Nodes) - 1)
			}
		}
	}
	grow(0)
	return t
}
