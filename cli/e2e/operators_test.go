//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"relay/playback/api"
)

// metricsAt returns the address of a node's listener for its operator, as http://HOST:PORT.
func metricsAt(t *testing.T, p *process) string {
	t.Helper()
	return p.find(t, &p.err, `(?m)^Metrics +(http://\S+)/metrics$`)
}

// fetch returns the answer at an address.
func fetch(address string) (status int, text string, err error) {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get(address)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// readiness waits until a node reports readiness with the given status and words.
func readiness(t *testing.T, admin string, status int, says string) {
	t.Helper()
	eventually(t, fmt.Sprintf("readiness at %s is %d", admin, status), func() error {
		got, text, err := fetch(admin + "/readyz")
		if err == nil && (got != status || !strings.Contains(text, says)) {
			err = fmt.Errorf("it is %d %q", got, text)
		}
		return err
	})
}

// metric returns the sum of a metric's values whose labels match, and how many there
// are.
func metric(t *testing.T, admin, name, labels string) (sum float64, n int) {
	t.Helper()
	status, text, err := fetch(admin + "/metrics")
	if err != nil || status != http.StatusOK {
		t.Fatalf("metrics at %s: %d, %v", admin, status, err)
	}
	for _, m := range regexp.MustCompile(`(?m)^`+name+`(\{[^}]*\})? (\S+)$`).FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile(labels).MatchString(m[1]) {
			continue
		}
		v, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += v
		n++
	}
	return sum, n
}

// listener follows the events at an address.
type listener struct {
	mu  sync.Mutex
	all []api.Event
	raw strings.Builder
}

// listen follows events, from the oldest that the node still holds, until the test ends.
func listen(t *testing.T, address string) *listener {
	t.Helper()
	resp, err := http.Get(address + "/api/v1/events?since=0")
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("events at %s: %s", address, resp.Status)
	}
	l := &listener{}
	var wg sync.WaitGroup
	wg.Go(func() { // ends with the answer's body
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			var e api.Event
			err := json.Unmarshal([]byte(data), &e)
			l.mu.Lock()
			if err == nil {
				l.all = append(l.all, e)
			}
			fmt.Fprintln(&l.raw, data)
			l.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		resp.Body.Close()
		wg.Wait()
		if t.Failed() {
			t.Logf("events at %s:\n%s", address, l.raw.String())
		}
	})
	return l
}

// hears waits for an event.
func (l *listener) hears(t *testing.T, what string, is func(api.Event) bool) (found api.Event) {
	t.Helper()
	eventually(t, what, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, e := range l.all {
			if is(e) {
				found = e
				return nil
			}
		}
		return fmt.Errorf("not among %d events", len(l.all))
	})
	return found
}

func (l *listener) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.raw.String()
}

func encoderHas(state string) func(api.Event) bool {
	return func(e api.Event) bool { return e.Type == api.EventPublish && e.State == state }
}

func seen(name api.SituationName) func(api.Event) bool {
	return func(e api.Event) bool { return e.Type == api.EventSituation && e.Situation.Name == name }
}

