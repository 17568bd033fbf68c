package cli

import (
	"strings"
	"testing"

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

func TestUploadTellsNearFromFar(t *testing.T) {
	links := map[tree.Link]relay.LinkStatus{2: {Rate: 2_000_000}, 4: {Rate: 1_000_000, Near: true}, 6: {Rate: 500_000}}
	if far, near := uploadOf(links); far != 2_500_000 || near != 1_000_000 {
		t.Errorf("%d and %d bit/s, want 2500000 and 1000000", far, near)
	}
}
