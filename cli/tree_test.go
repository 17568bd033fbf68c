package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/cli/treedraw/drawtest"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/store"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

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
	want := api.ChannelTree{
		Self: text(3), SeenBy: text(1), Problem: "a�b",
		Nodes: []api.TreeNode{
			{ID: text(1), Parent: -1, Depth: 2, Slots: 3, SlotsFree: 1, Children: 2, DelayMs: 4, Lost: 5, UploadBPS: 6000, UptimeS: 7, Version: "v"},
			{ID: text(2), Parent: 0, Depth: 3, Slots: 1, Children: 2, Orphan: true},
			{ID: text(3), Parent: 1, Depth: 4, Unheard: true},
			{ID: text(4), Parent: 0, Depth: 3},
		},
		Cut: api.TreeCut{Nodes: 9, MaxDepth: 6, WorstDelayMs: 8, Lost: 7, SlotsFree: 6},
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
	large := api.Trees{Channels: []api.ChannelTree{drawtest.Wide(500, 3)}}
	small := api.Trees{Channels: []api.ChannelTree{drawtest.Sample()}}
	up := 0
	for _, trees := range []api.Trees{small, large, small, {}} {
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
	node := func(parent, depth int) api.TreeNode { return api.TreeNode{Parent: parent, Depth: depth} }
	of := func(nodes ...api.TreeNode) string {
		b, err := json.Marshal(api.Trees{Channels: []api.ChannelTree{{Nodes: nodes}}})
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
	trees := api.Trees{Channels: []api.ChannelTree{drawtest.Sample()}}
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
			var got api.Trees
			if err := dec.Decode(&got); err != nil || !slices.Equal(got.Channels[0].Nodes, trees.Channels[0].Nodes) {
				t.Errorf("%+v, %v", got, err)
			}
		}
	}
}

func TestTitlesNameChannels(t *testing.T) {
	id := func(start string) string { return start + strings.Repeat("a", stream.ChannelIDLen-len(start)) }
	all := api.Channels{Channels: []api.PublicChannel{
		{Channel: api.Channel{ID: id("aa"), Title: "Finals"}},
		{Channel: api.Channel{ID: id("bb"), Title: "Finals, table 3"}},
		{Channel: api.Channel{ID: id("cc"), Title: "Chess"}},
		{Channel: api.Channel{ID: id("dd")}},
		{Channel: api.Channel{ID: id("feed"), Title: "Cats"}},
		{Channel: api.Channel{ID: id("ee"), Title: "Feed"}},
	}}
	var asked string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/channels" {
			w.Write([]byte(mustJSON(t, all)))
			return
		}
		asked = r.URL.Query().Get("channel")
		w.Write([]byte(mustJSON(t, api.Trees{Channels: []api.ChannelTree{{ID: asked}}})))
	}))
	defer srv.Close()
	own, err := stream.ParseChannelID(id("dd"))
	if err != nil {
		t.Fatal(err)
	}
	a := asker{addr: srv.Listener.Addr().String(), own: []store.OwnChannel{{Name: "evening", ID: own}}}
	defer a.close()
	for name, want := range map[string]string{
		"finals":                  id("aa"), // the very title
		"FINALS":                  id("aa"),
		"finals,":                 id("bb"),
		"ch":                      id("cc"),
		"fin":                     `exit 2: "fin" may mean 2 channels: "Finals" (aaaaaaaa), "Finals, table 3" (bbaaaaaa)`,
		"table":                   `exit 3: the relay at ` + a.addr + ` has no channel "table"`,
		"chess !":                 `exit 3: the relay at ` + a.addr + ` has no channel "chess !"`,
		"dda":                     `exit 3: "dda" is too short for an ID: 4 characters name one at least`,
		"ddaa":                    id("dd"),
		"even":                    id("dd"), // what this machine calls it
		"feed":                    id("ee"), // exact, though another's ID begins so
		"feeda":                   id("feed"),
		strings.ToUpper(id("zz")): id("zz"), // which the relay may know by now
	} {
		asked = ""
		_, got, err := a.treesOf(t.Context(), name)
		var f *fault.Error
		if errors.As(err, &f) {
			got = fmt.Sprintf("exit %d: %v", f.Code, err)
		} else if asked != got {
			t.Errorf("%q: asked for %q", name, asked)
		}
		if got != want {
			t.Errorf("%q: %s; want %s", name, got, want)
		}
	}
}

func TestStrangersTextInTreesIsCleaned(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(mustJSON(t, api.Trees{Channels: []api.ChannelTree{{
			ID: "a\u202e", Name: "b\x1b", Title: "c\u200b", Self: "d\u2028", SeenBy: "e\u2066", Problem: "f\u009b",
			Nodes: []api.TreeNode{{ID: "g\u200f", Parent: -1, Version: "h\n"}},
		}}})))
	}))
	defer srv.Close()
	a := asker{addr: srv.Listener.Addr().String()}
	defer a.close()
	trees, err := a.trees(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	c := trees.Channels[0]
	got := []string{c.ID, c.Name, c.Title, c.Self, c.SeenBy, c.Problem, c.Nodes[0].ID, c.Nodes[0].Version}
	if want := []string{"a\ufffd", "b\ufffd", "c", "d", "e\ufffd", "f\ufffd", "g\ufffd", "h"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
