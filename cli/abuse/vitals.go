package abuse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"relay/cli/abuse/hostile"
)

const (
	// lookEvery is how often the node's vitals are read.
	lookEvery = 250 * time.Millisecond
	// lookMost bounds one look: a node that takes longer hangs.
	lookMost = 10 * time.Second
	// metricsMost bounds what is read of its metrics, in bytes.
	metricsMost = 4 << 20
)

// vitals are how a node is doing inside, as far as it can be seen.
type vitals struct {
	started    float64 // Unix seconds; another one is another process
	goroutines float64
	fds        float64
	rss        float64 // bytes, without the chunks that it holds for readers
	refused    map[string]float64
	lost       float64 // chunks that did not come to the node
}

// look reads a node's vitals from its metrics, or from the system's account of its process.
func (t Target) look(ctx context.Context) (v vitals, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookMost)
	defer cancel()
	switch {
	case t.Admin.IsValid():
		return t.scrape(ctx)
	case t.PID != 0:
		return account(t.PID)
	}
	return v, errNoVitals
}

var errNoVitals = errors.New("neither --admin nor --pid tells how the node is doing")

func (t Target) scrape(ctx context.Context) (v vitals, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.Admin.String()+"/metrics", nil)
	if err != nil {
		return v, err
	}
	resp, err := direct.Do(req)
	if err != nil {
		return v, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return v, fmt.Errorf("metrics: %s", resp.Status)
	}
	return parseVitals(io.LimitReader(resp.Body, metricsMost))
}

// direct asks without a proxy, and keeps no connection that the node would have to count.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// parseVitals reads metrics in Prometheus' text format. Every counter whose name says that something
// was refused counts refusals.
func parseVitals(r io.Reader) (vitals, error) {
	v := vitals{refused: make(map[string]float64)}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		series, value, _ := strings.Cut(lines.Text(), "} ")
		if value == "" {
			series, value, _ = strings.Cut(lines.Text(), " ")
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			continue // a comment
		}
		name, labels, _ := strings.Cut(series, "{")
		switch {
		case name == "process_start_time_seconds":
			v.started = n
		case name == "go_goroutines":
			v.goroutines = n
		case name == "process_open_fds":
			v.fds = n
		case name == "process_resident_memory_bytes":
			v.rss += n
		case name == "relay_ring_bytes":
			v.rss -= 2 * n // the collector lets as much stand that is not needed any more
		case name == "relay_chunks_lost_total":
			v.lost += n
		case strings.HasPrefix(name, "relay_") && strings.Contains(name, "refused"):
			v.refused[name+"{"+labels] = n
		}
	}
	if v.started == 0 && lines.Err() == nil {
		return v, errors.New("these are no metrics of a relay")
	}
	return v, lines.Err()
}

// account reads a process's vitals from /proc.
func account(pid int) (v vitals, err error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	b, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return v, err
	}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		n, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		switch name {
		case "VmRSS":
			v.rss = n * 1024
		case "State":
			if strings.HasPrefix(strings.TrimSpace(value), "Z") {
				return v, errors.New("the process has ended")
			}
		}
	}
	open, err := os.ReadDir(filepath.Join(dir, "fd"))
	v.fds = float64(len(open))
	return v, err
}

// monitor looks at a node all the time.
type monitor struct {
	target Target

	mu     sync.Mutex
	before vitals
	peak   float64 // of rss
	last   vitals
	broken error // it has crashed, or hangs
}

// run looks until ctx ends.
func (m *monitor) run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		v, err := m.target.look(ctx)
		if ctx.Err() != nil {
			return
		}
		m.mu.Lock()
		switch {
		case err != nil && m.broken == nil:
			m.broken = fmt.Errorf("it does not tell any more how it is doing: %w", err)
		case err == nil && v.started != m.before.started:
			m.broken = errors.New("it has crashed, and was started again")
		case err == nil:
			m.last, m.peak = v, max(m.peak, v.rss)
		}
		m.mu.Unlock()
	}
}

// refusals is what was refused since some counts were read, by series.
func (v vitals) refusals(since map[string]float64) map[string]float64 {
	all := maps.Clone(v.refused)
	for k, n := range since {
		all[k] -= n
	}
	maps.DeleteFunc(all, func(_ string, n float64) bool { return n <= 0 })
	return all
}

// refusalsAt is how much was refused at a port since some counts were read.
func (v vitals) refusalsAt(p hostile.Port, since map[string]float64) (n float64) {
	for series, k := range v.refusals(since) {
		if counted(p, series) {
			n += k
		}
	}
	return n
}

// counted says whether a series is of a port: by words in its name and labels.
func counted(p hostile.Port, series string) bool {
	words := map[hostile.Port][]string{
		hostile.RTMP: {"rtmp"}, hostile.Media: {"rtmp"}, hostile.SRT: {"srt"}, hostile.HTTP: {"viewers", "http", "browser"},
		hostile.TLS: {"link", "door"}, hostile.Link: {"link", "door"}, hostile.Stream: {"link", "door", "gossip"},
		hostile.Gossip: {"gossip"}, hostile.Discovery: {"discovery"}, hostile.PeerCast: {"peercast"}, hostile.RTSP: {"rtsp"},
		hostile.WHIP: {"whip"}, hostile.WHIPMedia: {"whip"},
		hostile.TV: {`"tv"`}, hostile.SSDP: {`"tv"`},
	}[p]
	for _, w := range words {
		if strings.Contains(series, w) {
			return true
		}
	}
	return false
}
