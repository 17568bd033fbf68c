package admin

import (
	"io"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	vm "github.com/VictoriaMetrics/metrics"

	"relay/playback/api"
)

// Metrics are a node's metrics. Calls count what happens; each scrape reads how things are.
// It is safe for concurrent use.
type Metrics struct {
	version string

	mu     sync.Mutex // guards what follows
	gaps   gaps
	turns  counts // of parents
	left   counts
	turned counts

	// Set by Watch.
	channels func() []api.ChannelStatus
	refused  func() map[string]map[string]uint64
}

// NewMetrics returns the metrics of a node of that version of the program.
func NewMetrics(version string) *Metrics {
	vm.ExposeMetadata(true)
	return &Metrics{
		version: version,
		turns:   counts{family: family{"relay_parent_changes_total", counter, "Times the stream began to come from another parent; reason none is the first one."}},
		gaps:    gaps{family: family{"relay_failover_gap_seconds", histogram, "How long no chunk came while the parent changed."}},
		left:    counts{family: family{"relay_children_left_total", counter, "Children that no longer take the stream here."}},
		turned:  counts{family: family{"relay_refused_children_total", counter, "Nodes without a parent that found no slot here."}},
	}
}

// ParentChanged counts a change of parents. gap is how long no chunk came; known is
// false for the first parent, since no chunk came before it.
func (m *Metrics) ParentChanged(channel, reason string, gap time.Duration, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turns.add(channel, reason)
	if known {
		m.gaps.add(channel, gap)
	}
}

// ChildLeft counts a child that has left.
func (m *Metrics) ChildLeft(channel, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left.add(channel, reason)
}

// ChildRefused counts a node that found no slot.
func (m *Metrics) ChildRefused(channel, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turned.add(channel, reason)
}

// Forget drops what was counted for a channel that is closed.
func (m *Metrics) Forget(channel string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turns.forget(channel)
	m.gaps.forget(channel)
	m.left.forget(channel)
	m.turned.forget(channel)
}

// Watch adds the metrics that each scrape reads from channels and refused, which returns counts by
// listener and reason. Call it once, before the first scrape.
func (m *Metrics) Watch(channels func() []api.ChannelStatus, refused func() map[string]map[string]uint64) {
	m.channels, m.refused = channels, refused
}

// write writes all metrics, the process's among them.
func (m *Metrics) write(w io.Writer) error {
	var e exposition
	e.add(build, 1, labelled("version", m.version, "goversion", runtime.Version()))
	m.mu.Lock()
	m.turns.write(&e)
	m.gaps.write(&e)
	m.left.write(&e)
	m.turned.write(&e)
	m.mu.Unlock()
	if m.channels != nil {
		writeRefused(&e, m.refused())
		writeChannels(&e, m.channels())
	}
	vm.WriteProcessMetrics(&e)
	vm.WriteFDMetrics(&e)
	_, err := w.Write(e.Bytes())
	return err
}

func writeRefused(e *exposition, refused map[string]map[string]uint64) {
	each := func(f family, at string, l ...string) {
		for _, reason := range slices.Sorted(maps.Keys(refused[at])) {
			e.add(f, float64(refused[at][reason]), labelled(append(l, "reason", reason)...))
		}
	}
	each(refusedViewers, "http")
	each(refusedRTMP, "rtmp")
	for _, at := range slices.Sorted(maps.Keys(refused)) {
		if at != "http" && at != "rtmp" {
			each(refusedStrangers, at, "at", at)
		}
	}
}

func writeChannels(e *exposition, all []api.ChannelStatus) {
	e.add(openChannels, float64(len(all)), "")
	// Two channels with the same short ID would make the scrape fail: the first one counts.
	seen := make(map[string]bool, len(all))
	all = slices.DeleteFunc(slices.Clone(all), func(c api.ChannelStatus) bool {
		before := seen[c.Name]
		seen[c.Name] = true
		return before
	})
	for _, c := range all {
		e.add(mediaBytes, float64(c.Chunks.Bytes), labelled("channel", c.Name, "direction", "in"))
		e.add(mediaBytes, float64(c.Sent.Children+c.Sent.Viewers), labelled("channel", c.Name, "direction", "out"))
	}
	for _, c := range all {
		if !c.Came.IsZero() {
			e.add(age, max(0, time.Since(c.Came).Seconds()), labelled("channel", c.Name))
		}
	}
	for _, k := range kinds {
		for _, c := range all {
			e.add(k.family, k.value(c), labelled("channel", c.Name))
		}
	}
}