// TestOperatorsSeeWhatHappens follows a stream from its first byte to its end in metrics,
// readiness and events. On the way it kills a parent.
func TestOperatorsSeeWhatHappens(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source("--admin", loopback)
	root := metricsAt(t, src.process)
	readiness(t, root, http.StatusServiceUnavailable, "no media yet, no encoder has sent any")
	atRoot := listen(t, root)
	enc := encode(t, src.rtmp, forEver, picture360, tone, h264, aac)
	readiness(t, root, http.StatusOK, "live")
	atRoot.hears(t, "the encoder starts", encoderHas("started"))
	atRoot.hears(t, "the codec is told", func(e api.Event) bool {
		return e.Type == api.EventCodec && e.Codec.Video == "h264" && e.Codec.Width == 640
	})

	var all []*watcher
	for range 3 { // the source takes two children: the third has a watcher above it
		all = append(all, w.watch(src.link, "--admin", loopback))
	}
	f := familyOf(t, all)
	var low, above *watcher
	for _, v := range all {
		if f.status[v].Depth == 2 {
			low = v
		}
	}
	for _, v := range all {
		if low != nil && f.ids[v] == f.status[low].Parent.ID {
			above = v
		}
	}
	if above == nil {
		t.Fatalf("no watcher has another above it: depth %d", f.depth())
	}
	atRoot.hears(t, "a child joins the source", func(e api.Event) bool {
		return e.Type == api.EventJoined && e.Who == "child" && e.NodeID == f.ids[above] && e.Addr != ""
	})
	admin := metricsAt(t, low.process)
	readiness(t, admin, http.StatusOK, "live")
	public := listen(t, strings.TrimSuffix(low.url, "/"+low.url[strings.LastIndex(low.url, "/")+1:]))
	public.hears(t, "the first parent", func(e api.Event) bool { return e.Type == api.EventParent && e.Reason == "none" })
	viewer := play(t, "viewer", low.url)
	viewer.firstKey(t)
	public.hears(t, "a viewer joins", func(e api.Event) bool { return e.Type == api.EventJoined && e.Who == "viewer" })

	above.kill()
	e := public.hears(t, "the parent changes", func(e api.Event) bool {
		return e.Type == api.EventParent && e.Reason != "none"
	})
	alive := []string{f.status[low].Path[0]} // the source takes it once it has noticed, and until then another watcher may
	for _, v := range all {
		if v != low && v != above {
			alive = append(alive, f.ids[v])
		}
	}
	if e.GapMs == nil || e.Reason != "closed" && e.Reason != "silent" || !slices.ContainsFunc(alive, func(id string) bool { return strings.HasPrefix(id, e.Node) }) {
		t.Errorf("the change of parents is %+v", e)
	} else {
		t.Logf("the parent was killed: %s, %d ms without a chunk", e.Reason, *e.GapMs)
	}
	atRoot.hears(t, "a child is gone", func(e api.Event) bool {
		return e.Type == api.EventLeft && e.Who == "child" && e.NodeID == f.ids[above]
	})
	for _, secret := range []string{"127.0.0.1", f.status[low].Path[0], f.ids[above]} {
		if strings.Contains(public.text(), secret) {
			t.Errorf("who may only watch is told %q", secret)
		}
	}

	for _, c := range []struct {
		at, name, labels string
		least, most      float64
	}{
		{root, "relay_live", "", 1, 1},
		{root, "relay_children", "", 1, 2},
		{root, "relay_upload_bytes_total", "", 100_000, 1e12},
		{root, "relay_media_bytes_total", `"in"`, 100_000, 1e12},
		{root, "relay_children_left_total", "", 1, 10},
		{admin, "relay_viewers", "", 1, 1},
		{admin, "relay_depth", "", 1, 2},
		{admin, "relay_parent_changes_total", `reason="none"`, 1, 1},
		{admin, "relay_parent_changes_total", `reason="(closed|silent)"`, 1, 5},
		{admin, "relay_failover_gap_seconds_count", "", 1, 5},
		{admin, "relay_failover_gap_seconds_sum", "", 0, 5},
		{admin, "relay_chunks_received_total", "", 10, 1e9},
		{admin, "relay_chunks_lost_total", "", 0, 0},
		{admin, "relay_ring_seconds", "", 0.1, 600},
		{admin, "relay_build_info", `version="`, 1, 1},
		{admin, "go_goroutines", "", 1, 1e4},
	} {
		eventually(t, c.name+c.labels, func() error { // figures and events come in no particular order
			sum, n := metric(t, c.at, c.name, c.labels)
			if n == 0 || sum < c.least || sum > c.most {
				return fmt.Errorf("it is %v of %d values, want %v to %v", sum, n, c.least, c.most)
			}
			return nil
		})
	}

	stopped := time.Now()
	enc.kill()
	readiness(t, admin, http.StatusServiceUnavailable, "no media for")
	if took := time.Since(stopped); took < 4*time.Second || took > 7*time.Second {
		t.Errorf("readiness ended %v after the encoder, want about 5 s", took)
	} else {
		t.Logf("readiness ended %v after the encoder", took)
	}
	readiness(t, root, http.StatusServiceUnavailable, "the encoder has stopped")
	atRoot.hears(t, "the encoder stops", encoderHas("stopped"))
	atRoot.hears(t, "what a viewer sees there", seen(api.Paused))
	public.hears(t, "what a viewer sees", seen(api.Paused))
	if code := stop(t, low.process); code != 130 {
		t.Errorf("a watcher whose events are followed ends with %d", code)
	}
}

