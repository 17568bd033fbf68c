package ask

import (
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
	"relay/playback/api"
	"relay/relay/store"
	"relay/relay/stream"
)

func TestLinkOfTheChannelThatIsMeant(t *testing.T) {
	channel := func(id, title, link string) api.ChannelStatus {
		return api.ChannelStatus{Channel: api.Channel{ID: id, Name: id[:4], Title: title}, Share: api.Share{Link: link}}
	}
	finals, table, quiet := channel("aaaabbbb", "Finals", "relay://1"), channel("aaaacccc", "Finals, table 3", "relay://2"), channel("dddd", "", "")
	for _, c := range []struct {
		wanted string
		of     []api.ChannelStatus
		want   string
		code   int
	}{
		{"", []api.ChannelStatus{finals}, "relay://1", 0},
		{"", []api.ChannelStatus{finals, table}, "", fault.ExitUsage},
		{"aaaa", []api.ChannelStatus{finals, table}, "", fault.ExitUsage},
		{"aaaac", []api.ChannelStatus{finals, table}, "relay://2", 0},
		{"finals", []api.ChannelStatus{table, finals}, "relay://1", 0}, // the very title
		{"finals,", []api.ChannelStatus{finals, table}, "relay://2", 0},
		{"zzzz", []api.ChannelStatus{finals}, "", fault.ExitNobody},
		{"", nil, "", fault.ExitNobody},
		{"dddd", []api.ChannelStatus{finals, quiet}, "", fault.ExitRuntime}, // has no link
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte(encoded(t, api.Status{Channels: c.of})))
		}))
		share, err := New(srv.Listener.Addr().String(), nil).Link(t.Context(), c.wanted)
		srv.Close()
		var f *fault.Error
		if share.Link != c.want || c.code == 0 && err != nil || c.code != 0 && (!errors.As(err, &f) || f.Code != c.code) {
			t.Errorf("%q of %d: %q, %v; want %q, exit %d", c.wanted, len(c.of), share.Link, err, c.want, c.code)
		}
	}
}

func TestStatusThatIsNotTold(t *testing.T) {
	for code, says := range map[int]string{
		http.StatusNotFound:  "is it a relay of this version?",
		http.StatusForbidden: "does not tell how it is doing (403 Forbidden)",
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
		a := New(srv.Listener.Addr().String(), nil)
		if _, err := a.Status(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%d: %v", code, err)
		}
		srv.Close()
	}
}

func TestAnswersThatAreNoTree(t *testing.T) {
	answer := func(status int, text string) error {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, text)
		}))
		defer srv.Close()
		a := New(srv.Listener.Addr().String(), nil)
		_, err := a.Trees(t.Context(), "")
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
			w.Write([]byte(encoded(t, all)))
			return
		}
		asked = r.URL.Query().Get("channel")
		w.Write([]byte(encoded(t, api.Trees{Channels: []api.ChannelTree{{ID: asked}}})))
	}))
	defer srv.Close()
	own, err := stream.ParseChannelID(id("dd"))
	if err != nil {
		t.Fatal(err)
	}
	a := New(srv.Listener.Addr().String(), []store.OwnChannel{{Name: "evening", ID: own}})
	defer a.Close()
	for name, want := range map[string]string{
		"finals":                                 id("aa"), // the very title
		"FINALS":                                 id("aa"),
		"finals,":                                id("bb"),
		"ch":                                     id("cc"),
		"fin":                                    `exit 2: "fin" may mean 2 channels: "Finals" (aaaaaaaa), "Finals, table 3" (bbaaaaaa)`,
		"table":                                  `exit 3: the relay at ` + a.Addr + ` has no channel "table"`,
		"chess !":                                `exit 3: the relay at ` + a.Addr + ` has no channel "chess !"`,
		id("ff") + "#" + strings.Repeat("a", 26): `exit 3: the relay at ` + a.Addr + ` has no channel "` + id("ff") + `#…"`,
		"show #2":                                `exit 3: the relay at ` + a.Addr + ` has no channel "show #2"`,
		"dda":                                    `exit 3: "dda" is too short for an ID: 4 characters name one at least`,
		"ddaa":                                   id("dd"),
		"even":                                   id("dd"), // its name on this machine
		"feed":                                   id("ee"), // an exact match, though another ID begins like this
		"feeda":                                  id("feed"),
		strings.ToUpper(id("zz")):                id("zz"), // the relay may know this one by now
	} {
		asked = ""
		_, got, err := a.TreesOf(t.Context(), name)
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
		w.Write([]byte(encoded(t, api.Trees{Channels: []api.ChannelTree{{
			ID: "a\u202e", Name: "b\x1b", Title: "c\u200b", Self: "d\u2028", SeenBy: "e\u2066", Problem: "f\u009b",
			Nodes: []api.TreeNode{{ID: "g\u200f", Parent: -1, Version: "h\n"}},
		}}})))
	}))
	defer srv.Close()
	a := New(srv.Listener.Addr().String(), nil)
	defer a.Close()
	trees, err := a.Trees(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	c := trees.Channels[0]
	got := []string{c.ID, c.Name, c.Title, c.Self, c.SeenBy, c.Problem, c.Nodes[0].ID, c.Nodes[0].Version}
	if want := []string{"a\ufffd", "b\ufffd", "c", "d", "e\ufffd", "f\ufffd", "g\ufffd", "h"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
