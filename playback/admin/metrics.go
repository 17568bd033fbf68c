package admin

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"relay/playback/api"
)

// gapBuckets are in seconds: a backup takes over within 0.2, a search takes seconds.
var gapBuckets = []float64{.01, .025, .05, .1, .15, .2, .3, .5, 1, 2.5, 5, 10, 30}

// Metrics are a node's metrics. Calls count what happens; each scrape reads how things are.
// It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	parents  *prometheus.CounterVec
	gaps     *prometheus.HistogramVec
	left     *prometheus.CounterVec
	turned   *prometheus.CounterVec
	byReason []*prometheus.CounterVec
}

// NewMetrics returns the metrics of a node of that version of the program.
func NewMetrics(version string) *Metrics {
	channel, reason := []string{"channel"}, []string{"channel", "reason"}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		parents: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_parent_changes_total", Help: "Times the stream began to come from another parent; reason none is the first one.",
		}, reason),
		gaps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "relay_failover_gap_seconds", Help: "How long no chunk came while the parent changed.", Buckets: gapBuckets,
		}, channel),
		left: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_children_left_total", Help: "Children that no longer take the stream here.",
		}, reason),
		turned: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "relay_refused_children_total", Help: "Nodes without a parent that found no slot here.",
		}, reason),
	}
	m.byReason = []*prometheus.CounterVec{m.parents, m.left, m.turned}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "relay_build_info", Help: "The program; always 1.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.parents, m.gaps, m.left, m.turned, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// ParentChanged counts a change of parents. gap is how long no chunk came; known is
// false for the first parent, since no chunk came before it.
func (m *Metrics) ParentChanged(channel, reason string, gap time.Duration, known bool) {
	m.parents.WithLabelValues(channel, reason).Inc()
	if known {
		m.gaps.WithLabelValues(channel).Observe(gap.Seconds())
	}
}

// ChildLeft counts a child that has left.
func (m *Metrics) ChildLeft(channel, reason string) { m.left.WithLabelValues(channel, reason).Inc() }

// ChildRefused counts a node that found no slot.
func (m *Metrics) ChildRefused(channel, reason string) {
	m.turned.WithLabelValues(channel, reason).Inc()
}

// Forget drops what was counted for a channel that is closed.
func (m *Metrics) Forget(channel string) {
	of := prometheus.Labels{"channel": channel}
	for _, v := range m.byReason {
		v.DeletePartialMatch(of)
	}
	m.gaps.DeletePartialMatch(of)
}

// Watch adds the metrics that each scrape reads from channels and refused, which returns counts by
// listener and reason. Call it once.
func (m *Metrics) Watch(channels func() []api.ChannelStatus, refused func() map[string]map[string]uint64) {
	m.registry.MustRegister(&gauges{channels, refused})
}

// gauges reads the channels' status at each scrape.
type gauges struct {
	channels func() []api.ChannelStatus
	refused  func() map[string]map[string]uint64
}

// kind is a metric that is read from a channel's status.
type kind struct {
	desc  *prometheus.Desc
	typ   prometheus.ValueType
	value func(api.ChannelStatus) float64
}

func perChannel(typ prometheus.ValueType, name, help string, value func(api.ChannelStatus) float64) kind {
	return kind{prometheus.NewDesc(name, help, []string{"channel"}, nil), typ, value}
}

const (
	gauge   = prometheus.GaugeValue
	counter = prometheus.CounterValue
)

