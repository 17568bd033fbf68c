package playback

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"relay/playback/api"
	"relay/relay/stream"
)

func TestTreeIsToldWithItsSummary(t *testing.T) {
	a, b := stream.ChannelID{1}, stream.ChannelID{2}
	ring := stream.NewRing(stream.Limits{})
	nodes := []api.TreeNode{
		{ID: "root", Parent: -1, Slots: 2, SlotsFree: 1, Children: 1},
		{ID: "mid", Parent: 0, Depth: 1, Slots: 4, SlotsFree: 3, Children: 1, DelayMs: 12, Lost: 3, UploadBPS: 3_000_000, UptimeS: 5, Version: "0.1.0"},
		{ID: "leaf", Parent: 1, Depth: 2, DelayMs: 30, Lost: 4, Orphan: true, Unheard: true},
	}
	addr := serve(t, Config{
		Channels: list(NewChannel(a, ring, nil), NewChannel(b, ring, nil)),
		Survey: func(ctx context.Context, id stream.ChannelID) (api.ChannelTree, error) {
			if end, ok := ctx.Deadline(); !ok || time.Until(end) > AnswerTimeout {
				t.Error("nothing bounds the survey")
			}
			if id == b {
				return api.ChannelTree{Self: "x", SeenBy: "y", Problem: "no way", Nodes: []api.TreeNode{}}, nil
			}
			return api.ChannelTree{Self: "leaf", SeenBy: "root", Nodes: nodes, Cut: api.TreeCut{Nodes: 9, MaxDepth: 7, WorstDelayMs: 20, Lost: 5, SlotsFree: 6}}, nil
		},
	})
	tell := func(query string) (all api.Trees, raw string) {
		t.Helper()
		resp, _ := ask(t, addr, get("/api/v1/tree"+query))
		raw = body(t, resp)
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("%d %q", resp.StatusCode, raw)
		}
		if err := json.Unmarshal([]byte(raw), &all); err != nil {
			t.Fatal(err)
		}
		return all, raw
	}
	all, raw := tell("")
	want := api.ChannelTree{
		ID: a.String(), Name: a.Short(), Self: "leaf", SeenBy: "root", Nodes: nodes,
		Summary: api.TreeSummary{Nodes: 12, MaxDepth: 7, MeanDepth: 1.5, SlotsFree: 10, WorstDelayMs: 30, Lost: 12, Orphans: 1},
		Cut:     api.TreeCut{Nodes: 9, MaxDepth: 7, WorstDelayMs: 20, Lost: 5, SlotsFree: 6},
	}
	if len(all.Channels) != 2 || !reflect.DeepEqual(all.Channels[0], want) || all.Channels[1].Problem != "no way" {
		t.Errorf("%+v", all)
	}
	for _, name := range []string{`"parent":-1`, `"delay_ms":12`, `"upload_bps":3000000`, `"uptime_s":5`, `"slots_free":3`, `"mean_depth":1.5`, `"nodes":[]`} {
		if !strings.Contains(raw, name) {
			t.Errorf("no %s in %s", name, raw)
		}
	}
	if one, _ := tell("?channel=" + b.String()[:8]); len(one.Channels) != 1 || one.Channels[0].ID != b.String() {
		t.Errorf("%+v", one)
	}
}

func TestTreeThatCannotBeTold(t *testing.T) {
	id := stream.ChannelID{1}
	channels := list(NewChannel(id, stream.NewRing(stream.Limits{}), nil))
	failing := serve(t, Config{Channels: channels, Survey: func(context.Context, stream.ChannelID) (api.ChannelTree, error) {
		return api.ChannelTree{}, errors.New("the channel has ended")
	}})
	none, empty := serve(t, Config{Channels: channels}), serve(t, Config{})
	for _, c := range []struct {
		addr, request string
		status        int
		says          string
	}{
		{failing, get("/api/v1/tree"), 503, "The tree of channel " + id.Short() + " cannot be told now: the channel has ended."},
		{failing, get("/api/v1/tree?channel=zzzz"), 404, "no such channel"},
		{failing, get("/api/v1/tree/"), 404, "/api/v1/tree"},
		{none, get("/api/v1/tree"), 503, "this node has none"},
		{empty, get("/api/v1/tree"), 200, `{"channels":[]}`},
		{empty, "GET /api/v1/tree HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, "host name"},
		{empty, "POST /api/v1/tree HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405, "Only GET and HEAD"},
	} {
		resp, _ := ask(t, c.addr, c.request)
		if text := body(t, resp); resp.StatusCode != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%.40q: %d %q", c.request, resp.StatusCode, text)
		}
	}
}

// What machines are called is for those in this node's own networks: for nobody for whom a proxy asks, who may be
// anywhere.
func TestAMachinesNameIsForItsNeighbours(t *testing.T) {
	ring := stream.NewRing(stream.Limits{})
	addr := serve(t, Config{
		Channels: list(NewChannel(stream.ChannelID{1}, ring, func() api.Facts {
			return api.Facts{Watching: new(14), ParentTag: "b", Parent: &api.Peer{Name: "laptop", AtHome: true}}
		}), NewChannel(stream.ChannelID{2}, ring, func() api.Facts { return api.Facts{ParentTag: "a", Parent: &api.Peer{Name: "given"}} })),
		Proxies: Proxies{netip.MustParsePrefix("127.0.0.0/8")},
		Own: func(a netip.Addr) bool {
			return a == netip.MustParseAddr("10.1.2.3") || a == netip.MustParseAddr("203.0.113.8")
		},
		Survey: func(context.Context, stream.ChannelID) (api.ChannelTree, error) {
			return api.ChannelTree{Nodes: []api.TreeNode{{ID: "a", Parent: -1, Name: "given"}, {ID: "b", Name: "laptop", AtHome: true}}}, nil
		},
	})
	for header, want := range map[string]string{
		"":                                     "laptop", // from this machine
		"X-Forwarded-For: 127.0.0.1":           "laptop",
		"X-Forwarded-For: 10.1.2.3":            "laptop",
		"X-Forwarded-For: 10.9.9.9":            "", // behind a VPN, or in a carrier's network
		"X-Forwarded-For: 203.0.113.8":         "", // in a subnet of strangers
		"X-Forwarded-For: 203.0.113.7":         "",
		"X-Forwarded-For: 10.1.2.3, 192.0.2.1": "",
		"X-Forwarded-For: nonsense":            "",
		"Via: 1.1 somebody":                    "",
	} {
		req := get("/api/v1/tree")
		if header != "" {
			req = strings.Replace(req, "\r\n\r\n", "\r\n"+header+"\r\n\r\n", 1)
		}
		resp, _ := ask(t, addr, req)
		var all api.Trees
		if err := json.Unmarshal([]byte(body(t, resp)), &all); err != nil {
			t.Fatal(err)
		}
		c := all.Channels[0]
		if c.Nodes[0].Name != "given" || c.Nodes[1].Name != want || c.Watching == nil || *c.Watching != 14 {
			t.Errorf("%q: %+v", header, c)
		}
		resp, _ = ask(t, addr, strings.Replace(req, "/api/v1/tree", "/api/v1/channels", 1))
		var open api.Channels
		if err := json.Unmarshal([]byte(body(t, resp)), &open); err != nil {
			t.Fatal(err)
		}
		if open.Channels[0].ParentName != want || open.Channels[1].ParentName != "given" {
			t.Errorf("%q: the parents are called %q and %q", header, open.Channels[0].ParentName, open.Channels[1].ParentName)
		}
	}
}