var (
	build            = family{"relay_build_info", gauge, "The program; always 1."}
	mediaBytes       = family{"relay_media_bytes_total", counter, "Media that came in, and that went out to children and viewers."}
	refusedViewers   = family{"relay_refused_viewers_total", counter, "Requests of players that were turned away, and connections to their port that were cut."}
	refusedRTMP      = family{"relay_refused_rtmp_total", counter, "Connections to the RTMP port that were turned away."}
	refusedStrangers = family{"relay_refused_strangers_total", counter, "What strangers, and others on their word, did not get: connections (link), dials (dial), gossip, discovery and look-ups by ID (dht)."}
	openChannels     = family{"relay_channels", gauge, "Channels that are open at this node."}
	age              = family{"relay_media_age_seconds", gauge, "Time since the newest chunk came; none before the first."}
)

// kind is a metric that is read from a channel's status.
type kind struct {
	family
	value func(api.ChannelStatus) float64
}

var kinds = []kind{
	{family{"relay_upload_bytes_total", counter, "Media sent to children."}, func(c api.ChannelStatus) float64 { return float64(c.Sent.Children) }},
	{family{"relay_chunks_received_total", counter, "Chunks that came."}, func(c api.ChannelStatus) float64 { return float64(c.Chunks.Received) }},
	{family{"relay_chunks_lost_total", counter, "Chunks that never came."}, func(c api.ChannelStatus) float64 { return float64(c.Chunks.Lost) }},
	{family{"relay_chunks_duplicate_total", counter, "Chunks that came again, and were dropped."}, func(c api.ChannelStatus) float64 { return float64(c.Chunks.Duplicate) }},
	{family{"relay_media_rate_bytes_per_second", gauge, "Rate of the media over the last seconds."}, func(c api.ChannelStatus) float64 { return float64(c.BitRate) / 8 }},
	{family{"relay_live", gauge, "Whether media came within the last 5 seconds."}, func(c api.ChannelStatus) float64 { return truth(api.Fresh(c.Came, time.Now())) }},
	{family{"relay_attached", gauge, "Whether there is a parent; always 1 at the source."}, func(c api.ChannelStatus) float64 { return truth(c.Attached) }},
	{family{"relay_depth", gauge, "Links between this node and the source."}, func(c api.ChannelStatus) float64 { return float64(c.Depth) }},
	{family{"relay_delay_seconds", gauge, "Delay behind the source."}, func(c api.ChannelStatus) float64 { return seconds(c.DelayMs) }},
	{family{"relay_slots", gauge, "Children there may be."}, func(c api.ChannelStatus) float64 { return float64(c.Slots) }},
	{family{"relay_children", gauge, "Nodes that take the stream here."}, func(c api.ChannelStatus) float64 { return float64(len(c.Children)) }},
	{family{"relay_viewers", gauge, "Players that are connected."}, func(c api.ChannelStatus) float64 { return float64(c.ViewerCount) }},
	{family{"relay_ring_bytes", gauge, "Memory held for readers."}, func(c api.ChannelStatus) float64 { return float64(c.Ring.Bytes) }},
	{family{"relay_ring_chunks", gauge, "Chunks held for readers."}, func(c api.ChannelStatus) float64 { return float64(c.Ring.Held) }},
	{family{"relay_ring_seconds", gauge, "Media held for readers."}, func(c api.ChannelStatus) float64 { return seconds(c.Ring.SpanMs) }},
}

// seconds converts milliseconds.
func seconds(ms int64) float64 { return float64(ms) / 1000 }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
