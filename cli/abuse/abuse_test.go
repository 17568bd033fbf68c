package abuse

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"relay/cli/abuse/hostile"
)

func TestOnlyOwnMachinesAreAttacked(t *testing.T) {
	for addr, ok := range map[string]bool{
		"239.255.71.46:7144": false, "127.0.0.1:7144": true, "[::1]:7144": true, "127.9.9.9:1": true,
		"198.51.100.1:7144": false, "[2001:db8::1]:7144": false, "169.254.169.254:80": false, "0.0.0.0:7144": false,
	} {
		for _, mine := range []bool{false, true} {
			target := Target{Links: netip.MustParseAddrPort(addr), Mine: mine}
			if err := target.check(); (err == nil) != (ok || mine) {
				t.Errorf("%s, mine %v: %v", addr, mine, err)
			}
			target = Target{Links: netip.MustParseAddrPort("127.0.0.1:7144"), Discovery: netip.MustParseAddrPort(addr), Mine: mine}
			if err := target.check(); (err == nil) != (ok || mine || target.Discovery.Addr().IsMulticast()) {
				t.Errorf("queries to %s, mine %v: %v", addr, mine, err)
			}
		}
	}
}

func TestMissingTagsAreFound(t *testing.T) {
	log := []string{"config", "a", "b", "c", "d", "e"}
	for _, c := range []struct {
		came string
		lost int
		ok   bool
	}{
		{"b c d", 0, true},
		{"a b c d e", 0, true},
		{"b d", 1, true},
		{"a e", 3, true},
		{"e", 0, true},
		{"b c b", 0, false},
		{"b b", 0, false},
		{"b x c", 0, false},
		{"x", 0, false},
		{"", 0, false},
	} {
		lost, err := missing(strings.Fields(c.came), log)
		if lost != c.lost || (err == nil) != c.ok {
			t.Errorf("%s: %d lost, %v; want %d", c.came, lost, err, c.lost)
		}
	}
}

func TestVitalsAreReadFromMetrics(t *testing.T) {
	v, err := parseVitals(strings.NewReader(`# HELP go_goroutines Number.
go_goroutines 31
process_open_fds 22
process_resident_memory_bytes 5e+07
process_start_time_seconds 1.7e+09
relay_ring_bytes{channel="abcdefgh"} 1e+07
relay_chunks_lost_total{channel="abcdefgh"} 3
relay_refused_rtmp_total{reason="silent"} 5
relay_refused_viewers_total{reason="host"} 7
`))
	if err != nil || v.goroutines != 31 || v.fds != 22 || v.rss != 3e7 || v.started != 1.7e9 || v.lost != 3 {
		t.Errorf("%+v, %v", v, err)
	}
	since := map[string]float64{`relay_refused_rtmp_total{reason="silent"`: 4, `relay_refused_viewers_total{reason="host"`: 7}
	got := v.refusals(since)
	if n := got[`relay_refused_rtmp_total{reason="silent"`]; len(got) != 1 || n != 1 {
		t.Errorf("refused since: %v", got)
	}
	for series := range got {
		if !counted(hostile.RTMP, series) || counted(hostile.HTTP, series) || reasonOf(series) != "silent" {
			t.Errorf("%s is counted for another port, or for %q", series, reasonOf(series))
		}
	}
	if _, err := parseVitals(strings.NewReader("<html>")); err == nil {
		t.Error("a page passes for metrics")
	}
}

// What a node does wrong is told.
func TestOutcomesAreJudged(t *testing.T) {
	for _, c := range []struct {
		o    outcome
		says string
	}{
		{outcome{input: hostile.Input{Want: hostile.Refused}, cut: true}, ""},
		{outcome{input: hostile.Input{Want: hostile.Refused}}, "is not ended"},
		{outcome{input: hostile.Input{Want: hostile.Ended}}, "is not ended"},
		{outcome{input: hostile.Input{Want: hostile.Served}}, "is not ended"},
		{outcome{input: hostile.Input{Want: hostile.Answered}, cut: true}, "is not answered"},
		{outcome{input: hostile.Input{Want: hostile.Answered}, answer: []byte("x")}, ""},
		{outcome{input: hostile.Input{Want: hostile.Refused, Says: "400"}, cut: true, answer: []byte("HTTP/1.1 200")}, `want "400"`},
		{outcome{input: hostile.Input{Want: hostile.Dropped}}, ""},
		{outcome{input: hostile.Input{Want: hostile.Dropped}, answer: []byte("x")}, "is answered"},
	} {
		if w := c.o.wrong(); (w == "") != (c.says == "") || !strings.Contains(w, c.says) {
			t.Errorf("%+v: %q, want %q", c.o, w, c.says)
		}
	}
}

func TestWhoHasNoPortIsNotSaidToHold(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	shut := ln.Addr().(*net.TCPAddr).AddrPort()
	ln.Close()
	var b strings.Builder
	err = Run(t.Context(), Config{Target: Target{Links: shut, HTTP: shut}}, &b)
	if err == nil || strings.Contains(b.String(), "held") {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestWhatWasMissedIsAnError(t *testing.T) {
	var b strings.Builder
	r := &report{out: &b, bar: Config{Newcomer: time.Second, Memory: 1 << 20}}
	if err := r.conclude(); err != nil {
		t.Error(err)
	}
	r.came("RTMP, something", newcomers{waits: []time.Duration{2 * time.Second}})
	r.vitals(&monitor{before: vitals{rss: 1}, last: vitals{goroutines: 100}, peak: 4 << 20})
	if err := r.conclude(); err == nil || len(r.missed) != 3 || !strings.Contains(b.String(), "a newcomer played after 2s") {
		t.Errorf("%v: %q", err, r.missed)
	}
}

// Attackers come from the addresses of a prefix, and from no other.
func TestSourcesAreOfTheirPrefix(t *testing.T) {
	for _, p := range []string{"127.66.0.0/16", "127.5.5.0/24", "127.8.0.0/22", "127.1.1.8/30"} {
		prefix := netip.MustParsePrefix(p)
		s, err := newSources(prefix, netip.MustParseAddr("127.0.0.1"))
		if err != nil {
			t.Fatal(err)
		}
		of := map[netip.Addr]bool{}
		for i := range 2000 {
			if s.from.IsValid() && !prefix.Contains(s.at(i)) {
				t.Fatalf("%v is not of %s", s.at(i), p)
			}
			of[s.at(i)] = true
		}
		t.Logf("%s: %d addresses", p, len(of))
	}
}
