package treetest_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"relay/tree/treetest"
)

// crowd runs n hosts under heavy churn and returns what was measured.
func crowd(t *testing.T, cfg treetest.Config, c treetest.Crowd, warm, take time.Duration) (treetest.Measures, *treetest.Sim) {
	t.Helper()
	cfg.MinDelay, cfg.MaxDelay = 2*ms, 60*ms
	s := treetest.New(cfg)
	p := treetest.NewPopulation(s, c)
	run(t, s, warm)
	end := p.Watch()
	run(t, s, take)
	return end(), s
}

func TestACrowdThatComesAndGoesStaysShallowAndServed(t *testing.T) {
	for _, name := range []string{"cdn", "lan", "uniform4"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, take := 200, 3*time.Minute
			if raceEnabled {
				n, take = 60, 2*time.Minute
			}
			m, _ := crowd(t, treetest.Config{
				Seed: 7, Heartbeat: 500 * ms, Stream: treetest.Stream{Interval: 500 * ms}, Large: true,
			}, treetest.Crowd{
				N: n, Mix: treetest.Mixes[name], Sessions: treetest.Exponential(10 * time.Minute), Spread: 30 * time.Second,
				Graceful: 0.3, Silent: 0.2, Seeds: 2, Gossip: treetest.DefaultGossip,
			}, 90*time.Second, take)
			t.Logf("depth %.3f of the ideal one, %+d; %d of %d sessions good; %.2f losses per node-hour; alone for %v at most",
				m.Ratio(), m.MostOver(), m.Good, m.Sessions, m.LossRate(), m.Orphan)
			if m.Ratio() > 1.1 || m.MostOver() > 4 {
				t.Errorf("%.3f times as deep as it could be, deepest %d deeper", m.Ratio(), m.MostOver())
			}
			if m.Sessions < n/2 || m.GoodShare() < 0.99 {
				t.Errorf("%d of %d sessions of a minute had 99%% of their chunks in time", m.Good, m.Sessions)
			}
			if len(m.Came) < n/20 || m.Refused > 0 {
				t.Errorf("of %d who came %d were not served", len(m.Came), m.Refused)
			}
			if m.Orphan > 15*time.Second {
				t.Errorf("one was without a parent for %v", m.Orphan)
			}
		})
	}
}

