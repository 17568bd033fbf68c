package station

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"relay/playback/admin"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/stream"
	"relay/tree"
)

// told is what o's events are, from the first.
func told(t *testing.T, o *operations) (all []api.Event) {
	t.Helper()
	r, err := o.events.Follow(0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		e, wait := r.Next()
		if wait != nil {
			return all
		}
		all = append(all, e)
	}
}

// scrape is what the metrics say of o.
func scrape(t *testing.T, o *operations) string {
	t.Helper()
	o.metrics.Watch(o.statuses, func() map[string]map[string]uint64 { return nil })
	h := admin.NewServer(admin.Config{Metrics: o.metrics, API: http.NotFoundHandler()}).Handler()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Host = "localhost"
	h.ServeHTTP(w, r)
	text, err := io.ReadAll(w.Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d, %v: %s", w.Code, err, text)
	}
	return string(text)
}

func TestWhatChannelsNoticeIsToldAndCounted(t *testing.T) {
	o, err := newOperations(nil, Config{})
	if err != nil {
		t.Fatal(err)
	}
	id := stream.ChannelID{1}
	peer := tree.ID{7}
	addr := netip.MustParseAddrPort("10.9.8.7:7144")
	place := tree.Place{ID: peer, Addrs: []netip.AddrPort{addr}}
	child := relay.Child{Peer: peer, Addr: addr}
	for _, n := range []relay.Notice{
		relay.ParentChanged{Parent: place, Depth: 1, Gap: time.Hour},
		relay.Orphaned{End: tree.ByThem(tree.ReasonClosed)},
		relay.ParentChanged{Parent: place, Depth: 2, Before: tree.ByThem(tree.ReasonClosed), Gap: 140 * time.Millisecond},
		relay.ParentChanged{Parent: place, Depth: 2, Before: tree.ByThem(tree.Reason(200))}, // a stranger's
		relay.ChildJoined{Child: child},
		relay.ChildLeft{Child: child, End: tree.ByThem(tree.ReasonClosed)},
		relay.ChildRefused{Child: child, Reason: tree.ReasonFull},
		relay.DialFailed{},
		relay.Refused{},
	} {
		o.notice(id, n)
	}
	gap := func(ms int64) *int64 { return &ms }
	want := []api.Event{
		{Type: api.EventParent, Reason: "none", Depth: new(1)},
		{Type: api.EventParentLost, Reason: "closed", By: "them"},
		{Type: api.EventParent, Reason: "closed", By: "them", Depth: new(2), GapMs: gap(140)},
		{Type: api.EventParent, Reason: "other", By: "them", Depth: new(2), GapMs: gap(0)},
		{Type: api.EventJoined, Who: "child"},
		{Type: api.EventLeft, Who: "child", Reason: "closed", By: "them"},
		{Type: api.EventLimit, Who: "child", Reason: "full", Count: 1},
	}
	got := told(t, o)
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, w := range want {
		w.Seq, w.Time, w.Channel, w.Name = uint64(i+1), got[i].Time, id.String(), id.Short()
		if w.Type != api.EventParentLost {
			w.Node, w.NodeID, w.Addr = peer.Tag(), peer.String(), addr.String()
		}
		if a, b := asJSON(t, got[i]), asJSON(t, w); a != b {
			t.Errorf("event %d: %s\nwant %s", i, a, b)
		}
	}
	text := scrape(t, o)
	for _, line := range []string{
		`relay_parent_changes_total{channel="` + id.Short() + `",reason="closed"} 1`,
		`relay_parent_changes_total{channel="` + id.Short() + `",reason="none"} 1`,
		`relay_parent_changes_total{channel="` + id.Short() + `",reason="other"} 1`,
		`relay_failover_gap_seconds_bucket{channel="` + id.Short() + `",le="0.1"} 1`,
		`relay_failover_gap_seconds_bucket{channel="` + id.Short() + `",le="0.15"} 2`,
		`relay_failover_gap_seconds_count{channel="` + id.Short() + `"} 2`,
		`relay_children_left_total{channel="` + id.Short() + `",reason="closed"} 1`,
		`relay_refused_children_total{channel="` + id.Short() + `",reason="full"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	for _, secret := range []string{"10.9.8.7", peer.Tag(), id.String()} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in the metrics", secret)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestANodeOfManyChannelsIsBusyWithoutAnybody(t *testing.T) {
	o := &operations{}
	if all := make([]*relay.Channel, fewChannels+1); !o.busy(all) {
		t.Errorf("%d channels", len(all))
	}
	if o.busy(nil) {
		t.Error("busy without a channel")
	}
}
