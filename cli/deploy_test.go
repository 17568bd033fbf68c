package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"relay/cli/term"
	"relay/playback/admin"
	"relay/playback/api"
)

// metricNames returns the names of all metrics that a node can export, including the parts of
// histograms.
func metricNames(t *testing.T) map[string]bool {
	t.Helper()
	m := admin.NewMetrics(Version)
	m.Watch(func() []api.ChannelStatus {
		return []api.ChannelStatus{{Channel: api.Channel{Name: "a"}, Came: time.Now()}}
	}, func() map[string]map[string]uint64 {
		return map[string]map[string]uint64{"http": {"full": 0}, "rtmp": {"crowd": 0}}
	})
	m.ParentChanged("a", "silent", time.Second, true)
	m.ChildLeft("a", "closed")
	m.ChildRefused("a", "full")
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Host = "localhost"
	w := httptest.NewRecorder()
	admin.NewServer(admin.Config{Metrics: m, API: http.NotFoundHandler()}).Handler().ServeHTTP(w, r)
	names := map[string]bool{}
	for line := range strings.Lines(w.Body.String()) {
		if name := regexp.MustCompile(`^[a-z_0-9]+`).FindString(line); name != "" {
			names[name] = true
		}
	}
	if len(names) < 30 {
		t.Fatalf("only %d metrics", len(names))
	}
	return names
}

func TestDashboardAsksOnlyForMetricsThatThereAre(t *testing.T) {
	text, err := os.ReadFile("deploy/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	names := metricNames(t)
	metric := regexp.MustCompile(`\b(?:relay|process|go)_[a-z_0-9]+`)
	asked := map[string]bool{}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			found := metric.FindAllString(target.Expr, -1)
			if len(found) == 0 {
				t.Errorf("panel %q: %s asks for nothing", p.Title, target.Expr)
			}
			for _, name := range found {
				asked[name] = true
				if !names[name] {
					t.Errorf("panel %q: there is no metric %s", p.Title, name)
				}
			}
		}
	}
	for _, name := range metric.FindAllString(string(text), -1) { // in the variables too
		asked[name] = true
		if !names[name] {
			t.Errorf("there is no metric %s", name)
		}
	}
	for name := range names {
		base := strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count")
		shown := asked[name] || asked[base+"_bucket"]
		if strings.HasPrefix(name, "relay_") && !shown && name != "relay_attached" && name != "relay_ring_chunks" {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

func TestManualNamesOnlyMetricsThatThereAre(t *testing.T) {
	text, err := os.ReadFile("deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	names := metricNames(t)
	found := regexp.MustCompile(`\brelay_[a-z_]+`).FindAllString(string(text), -1)
	for _, name := range found {
		if !names[name] {
			t.Errorf("there is no metric %s", name)
		}
	}
	if len(found) == 0 {
		t.Error("no metric is named")
	}
}

func TestUnitStartsACommandThatThereIs(t *testing.T) {
	text, err := os.ReadFile("deploy/relay.service")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindStringSubmatch(string(text))
	if m == nil {
		t.Fatal("the unit starts nothing")
	}
	app := newApp(term.New(nil, nil), Stdio{})
	args := strings.Fields(m[1])
	c := app.Command(args[1])
	if c == nil || !strings.HasSuffix(args[0], "/relay") {
		t.Fatalf("it starts %v", args[:2])
	}
	for _, a := range args[2:] {
		name, isFlag := strings.CutPrefix(a, "--")
		if !isFlag {
			continue
		}
		known := false
		for _, f := range c.Flags {
			known = known || slices.Contains(f.Names(), name)
		}
		if !known {
			t.Errorf("relay %s has no flag %s", c.Name, a)
		}
	}
	if !strings.Contains(string(text), "\nUser=relay\n") {
		t.Error("the package makes the list readable for the group of a user relay, and the service is not run as that one")
	}
	if !strings.Contains(string(text), "DynamicUser=yes") || !strings.Contains(m[1], "--config ${STATE_DIRECTORY}") {
		t.Error("a user that exists only while it runs has no home: the keys must be in the state directory")
	}
}
