package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"relay/cli/term"
	"relay/playback"
	"relay/relay"
	"relay/relay/wire"
	"relay/tree"
)

// sampleTree has a node of every kind.
func sampleTree() playback.ChannelTree {
	return playback.ChannelTree{
		Name: "karp6ufz", Self: "bbbbbbbbbbbb", SeenBy: "aaaaaaaaaaaa",
		Summary: playback.TreeSummary{Nodes: 6, MaxDepth: 3, MeanDepth: 1.75, SlotsFree: 3, WorstDelayMs: 1234, Lost: 1, Orphans: 1},
		Nodes: []playback.TreeNode{
			{ID: "aaaaaaaaaaaa", Parent: -1, Slots: 2, Children: 2, UploadBPS: 6_000_000, UptimeS: 90061, Version: "0.1.0"},
			{ID: "bbbbbbbbbbbb", Parent: 0, Depth: 1, Slots: 4, Children: 1, DelayMs: 12, UploadBPS: 3_000_000, UptimeS: 3723, Version: "0.2.0-rc1"},
			{ID: "cccccccccccc", Parent: 1, Depth: 2, Slots: 1, Children: 2, DelayMs: 1234, Lost: 1, UptimeS: 61, Version: "0.1.0"},
			{ID: "dddddddddddd", Parent: 2, Depth: 3, Unheard: true},
			{ID: "eeeeeeeeeeee", Parent: 0, Depth: 1, Orphan: true, UptimeS: 5},
		},
		Cut: playback.TreeCut{Nodes: 1, MaxDepth: 3},
	}
}

func wantLines(t *testing.T, got []string, want string) {
	t.Helper()
	if text := strings.Join(got, "\n"); text != strings.Trim(want, "\n") {
		t.Errorf("drawn:\n%s\nwant:\n%s", text, strings.Trim(want, "\n"))
	}
}

func TestTreeIsDrawn(t *testing.T) {
	wantLines(t, drawing{}.draw(sampleTree()), `
Channel karp6ufz: 6 nodes, 3 deep (mean 1.8), 3 slots free, 1.2 s behind at worst, 1 chunk lost, 1 orphan

NODE                     DEPTH  SLOTS  BEHIND  LOST    UPLOAD     UP  VERSION
aaaaaaaa source              0    2/2    0 ms     0  6.0 Mb/s  1d01h  0.1.0
├─ bbbbbbbb here             1    1/4   12 ms     0  3.0 Mb/s  1h02m  0.2.0-rc1
│  └─ cccccccc +1 below      2    2/1   1.2 s     1     0 b/s  1m01s  0.1.0
│     └─ dddddddd            3    0/0       -     0         -      -  -
└─ eeeeeeee cut off          1    0/0       -     0     0 b/s     5s  -
Too many to list: 1 node, the farthest from the source
`)
}

func TestTreeIsDrawnWhereThereIsLittleRoom(t *testing.T) {
	tr := sampleTree()
	tr.SeenBy, tr.Problem = tr.Self, "no way \x1b[2J"
	wantLines(t, drawing{Style: term.Style{ASCII: true, Width: 60}, lines: 3}.draw(tr), `
Channel karp6ufz: 6 nodes, 3 deep (mean 1.8), 3 slots free,
  1.2 s behind at worst, 1 chunk lost, 1 orphan
The source cannot be asked (no way �[2J); this is what bbbb~

NODE                  DEPTH  SLOTS  BEHIND  LOST    UPLOAD ~
aaaaaaaa source           0    2/2    0 ms     0  6.0 Mb/s ~
|- bbbbbbbb here +3~      1    1/4   12 ms     0  3.0 Mb/s ~
`+"`- eeeeeeee cut off       1    0/0       -     0     0 b/s ~"+`
Not drawn: 2 nodes; --all draws all
Too many to list: 1 node, the farthest from the source
`)
}

func TestColoursAddNothingButColour(t *testing.T) {
	for _, d := range []drawing{{}, {Style: term.Style{Width: 50}}, {Style: term.Style{ASCII: true}, lines: 2}} {
		d.Colour = true
		coloured := strings.Join(d.draw(sampleTree()), "\n")
		d.Colour = false
		if !strings.Contains(coloured, term.Red+" cut off"+term.Plain) && d.lines == 0 {
			t.Errorf("an orphan is not red:\n%q", coloured)
		}
		for _, code := range []string{term.Bold, term.Faint, term.Red, term.Yellow, term.Green, term.Plain} {
			coloured = strings.ReplaceAll(coloured, code, "")
		}
		want := strings.Join(d.draw(sampleTree()), "\n")
		if coloured != want {
			t.Errorf("without colours:\n%s\nwant:\n%s", coloured, want)
		}
	}
}