var kinds = []kind{
	perChannel(counter, "relay_upload_bytes_total", "Media sent to children.", func(c api.ChannelStatus) float64 { return float64(c.Sent.Children) }),
	perChannel(counter, "relay_chunks_received_total", "Chunks that came.", func(c api.ChannelStatus) float64 { return float64(c.Chunks.Received) }),
	perChannel(counter, "relay_chunks_lost_total", "Chunks that never came.", func(c api.ChannelStatus) float64 { return float64(c.Chunks.Lost) }),
	perChannel(counter, "relay_chunks_duplicate_total", "Chunks that came again, and were dropped.", func(c api.ChannelStatus) float64 { return float64(c.Chunks.Duplicate) }),
	perChannel(gauge, "relay_media_rate_bytes_per_second", "Rate of the media over the last seconds.", func(c api.ChannelStatus) float64 { return float64(c.BitRate) / 8 }),
	perChannel(gauge, "relay_media_age_seconds", "Time since the newest chunk came; none before the first.", nil),
	perChannel(gauge, "relay_live", "Whether media came within the last 5 seconds.", func(c api.ChannelStatus) float64 { return truth(api.Fresh(c.Came, time.Now())) }),
	perChannel(gauge, "relay_attached", "Whether there is a parent; always 1 at the source.", func(c api.ChannelStatus) float64 { return truth(c.Attached) }),
	perChannel(gauge, "relay_depth", "Links between this node and the source.", func(c api.ChannelStatus) float64 { return float64(c.Depth) }),
	perChannel(gauge, "relay_delay_seconds", "Delay behind the source.", func(c api.ChannelStatus) float64 { return seconds(c.DelayMs) }),
	perChannel(gauge, "relay_slots", "Children there may be.", func(c api.ChannelStatus) float64 { return float64(c.Slots) }),
	perChannel(gauge, "relay_children", "Nodes that take the stream here.", func(c api.ChannelStatus) float64 { return float64(len(c.Children)) }),
	perChannel(gauge, "relay_viewers", "Players that are connected.", func(c api.ChannelStatus) float64 { return float64(c.ViewerCount) }),
	perChannel(gauge, "relay_ring_bytes", "Memory held for readers.", func(c api.ChannelStatus) float64 { return float64(c.Ring.Bytes) }),
	perChannel(gauge, "relay_ring_chunks", "Chunks held for readers.", func(c api.ChannelStatus) float64 { return float64(c.Ring.Held) }),
	perChannel(gauge, "relay_ring_seconds", "Media held for readers.", func(c api.ChannelStatus) float64 { return seconds(c.Ring.SpanMs) }),
}

var (
	mediaBytes = prometheus.NewDesc("relay_media_bytes_total",
		"Media that came in, and that went out to children and viewers.", []string{"channel", "direction"}, nil)
	refusedViewers = prometheus.NewDesc("relay_refused_viewers_total",
		"Requests of players that were turned away, and connections to their port that were cut.", []string{"reason"}, nil)
	refusedRTMP = prometheus.NewDesc("relay_refused_rtmp_total",
		"Connections to the RTMP port that were turned away.", []string{"reason"}, nil)
	refusedStrangers = prometheus.NewDesc("relay_refused_strangers_total",
		"What strangers, and others on their word, did not get: connections (link), dials (dial), gossip and discovery.", []string{"at", "reason"}, nil)
	openChannels = prometheus.NewDesc("relay_channels", "Channels that are open at this node.", nil, nil)
)

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, k := range kinds {
		ch <- k.desc
	}
	ch <- mediaBytes
	ch <- refusedViewers
	ch <- refusedRTMP
	ch <- refusedStrangers
	ch <- openChannels
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	all := g.channels()
	ch <- prometheus.MustNewConstMetric(openChannels, gauge, float64(len(all)))
	for at, of := range g.refused() {
		for reason, n := range of {
			switch n := float64(n); at {
			case "http":
				ch <- prometheus.MustNewConstMetric(refusedViewers, counter, n, reason)
			case "rtmp":
				ch <- prometheus.MustNewConstMetric(refusedRTMP, counter, n, reason)
			default:
				ch <- prometheus.MustNewConstMetric(refusedStrangers, counter, n, at, reason)
			}
		}
	}
	now := time.Now()
	seen := make(map[string]bool, len(all))
	for _, c := range all {
		if seen[c.Name] { // two channels with the same short ID would make the scrape fail
			continue
		}
		seen[c.Name] = true
		ch <- prometheus.MustNewConstMetric(mediaBytes, counter, float64(c.Chunks.Bytes), c.Name, "in")
		ch <- prometheus.MustNewConstMetric(mediaBytes, counter, float64(c.Sent.Children+c.Sent.Viewers), c.Name, "out")
		for _, k := range kinds {
			switch {
			case k.value != nil:
				ch <- prometheus.MustNewConstMetric(k.desc, k.typ, k.value(c), c.Name)
			case !c.Came.IsZero():
				ch <- prometheus.MustNewConstMetric(k.desc, k.typ, max(0, now.Sub(c.Came).Seconds()), c.Name)
			}
		}
	}
}

// seconds converts milliseconds.
func seconds(ms int64) float64 { return float64(ms) / 1000 }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
