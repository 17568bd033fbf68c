package treedraw

import (
	"strings"
	"testing"

	"relay/cli/term"
	"relay/cli/term/termtest"
	"relay/cli/treedraw/drawtest"
	"relay/playback/api"
)

func TestTreeIsDrawn(t *testing.T) {
	termtest.WantLines(t, Drawing{}.Draw(drawtest.Sample()), `
Channel karp6ufz: 6 nodes, 3 deep (mean 1.8), 3 slots free, 1.2 s behind at worst, 1 chunk lost, 1 orphan, 14 watching

NODE                            DEPTH  SLOTS  BEHIND  LOST    UPLOAD     UP  VERSION
aaaaaaaa source                     0    2/2    0 ms     0  6.0 Mb/s  1d01h  0.1.0
├─ bbbbbbbb here "living room"      1    1/4   12 ms     0  3.0 Mb/s  1h02m  0.2.0-rc1
│  └─ cccccccc +1 below             2    2/1   1.2 s     1     0 b/s  1m01s  0.1.0
│     └─ dddddddd                   3    0/0       -     0         -      -  -
└─ eeeeeeee cut off "source"        1    0/0       -     0     0 b/s     5s  -
Too many to list: 1 node, the farthest from the source
`)
}

func TestTreeIsDrawnWhereThereIsLittleRoom(t *testing.T) {
	tr := drawtest.Sample()
	tr.SeenBy, tr.Problem = tr.Self, "no way \x1b[2J"
	termtest.WantLines(t, Drawing{Style: term.Style{ASCII: true, Width: 60}, Most: 3}.Draw(tr), `
Channel karp6ufz: 6 nodes, 3 deep (mean 1.8), 3 slots free,
  1.2 s behind at worst, 1 chunk lost, 1 orphan, 14 watching
The source cannot be asked (no way �[2J); this is what
  bbbbbbbb knows.

NODE                  DEPTH  SLOTS  BEHIND  LOST    UPLOAD ~
aaaaaaaa source           0    2/2    0 ms     0  6.0 Mb/s ~
|- bbbbbbbb here +3~      1    1/4   12 ms     0  3.0 Mb/s ~
`+"`- eeeeeeee cut off~      1    0/0       -     0     0 b/s ~"+`
Not drawn: 2 nodes; --all draws all
Too many to list: 1 node, the farthest from the source
`)
}

// TestPeerCastsAreToldOfBelowTheTree: they are no nodes of it, and what is behind those that are connected is only what
// these say.
func TestPeerCastsAreToldOfBelowTheTree(t *testing.T) {
	last := func(p *api.PeerCast) string {
		tr := drawtest.Sample()
		tr.PeerCast = p
		all := Drawing{}.Draw(tr)
		return all[len(all)-1]
	}
	none := last(nil)
	for _, c := range []struct {
		told *api.PeerCast
		want string
	}{
		{&api.PeerCast{}, none}, // it is served, and nobody has come
		{&api.PeerCast{Connected: 1, Listeners: 1}, "Over PeerCast from here: 1 node, and 0 more behind them by what they say, with 1 listener"},
		{&api.PeerCast{Connected: 3, Behind: 12, Listeners: 1400}, "Over PeerCast from here: 3 nodes, and 12 more behind them by what they say, with 1400 listeners"},
	} {
		if got := last(c.told); got != c.want {
			t.Errorf("%+v: %q, want %q", c.told, got, c.want)
		}
	}
}

func TestColoursAddNothingButColour(t *testing.T) {
	for _, d := range []Drawing{{}, {Style: term.Style{Width: 50}}, {Style: term.Style{ASCII: true}, Most: 2}} {
		d.Colour = true
		coloured := strings.Join(d.Draw(drawtest.Sample()), "\n")
		d.Colour = false
		if !strings.Contains(coloured, term.Red+" cut off"+term.Plain) && d.Most == 0 {
			t.Errorf("an orphan is not red:\n%q", coloured)
		}
		for _, code := range []string{term.Bold, term.Faint, term.Red, term.Yellow, term.Green, term.Plain} {
			coloured = strings.ReplaceAll(coloured, code, "")
		}
		want := strings.Join(d.Draw(drawtest.Sample()), "\n")
		if coloured != want {
			t.Errorf("without colours:\n%s\nwant:\n%s", coloured, want)
		}
	}
}

func TestLargeTreeIsDrawnFromTheTop(t *testing.T) {
	tr := drawtest.Wide(4000, 5)
	n := len(tr.Nodes)
	if n < 3000 {
		t.Fatalf("the tree has %d nodes", n)
	}
	for _, most := range []int{1, 2, 20, 100, n - 1, n, n + 1, 0} {
		d := Drawing{Style: term.Style{Width: 80}, Most: most}
		kept, hidden := d.choose(tr.Nodes)
		drawn, missing, deepest := 0, 0, 0
		for i, k := range kept {
			if !k {
				continue
			}
			drawn++
			missing += hidden[i]
			deepest = max(deepest, tr.Nodes[i].Depth)
			if p := tr.Nodes[i].Parent; p >= 0 && !kept[p] {
				t.Fatalf("%d lines: a node is drawn without its parent", most)
			}
		}
		for i, k := range kept {
			if !k && tr.Nodes[i].Depth < deepest {
				t.Fatalf("%d lines: a node at depth %d is left out, one at %d is drawn", most, tr.Nodes[i].Depth, deepest)
			}
		}
		want := n
		if most > 0 {
			want = min(n, most)
		}
		if drawn != want || missing != n-want {
			t.Errorf("%d lines: %d drawn, %d below them, of %d", most, drawn, missing, n)
		}
		for _, l := range d.Draw(tr) {
			if term.Width(term.Cell{Text: l}) > 80 {
				t.Fatalf("%d lines: %q is too wide", most, l)
			}
		}
	}
}

// A node that has never had a way to the source is 0 links from it, as far as it knows.
func TestNoOrphanIsDrawnAsTheSource(t *testing.T) {
	alone := api.ChannelTree{Name: "karp6ufz", Self: "aaaaaaaaaaaa", SeenBy: "aaaaaaaaaaaa", Nodes: []api.TreeNode{
		{ID: "aaaaaaaaaaaa", Parent: -1, Slots: 2, Children: 1, Orphan: true},
		{ID: "bbbbbbbbbbbb", Parent: 0, Depth: 1, Orphan: true},
	}}
	tree := strings.Join(Drawing{}.Draw(alone)[1:], "\n")
	top := Top{Channels: Channels(api.Trees{Channels: []api.ChannelTree{alone}}, nil)}
	for name, drawn := range map[string]string{"tree": tree, "top": strings.Join(top.Lines()[1:], "\n")} {
		if strings.Contains(drawn, "source") || !strings.Contains(drawn, "cut off") {
			t.Errorf("%s:\n%s", name, drawn)
		}
	}
}

func TestTopSaysWhatAViewerSees(t *testing.T) {
	trees := api.Trees{Channels: []api.ChannelTree{{ID: "ch", Name: "ch"}}}
	for want, s := range map[string]api.Situation{"here: orphaned,": {Name: api.SourceAway}, "here: ended,": {}} {
		st := &api.Status{Channels: []api.ChannelStatus{{Channel: api.Channel{ID: "ch", State: api.Ended, Situation: s}}}}
		if drawn := strings.Join(Top{Channels: Channels(trees, st)}.Lines(), "\n"); !strings.Contains(drawn, want) {
			t.Errorf("it does not say %s:\n%s", want, drawn)
		}
	}
}
