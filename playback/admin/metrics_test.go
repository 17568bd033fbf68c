package admin

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"relay/playback/api"
)

// busy is the metrics of a node that has seen everything once.
func busy(t *testing.T) *Metrics {
	t.Helper()
	m := NewMetrics("1.2.3")
	m.Watch(func() []api.ChannelStatus {
		return []api.ChannelStatus{
			{
				Channel: api.Channel{Name: "abcdefgh", BitRate: 8_000_000, Depth: 2, DelayMs: 250, ViewerCount: 4},
				Chunks:  api.Chunks{Received: 100, Lost: 3, Duplicate: 5, Bytes: 4000},
				Sent:    api.Sent{Children: 9000, Viewers: 1000},
				Ring:    api.Ring{Bytes: 4096, Held: 90, SpanMs: 2500}, Attached: true,
				Slots: 8, Children: make([]api.Child, 3), Came: time.Now(),
			},
			{Channel: api.Channel{Name: "waiting2"}},
			{Channel: api.Channel{Name: "waiting2"}}, // the same short ID
		}
	}, func() map[string]map[string]uint64 {
		return map[string]map[string]uint64{"http": {"full": 7, "slow": 0}, "rtmp": {"crowd": 3}}
	})
	m.ParentChanged("abcdefgh", "none", 0, false)
	m.ParentChanged("abcdefgh", "silent", 120*time.Millisecond, true)
	m.ChildLeft("abcdefgh", "closed")
	m.ChildRefused("abcdefgh", "full")
	return m
}

func TestMetricsFollowTheNamingRules(t *testing.T) {
	problems, err := testutil.GatherAndLint(busy(t).registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		// The Go and process collectors name their own.
		if strings.HasPrefix(p.Metric, "relay_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestMetricsTellWhatTheNodeCounts(t *testing.T) {
	m := busy(t)
	const want = `
# HELP relay_media_bytes_total Media that came in, and that went out to children and viewers.
# TYPE relay_media_bytes_total counter
relay_media_bytes_total{channel="abcdefgh",direction="in"} 4000
relay_media_bytes_total{channel="abcdefgh",direction="out"} 10000
relay_media_bytes_total{channel="waiting2",direction="in"} 0
relay_media_bytes_total{channel="waiting2",direction="out"} 0
# HELP relay_media_rate_bytes_per_second Rate of the media over the last seconds.
# TYPE relay_media_rate_bytes_per_second gauge
relay_media_rate_bytes_per_second{channel="abcdefgh"} 1e+06
relay_media_rate_bytes_per_second{channel="waiting2"} 0
# HELP relay_live Whether media came within the last 5 seconds.
# TYPE relay_live gauge
relay_live{channel="abcdefgh"} 1
relay_live{channel="waiting2"} 0
# HELP relay_delay_seconds Delay behind the source.
# TYPE relay_delay_seconds gauge
relay_delay_seconds{channel="abcdefgh"} 0.25
relay_delay_seconds{channel="waiting2"} 0
# HELP relay_parent_changes_total Times the stream began to come from another parent; reason none is the first one.
# TYPE relay_parent_changes_total counter
relay_parent_changes_total{channel="abcdefgh",reason="none"} 1
relay_parent_changes_total{channel="abcdefgh",reason="silent"} 1
# HELP relay_refused_viewers_total Requests of players that were turned away, and connections to their port that were cut.
# TYPE relay_refused_viewers_total counter
relay_refused_viewers_total{reason="full"} 7
relay_refused_viewers_total{reason="slow"} 0
# HELP relay_refused_rtmp_total Connections to the RTMP port that were turned away.
# TYPE relay_refused_rtmp_total counter
relay_refused_rtmp_total{reason="crowd"} 3
`
	names := []string{
		"relay_media_bytes_total", "relay_media_rate_bytes_per_second", "relay_live", "relay_delay_seconds",
		"relay_parent_changes_total", "relay_refused_viewers_total", "relay_refused_rtmp_total",
	}
	if err := testutil.GatherAndCompare(m.registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	all := map[string]int{}
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		all[f.GetName()] = len(f.GetMetric())
	}
	for _, k := range kinds {
		name := descName(k.desc)
		want := 2
		if name == "relay_media_age_seconds" {
			want = 1 // nothing has come to the other
		}
		if all[name] != want {
			t.Errorf("%s: %d values, want %d", name, all[name], want)
		}
	}
	for _, name := range []string{"relay_build_info", "relay_failover_gap_seconds", "go_goroutines", "process_start_time_seconds", "relay_channels"} {
		if all[name] != 1 {
			t.Errorf("%s: %d values, want 1", name, all[name])
		}
	}
}

func descName(d *prometheus.Desc) string {
	_, rest, _ := strings.Cut(d.String(), `fqName: "`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}

func TestLabelsAreBounded(t *testing.T) {
	allowed := map[string]bool{"channel": true, "direction": true, "reason": true, "version": true, "goversion": true}
	families, err := busy(t).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "relay_") {
			continue
		}
		for _, metric := range f.GetMetric() {
			for _, l := range metric.GetLabel() {
				if !allowed[l.GetName()] {
					t.Errorf("%s has a label %s", f.GetName(), l.GetName())
				}
			}
		}
	}
}

func TestChannelThatIsClosedIsForgotten(t *testing.T) {
	m := busy(t)
	m.ParentChanged("other234", "closed", time.Second, true)
	m.Forget("abcdefgh")
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			for _, l := range metric.GetLabel() {
				switch f.GetName() {
				case "relay_parent_changes_total", "relay_failover_gap_seconds", "relay_children_left_total", "relay_refused_children_total":
					if l.GetValue() == "abcdefgh" {
						t.Errorf("%s still tells of it", f.GetName())
					}
					if l.GetValue() == "other234" {
						kept++
					}
				}
			}
		}
	}
	if kept != 2 {
		t.Errorf("%d metrics of the other channel are left, want 2", kept)
	}
}
