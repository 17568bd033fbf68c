package cli

import (
	"strings"
	"testing"
	"time"

	"relay/relay"
	"relay/tree"
)

func TestGreeting(t *testing.T) {
	g := greeting{
		Server: "rtmp://127.0.0.1:1935/live", Key: "2qp5s7wd4k3xvbne", Page: "http://192.168.1.5:7145/", Near: true, Found: true,
		Link: "relay://ID@192.168.1.5:7144", URL: "http://127.0.0.1:7145/karp6ufz.flv", Code: []string{"QR", "QR"},
	}
	want := `QR
QR

Waiting for an encoder. In OBS: Settings > Stream > Service "Custom...":

  Server  rtmp://127.0.0.1:1935/live
  Key     2qp5s7wd4k3xvbne

Page    http://192.168.1.5:7145/
        (in any browser on this network; phones scan the code above)
Share   relay watch relay://ID@192.168.1.5:7144
        (on this network relay watch finds it by itself)
Watch   http://127.0.0.1:7145/karp6ufz.flv
        (on this machine, in VLC, mpv or ffplay)`
	if got := strings.Join(g.lines(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	g = greeting{Page: "http://127.0.0.1:7145/", Link: "relay://ID@127.0.0.1:7144", Local: true, URL: "http://127.0.0.1:7145/karp6ufz.flv"}
	want = `Page    http://127.0.0.1:7145/
        (in a browser on this machine)
Share   relay watch relay://ID@127.0.0.1:7144
        (this machine only: it has no other network address)
Watch   http://127.0.0.1:7145/karp6ufz.flv
        (on this machine, in VLC, mpv or ffplay)`
	if got := strings.Join(g.lines(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestUpMeterTellsNearFromFar(t *testing.T) {
	var m upMeter
	now := time.Unix(1_700_000_000, 0)
	links := func(far, near uint64) map[tree.Link]relay.LinkStatus {
		return map[tree.Link]relay.LinkStatus{2: {Sent: far}, 4: {Sent: near, Near: true}}
	}
	check := func(after time.Duration, l map[tree.Link]relay.LinkStatus, wantFar, wantNear int) {
		t.Helper()
		if far, near := m.measure(now.Add(after), l); far != wantFar || near != wantNear {
			t.Errorf("after %v: %d and %d bit/s, want %d and %d", after, far, near, wantFar, wantNear)
		}
	}
	check(0, links(1000, 1000), 0, 0)
	check(time.Second, links(251_000, 1000), 0, 0) // too soon
	check(2*time.Second, links(501_000, 251_000), 2_000_000, 1_000_000)
	check(4*time.Second, links(501_000, 251_000), 0, 0)
	// A child that is gone and one that has come.
	check(6*time.Second, map[tree.Link]relay.LinkStatus{6: {Sent: 250_000}}, 1_000_000, 0)
}
