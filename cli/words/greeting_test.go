package words

import (
	"strings"
	"testing"
)

func TestGreeting(t *testing.T) {
	g := Greeting{
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
	if got := strings.Join(g.Lines(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	g = Greeting{Page: "http://127.0.0.1:7145/", Link: "relay://ID@127.0.0.1:7144", Local: true, URL: "http://127.0.0.1:7145/karp6ufz.flv"}
	want = `Page    http://127.0.0.1:7145/
        (in a browser on this machine)
Share   relay watch relay://ID@127.0.0.1:7144
        (this machine only: it has no other network address)
Watch   http://127.0.0.1:7145/karp6ufz.flv
        (on this machine, in VLC, mpv or ffplay)`
	if got := strings.Join(g.Lines(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	g.PeerCast, g.Foreign = true, "Games"
	want = `From    Games, a channel of PeerCast
        (PeerCast signs nothing: your key vouches for what came in here, and not for who made it)
` + want
	if got := strings.Join(g.Lines(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