// stop sends Ctrl-C and returns the exit code.
func stop(t *testing.T, p *process) int {
	t.Helper()
	p.interrupt(t)
	return p.cmd.ProcessState.ExitCode()
}

// TestServeCarriesWhatTheListNames runs relay serve on a list that changes and names two
// channels, with a player at one of them.
func TestServeCarriesWhatTheListNames(t *testing.T) {
	waiting.Take(t)
	one, two := newWorld(t), newWorld(t)
	first := one.sourceOf("../../testdata/flv/video.flv", "--loop", "--admin", "off")
	second := two.sourceOf("../../testdata/flv/video.flv", "--loop", "--admin", "off")
	first.ready(t)
	second.ready(t)
	w := newWorld(t)
	list := w.path("channels")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("stage one " + first.link + "\n")
	node := start(t, "serve", relayBin, "serve", "--list", list, "--listen", loopback, "--http", loopback, "--admin", loopback, "--config", w.config)
	players := strings.TrimSuffix(node.find(t, &node.out, `(?m)^(http://\S+/)$`), "/")
	admin := metricsAt(t, node)
	carries := func(what string, channels int, links ...string) {
		t.Helper()
		eventually(t, what, func() error {
			_, text, err := fetch(players + "/api/v1/channels")
			if err != nil {
				return err
			}
			var got api.Channels
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				return err
			}
			if len(got.Channels) != channels {
				return fmt.Errorf("%d channels", len(got.Channels))
			}
			for _, link := range links {
				found := false
				for _, c := range got.Channels {
					found = found || strings.Contains(link, c.ID) && c.State == api.Live && c.Depth == 1
				}
				if !found {
					return fmt.Errorf("%s is not live in %s", link, text)
				}
			}
			return nil
		})
	}
	carries("it carries the first", 1, first.link)
	readiness(t, admin, http.StatusOK, "live")

	write("stage one " + first.link + "\n" + second.link + " # stage two\n")
	node.signal(t, syscall.SIGHUP)
	carries("it carries both", 2, first.link, second.link)
	viewer := play(t, "viewer", players+second.url[strings.LastIndex(second.url, "/"):])
	viewer.firstKey(t)

	// Neither a broken list nor a source that dies ends the other channels.
	write("<html>Please log in</html>\n")
	node.signal(t, syscall.SIGHUP)
	node.find(t, &node.err, `(?m)^relay: (error: read the list of channels: it names no channel: line 1: .*)$`)
	first.kill()
	carries("it still carries the second", 2, second.link)

	write("stage two " + second.link + "\n")
	node.signal(t, syscall.SIGHUP)
	node.find(t, &node.err, `(?m)^Channel (stage one .*) is no longer on the list$`)
	carries("it carries the second alone", 1, second.link)
	if n, _ := metric(t, admin, "relay_channels", ""); n != 1 {
		t.Errorf("%v channels are counted", n)
	}
	viewer.open(t)
	if code := stop(t, node); code != 130 {
		t.Errorf("it ends with %d", code)
	}
}