func TestAScriptedEveningIsServed(t *testing.T) {
	f, err := os.Open("../../testdata/tree/evening.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	script, err := treetest.ReadScript(f)
	if err != nil {
		t.Fatal(err)
	}
	m, s := crowd(t, treetest.Config{
		Heartbeat: 250 * ms, Stream: treetest.Stream{Interval: 250 * ms}, Large: true,
	}, treetest.Crowd{Script: script, Graceful: 0.5, Seeds: 1, Gossip: treetest.DefaultGossip}, 30*time.Second, 9*time.Minute)
	if m.Refused > 0 || m.GoodShare() < 0.98 || m.Sessions < 60 {
		t.Errorf("%d not served, %d of %d sessions good", m.Refused, m.Good, m.Sessions)
	}
	if len(s.Hosts()) != len(script)+1 {
		t.Errorf("%d hosts for %d visits", len(s.Hosts()), len(script))
	}
}

func TestTheSameSeedGivesTheSameCrowdByteForByte(t *testing.T) {
	trace := func(seed uint64) []byte {
		var b bytes.Buffer
		crowd(t, treetest.Config{Seed: seed, Loss: 0.01, Stream: treetest.Stream{Interval: 100 * ms}, Trace: &b}, treetest.Crowd{
			N: 30, Mix: treetest.Mixes["lan"], Sessions: treetest.Pareto(20 * time.Second), Spread: 5 * time.Second, Graceful: 0.5,
			Silent: 0.5, Seeds: 1, Limited: true, Gossip: treetest.DefaultGossip,
		}, 5*time.Second, 20*time.Second)
		return b.Bytes()
	}
	a := trace(1)
	if b := trace(1); !bytes.Equal(a, b) || len(a) < 100_000 {
		t.Errorf("two runs of a seed differ (%d and %d bytes of trace)", len(a), len(b))
	}
	if bytes.Equal(a, trace(2)) {
		t.Error("two seeds give the same")
	}
}

// bars say what a fault may do to the hosts below it. Time is virtual, so it is the rules
// that have to keep to them and not the machine.
var bars = map[string]struct {
	gap    time.Duration // without data, 0 for no bar
	missed bool          // chunks may be missed
	whole  time.Duration // until everybody has a way to the root again
}{
	"kill":      {gap: 250 * ms, whole: time.Second},
	"unplug":    {gap: 500 * ms, whole: time.Second},
	"freeze":    {gap: 500 * ms, whole: time.Second},
	"oneway":    {gap: 500 * ms, whole: time.Second},
	"link":      {gap: 500 * ms, whole: time.Second},
	"slow":      {gap: 500 * ms, whole: time.Second},
	"leave":     {gap: 400 * ms, whole: time.Second},
	"partition": {missed: true, whole: 15 * time.Second}, // it outlasts the ring
	"20%":       {gap: 2 * time.Second, whole: 2 * time.Second},
	"50%":       {gap: 4 * time.Second, whole: 4 * time.Second},
	"clock":     {gap: 500 * ms, whole: time.Second},
	"restart":   {gap: 5 * time.Second, whole: 5 * time.Second},
	"stale":     {gap: 2 * time.Second, whole: 2 * time.Second},
}

func TestFaultsAreMendedBeforeAnyoneNotices(t *testing.T) {
	for _, f := range treetest.Faults {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			bar, ok := bars[f.Name]
			if !ok {
				t.Fatal("nobody has said what it may do")
			}
			trials, n := 3, 60
			if raceEnabled {
				trials, n = 1, 30
			}
			s := treetest.New(treetest.Config{
				Seed: 11, MinDelay: 2 * ms, MaxDelay: 40 * ms, Stream: treetest.Stream{Interval: 40 * ms}, Large: true,
			})
			d, err := treetest.NewDrill(s, treetest.Crowd{
				N: n, Mix: treetest.Mixes["lan"], Spread: 5 * time.Second, Seeds: 2, Limited: true, Gossip: treetest.DefaultGossip,
			}, f)
			for i := 0; i < trials && err == nil; i++ {
				err = d.Try()
			}
			if err != nil {
				t.Fatal(err)
			}
			got := d.Found
			worst, whole := treetest.Quantile(got.Gaps, 1), treetest.Quantile(got.Whole, 1)
			t.Logf("%d victims: at most %v without data, %d chunks missed, whole after %v", got.Victims, worst, got.Missed, whole)
			if got.Victims == 0 {
				t.Fatal("it happened to nobody")
			}
			if bar.gap > 0 && worst > bar.gap {
				t.Errorf("%v without data, more than %v", worst, bar.gap)
			}
			if got.Missed > 0 && !bar.missed {
				t.Errorf("%d chunks were missed", got.Missed)
			}
			if whole > bar.whole {
				t.Errorf("whole after %v, not %v", whole, bar.whole)
			}
		})
	}
}

func TestACrowdThatComesAtOnceIsServedWithinSeconds(t *testing.T) {
	n := 300
	if raceEnabled {
		n = 100
	}
	s := treetest.New(treetest.Config{Seed: 5, MinDelay: 2 * ms, MaxDelay: 60 * ms, Stream: treetest.Stream{Interval: 100 * ms}, Large: true})
	p := treetest.NewPopulation(s, treetest.Crowd{
		N: n, Mix: treetest.Mixes["cdn"], Spread: 3 * time.Second, Seeds: 2, Limited: true, Gossip: treetest.DefaultGossip,
	})
	end := p.Watch()
	run(t, s, 15*time.Second)
	m := end()
	p99 := treetest.Quantile(m.First, 0.99)
	t.Logf("first chunk after %v at the 99th percentile, %v at most", p99, treetest.Quantile(m.First, 1))
	if m.Refused > 0 || len(m.First) != n {
		t.Errorf("of %d, %d were served and %d refused", n, len(m.First), m.Refused)
	}
	if p99 > 1500*ms {
		t.Errorf("first chunk after %v at the 99th percentile", p99)
	}
}