// wideTree has n nodes, with fan children each.
func wideTree(n, fan int) playback.ChannelTree {
	t := playback.ChannelTree{Name: "karp6ufz", Self: "n0", SeenBy: "n0", Nodes: []playback.TreeNode{{ID: "n0", Parent: -1}}}
	var grow func(i int)
	grow = func(i int) {
		for range fan {
			if len(t.Nodes) >= n || t.Nodes[i].Depth >= tree.MaxPath {
				return
			}
			t.Nodes[i].Children++
			t.Nodes = append(t.Nodes, playback.TreeNode{ID: fmt.Sprint("n", len(t.Nodes)), Parent: i, Depth: t.Nodes[i].Depth + 1})
			if len(t.Nodes)%3 != 0 {
				grow(len(t.Nodes) - 1)
			}
		}
	}
	grow(0)
	return t
}

func TestLargeTreeIsDrawnFromTheTop(t *testing.T) {
	tr := wideTree(4000, 5)
	n := len(tr.Nodes)
	if n < 3000 {
		t.Fatalf("the tree has %d nodes", n)
	}
	for _, most := range []int{1, 2, 20, 100, n - 1, n, n + 1, 0} {
		d := drawing{Style: term.Style{Width: 80}, lines: most}
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
		for _, l := range d.draw(tr) {
			if term.Width(term.Cell{Text: l}) > 80 {
				t.Fatalf("%d lines: %q is too wide", most, l)
			}
		}
	}
}

func TestViewBecomesATree(t *testing.T) {
	tag := func(n byte) wire.NodeTag { return wire.NodeTag{n} }
	got := treeOf(relay.Survey{
		Self: tree.ID{3}, By: tree.ID{1}, Err: fmt.Errorf("a\x1bb"),
		View: wire.View{
			Depth: 2,
			Nodes: []wire.Fact{
				{ID: tag(1), Slots: 3, Children: 2, DelayMs: 4, Lost: 5, Upload: 6, UptimeS: 7, Version: "v"},
				{ID: tag(2), Down: 1, Slots: 1, Children: 2, Flags: wire.Orphan},
				{ID: tag(3), Down: 2, Flags: wire.Unheard},
				{ID: tag(4), Down: 1},
			},
			Rest: wire.Rest{Nodes: 9, Down: 4, DelayMs: 8, Lost: 7, Free: 6},
		},
	})
	text := func(n byte) string { return tag(n).String() }
	want := playback.ChannelTree{
		Self: text(3), SeenBy: text(1), Problem: "a�b",
		Nodes: []playback.TreeNode{
			{ID: text(1), Parent: -1, Depth: 2, Slots: 3, SlotsFree: 1, Children: 2, DelayMs: 4, Lost: 5, UploadBPS: 6000, UptimeS: 7, Version: "v"},
			{ID: text(2), Parent: 0, Depth: 3, Slots: 1, Children: 2, Orphan: true},
			{ID: text(3), Parent: 1, Depth: 4, Unheard: true},
			{ID: text(4), Parent: 0, Depth: 3},
		},
		Cut: playback.TreeCut{Nodes: 9, MaxDepth: 6, WorstDelayMs: 8, Lost: 7, SlotsFree: 6},
	}
	if a, b := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); a != b {
		t.Errorf("%s\nwant %s", a, b)
	}
}

func TestAddressToAsk(t *testing.T) {
	for value, want := range map[string]string{
		"7145":                             "127.0.0.1:7145",
		":7145":                            "127.0.0.1:7145",
		"0.0.0.0:7145":                     "127.0.0.1:7145",
		"[::]:7145":                        "127.0.0.1:7145",
		"192.168.1.5:80":                   "192.168.1.5:80",
		"[::1]:80":                         "[::1]:80",
		"localhost:80":                     "localhost:80",
		"http://127.0.0.1:4711/abcd.flv":   "127.0.0.1:4711",
		"http://127.0.0.1:4711":            "127.0.0.1:4711",
		"http://127.0.0.1/abcd.flv":        "",
		"127.0.0.1":                        "",
		"127.0.0.1:0":                      "",
		"127.0.0.1:http":                   "",
		"127.0.0.1:70000":                  "",
		"":                                 "",
		"relay://x@127.0.0.1:7144":         "",
		"https://127.0.0.1:4711/abcd.flv":  "",
		"http://127.0.0.1:x/\x1babcd.flv":  "",
		"http://user:pass@127.0.0.1:80/ab": "127.0.0.1:80",
	} {
		if got, err := askable(value); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", value, got, err, want)
		}
	}
}

