package admin

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

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
		return map[string]map[string]uint64{"http": {"full": 7, "slow": 0}, "rtmp": {"crowd": 3}, "link": {"fed": 1}, "gossip": {"fed": 2}}
	})
	m.ParentChanged("abcdefgh", "none", 0, false)
	m.ParentChanged("abcdefgh", "silent", 120*time.Millisecond, true)
	m.ChildLeft("abcdefgh", "closed")
	m.ChildRefused("abcdefgh", "full")
	return m
}

// text is what a scrape of m is answered.
func text(t *testing.T, m *Metrics) string {
	t.Helper()
	var b bytes.Buffer
	if err := m.write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// families is how Prometheus reads that.
func families(t *testing.T, m *Metrics) map[string]*dto.MetricFamily {
	t.Helper()
	p := expfmt.NewTextParser(model.UTF8Validation)
	all, err := p.TextToMetricFamilies(strings.NewReader(text(t, m)))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestMetricsFollowTheNamingRules(t *testing.T) {
	problems, err := promlint.New(strings.NewReader(text(t, busy(t)))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		// The library names those of the process.
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
relay_refused_strangers_total{at="gossip",reason="fed"} 2
relay_refused_strangers_total{at="link",reason="fed"} 1
`
	said := text(t, m)
	for line := range strings.Lines(want[1:]) {
		if !strings.Contains("\n"+said, "\n"+line) {
			t.Errorf("not told: %s", line)
		}
		if name, ok := strings.CutPrefix(line, "# HELP "); ok && strings.Count(said, line) != 1 {
			t.Errorf("the values of %s are not together", name)
		}
	}
	if got, want := strings.Count(said, "\nrelay_refused_"), 6; got != want {
		t.Errorf("%d values of what was refused, want %d", got, want)
	}
	all := map[string]int{}
	for name, f := range families(t, m) {
		all[name] = len(f.GetMetric())
	}
	for _, k := range kinds {
		if all[k.name] != 2 {
			t.Errorf("%s: %d values, want 2", k.name, all[k.name])
		}
	}
	for _, name := range []string{
		"relay_build_info", "relay_failover_gap_seconds", "go_goroutines", "process_start_time_seconds", "relay_channels",
		"relay_media_age_seconds", // nothing has come to the other
	} {
		if all[name] != 1 {
			t.Errorf("%s: %d values, want 1", name, all[name])
		}
	}
}

// TestGapsAreSpread has gaps at a bucket's bound, beyond the last one, and in between.
func TestGapsAreSpread(t *testing.T) {
	m := NewMetrics("")
	for _, gap := range []time.Duration{10 * time.Millisecond, 10*time.Millisecond + 1, time.Minute} {
		m.ParentChanged("a", "silent", gap, true)
	}
	h := families(t, m)["relay_failover_gap_seconds"].GetMetric()[0].GetHistogram()
	if h.GetSampleCount() != 3 || h.GetSampleSum() < 60.02 || h.GetSampleSum() > 60.0201 {
		t.Errorf("%d gaps of %v s in all", h.GetSampleCount(), h.GetSampleSum())
	}
	var got []uint64
	for _, b := range h.GetBucket() {
		got = append(got, b.GetCumulativeCount())
	}
	if want := []uint64{1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("up to each bound %v, want %v", got, want)
	}
}

// TestLabelsAreEscaped has values that would end the line or the label, were they written as they are.
func TestLabelsAreEscaped(t *testing.T) {
	m := NewMetrics("")
	const odd = "a\"} 9\nrelay_x 1 \\ \xff"
	m.ChildLeft(odd, "closed")
	all := families(t, m)
	if all["relay_x"] != nil {
		t.Error("a label made a metric")
	}
	got := all["relay_children_left_total"].GetMetric()[0].GetLabel()[0].GetValue()
	if want := strings.ToValidUTF8(odd, "\ufffd"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLabelsAreBounded(t *testing.T) {
	allowed := map[string]bool{"channel": true, "direction": true, "reason": true, "version": true, "goversion": true, "at": true, "le": true}
	for f := range maps.Values(families(t, busy(t))) {
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
	kept := 0
	for f := range maps.Values(families(t, m)) {
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
