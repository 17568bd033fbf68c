//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"relay/playback/api"
)

// tagLen is how much of a node's ID a tree shows.
const tagLen = 12

// treeOf runs relay tree --json at the node that plays at address.
func treeOf(t *testing.T, address string) api.ChannelTree {
	t.Helper()
	p := run(t, "relay tree", relayBin, "tree", "--json", "--http", address)
	var trees api.Trees
	if err := json.Unmarshal([]byte(p.out.String()), &trees); err != nil || len(trees.Channels) != 1 {
		t.Fatalf("relay tree --json at %s: %d channels, %v", address, len(trees.Channels), err)
	}
	return trees.Channels[0]
}

// parentsOf returns the parent of each node that a tree shows.
func parentsOf(tr api.ChannelTree) map[string]string {
	m := map[string]string{}
	for _, n := range tr.Nodes {
		m[n.ID] = ""
		if n.Parent >= 0 {
			m[n.ID] = tr.Nodes[n.Parent].ID
		}
	}
	return m
}

// showsAll waits until the node at address shows the source and these watchers, each with all
// facts and with the parent that the watcher itself reports.
func showsAll(t *testing.T, address string, src *source, ws []*watcher) api.ChannelTree {
	t.Helper()
	var tr api.ChannelTree
	eventually(t, "relay tree shows every node below its parent", func() error {
		tr = treeOf(t, address)
		f := familyOf(t, ws)
		root, err := nodeStatus(src.url)
		if err != nil {
			return err
		}
		want := map[string]string{root.Node.ID[:tagLen]: ""}
		for _, w := range ws {
			if f.status[w].Parent == nil {
				return errors.New("a watcher has no parent")
			}
			want[f.ids[w][:tagLen]] = f.status[w].Parent.ID[:tagLen]
		}
		if got := parentsOf(tr); fmt.Sprint(got) != fmt.Sprint(want) { // fmt sorts maps
			return fmt.Errorf("%v, want %v", got, want)
		}
		for i, n := range tr.Nodes {
			if n.Unheard || n.Orphan || n.Version == "" || i > 0 && n.DelayMs == 0 || (n.Children > 0) != (n.UploadBPS > 0) {
				return fmt.Errorf("of a node is told %+v", n)
			}
		}
		return nil
	})
	if tr.Problem != "" || tr.SeenBy != tr.Nodes[0].ID || tr.Cut.Nodes != 0 {
		t.Errorf("at %s: seen by %s, problem %q, %d cut", address, tr.SeenBy, tr.Problem, tr.Cut.Nodes)
	}
	return tr
}

// drawnRight checks that every reported node is drawn, on a line with its facts.
func drawnRight(tr api.ChannelTree, drawn string) error {
	if !strings.HasPrefix(drawn, fmt.Sprintf("Channel %s: %d nodes, ", tr.Name, len(tr.Nodes))) {
		return fmt.Errorf("summary of:\n%s", drawn)
	}
	for _, n := range tr.Nodes {
		mark := regexp.QuoteMeta(n.ID[:8])
		if n.Depth == 0 {
			mark += " source"
		}
		if n.ID == tr.Self {
			mark += " here"
		}
		line := fmt.Sprintf(`(?m)^[^a-z\n]*%s .*\b%d +\d/\d +\d+ ms .*%s$`, mark, n.Depth, regexp.QuoteMeta(n.Version))
		if !regexp.MustCompile(line).MatchString(drawn) {
			return fmt.Errorf("%s at depth %d is not in:\n%s", mark, n.Depth, drawn)
		}
	}
	return nil
}

// TestTreeIsShownAtEveryNode asks the source and a leaf for the tree, and ends a node
// in the middle of it.
func TestTreeIsShownAtEveryNode(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.sourceOf(videoClip, "--loop")
	src.ready(t)
	watchers := w.watchMany(6, src.link)
	f := familyOf(t, watchers)
	leaf := watchers[slices.IndexFunc(watchers, func(v *watcher) bool { return f.status[v].Depth == f.depth() })]
	inner := f.inner(watchers, 1)

	atSource, atLeaf := showsAll(t, src.url, src, watchers), showsAll(t, leaf.url, src, watchers)
	if atSource.Self != atSource.SeenBy || atLeaf.Self != f.ids[leaf][:tagLen] {
		t.Errorf("the source is %s, the leaf %s", atSource.Self, atLeaf.Self)
	}
	deepest := 0
	for _, n := range atLeaf.Nodes {
		deepest = max(deepest, n.Depth)
	}
	if s := atLeaf.Summary; s.Nodes != 7 || deepest < 2 || s.MaxDepth != deepest || s.Lost != 0 || s.WorstDelayMs == 0 {
		t.Errorf("summary %+v, depth %d", s, deepest)
	}

	var drawn string
	eventually(t, "the tree is drawn as it is told", func() error { // nodes may move in between
		atLeaf = treeOf(t, leaf.url)
		drawn = run(t, "relay tree", relayBin, "tree", src.link, "--http", leaf.url).out.String()
		return drawnRight(atLeaf, drawn)
	})
	t.Logf("the tree at a leaf:\n%s", drawn)

	inner.kill()
	killed := time.Now()
	rest := slices.DeleteFunc(slices.Clone(watchers), func(v *watcher) bool { return v == inner })
	showsAll(t, src.url, src, rest)
	t.Logf("the source shows the tree without a killed node after %v", time.Since(killed).Round(time.Millisecond))
	showsAll(t, rest[len(rest)-1].url, src, rest)
}