// What is drawn on a terminal replaces what was drawn before, line by line, and
// never more than fits the screen.
func TestWatchDrawsInPlace(t *testing.T) {
	var out bytes.Buffer
	s := &treeShow{watch: true, t: &term.Terminal{OutTTY: true}, out: &out}
	large := playback.Trees{Channels: []playback.ChannelTree{wideTree(500, 3)}}
	small := playback.Trees{Channels: []playback.ChannelTree{sampleTree()}}
	up := 0
	for _, trees := range []playback.Trees{small, large, small, {}} {
		out.Reset()
		if err := s.show(trees); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if want := fmt.Sprintf("\r\x1b[%dA", up); up > 0 != strings.HasPrefix(text, want) {
			t.Errorf("%.20q does not begin with %q", text, want)
		}
		if !strings.HasSuffix(text, "\x1b[J") {
			t.Errorf("%q leaves what was below", text)
		}
		up = strings.Count(text, "\n")
		if up > 23 || strings.Count(text, "\x1b[K\n") != up {
			t.Errorf("%d lines on a screen of 24", up)
		}
	}
}

func TestAnswersThatAreNoTree(t *testing.T) {
	answer := func(status int, text string) error {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, text)
		}))
		defer srv.Close()
		a := &asker{addr: srv.Listener.Addr().String()}
		_, err := a.trees(t.Context(), "")
		return err
	}
	node := func(parent, depth int) playback.TreeNode { return playback.TreeNode{Parent: parent, Depth: depth} }
	of := func(nodes ...playback.TreeNode) string {
		b, err := json.Marshal(playback.Trees{Channels: []playback.ChannelTree{{Nodes: nodes}}})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if err := answer(200, of(node(-1, 0), node(0, 1))); err != nil {
		t.Error(err)
	}
	for says, c := range map[string]struct {
		status int
		text   string
	}{
		"makes no sense":   {200, "hello"},
		"knows no trees":   {404, "no"},
		"it is over":       {503, "it is over\n"},
		"is no tree ":      {200, of(node(0, 0))},
		"is no tree  ":     {200, of(node(-1, 0), node(-1, 0))},
		"is no tree   ":    {200, of(node(-1, 0), node(1, 1))},
		"is no tree    ":   {200, of(node(-1, -1))},
		"knows no trees (": {500, ""},
	} {
		if err := answer(c.status, c.text); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(says)) {
			t.Errorf("%d %q: %v", c.status, c.text, err)
		}
	}
}

func TestJSONIsOneLineForEachSecond(t *testing.T) {
	trees := playback.Trees{Channels: []playback.ChannelTree{sampleTree()}}
	for _, watch := range []bool{true, false} {
		var out bytes.Buffer
		s := &treeShow{json: true, watch: watch, t: &term.Terminal{OutTTY: true}, out: &out}
		for range 2 {
			if err := s.show(trees); err != nil {
				t.Fatal(err)
			}
		}
		if n := strings.Count(out.String(), "\n"); watch && n != 2 || !watch && n < 50 {
			t.Errorf("watch %v: %d lines", watch, n)
		}
		dec := json.NewDecoder(&out)
		for range 2 {
			var got playback.Trees
			if err := dec.Decode(&got); err != nil || !slices.Equal(got.Channels[0].Nodes, trees.Channels[0].Nodes) {
				t.Errorf("%+v, %v", got, err)
			}
		}
	}
}

func TestTitlesNameChannels(t *testing.T) {
	all := []playback.ChannelTree{{ID: "a", Title: "Finals"}, {ID: "b", Title: "Finals, table 3"}, {ID: "c", Title: "Chess"}, {ID: "d"}}
	for name, want := range map[string]string{
		"finals":  "a", // the very title
		"finals,": "b",
		"ch":      "c",
		"fin":     "", // may be two
		"table":   "",
		"chess !": "",
	} {
		if got, ok := titled(all, name); got.ID != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", name, got.ID, ok, want)
		}
	}
}
