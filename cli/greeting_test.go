package cli

import (
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"rsc.io/qr"

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

// The code that is drawn has the modules of the one that was meant, with room around.
func TestCodeIsRight(t *testing.T) {
	const url = "http://192.168.100.200:65535/"
	want, err := qr.Encode(url, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range []style{{}, {colour: true}, {width: want.Size + 2*qrZone}} {
		lines := qrCode(url, st)
		var dark [][]bool
		for _, l := range lines {
			if st.colour {
				if !strings.HasPrefix(l, "\x1b[40;97m") || !strings.HasSuffix(l, plain) {
					t.Fatalf("no colours: %q", l)
				}
				l = strings.TrimSuffix(strings.TrimPrefix(l, "\x1b[40;97m"), plain)
			}
			var upper, lower []bool
			for _, r := range l {
				upper = append(upper, r == ' ' || r == '▄')
				lower = append(lower, r == ' ' || r == '▀')
			}
			dark = append(dark, upper, lower)
		}
		for y, row := range dark[:want.Size+2*qrZone-1] {
			for x, d := range row {
				if d != want.Black(x-qrZone, y-qrZone) {
					t.Fatalf("%+v: the module at %d, %d is wrong:\n%s", st, x-qrZone, y-qrZone, strings.Join(lines, "\n"))
				}
			}
		}
		if w := utf8.RuneCountInString(strings.TrimSuffix(strings.TrimPrefix(lines[0], "\x1b[40;97m"), plain)); w != want.Size+2*qrZone {
			t.Errorf("it is %d wide", w)
		}
	}
	for _, st := range []style{{ascii: true}, {width: want.Size + 2*qrZone - 1}} {
		if got := qrCode(url, st); got != nil {
			t.Errorf("%+v: a code is drawn where it cannot be read", st)
		}
	}
}

func TestThePageHasTheLikeliestAddress(t *testing.T) {
	for _, c := range []struct{ all, outward, want string }{
		{"", "", ""},
		{"fe80::1 169.254.3.3 127.0.0.1", "", ""},
		{"fd00::2 192.168.1.5 172.17.0.1", "", "192.168.1.5"},
		{"172.17.0.1 192.168.1.5", "192.168.1.5", "192.168.1.5"},
		{"172.17.0.1 192.168.1.5", "10.8.0.2", "172.17.0.1"}, // the Internet is behind a VPN
		{"203.0.113.9 192.168.1.5", "", "192.168.1.5"},
		{"203.0.113.9 192.168.1.5", "203.0.113.9", "203.0.113.9"},
		{"fe80::1 2001:db8::1", "", "2001:db8::1"},
	} {
		var all []netip.Addr
		for _, s := range strings.Fields(c.all) {
			all = append(all, netip.MustParseAddr(s))
		}
		out, _ := netip.ParseAddr(c.outward)
		got, ok := likeliest(all, out)
		if want, _ := netip.ParseAddr(c.want); got != want || ok != want.IsValid() {
			t.Errorf("%q: %v, want %q", c.all, got, c.want)
		}
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

func TestNoColourWhereNoneIsWanted(t *testing.T) {
	var out strings.Builder
	for _, c := range []struct {
		tty     bool
		noColor string
		want    bool
	}{{true, "", true}, {true, "1", false}, {false, "", false}} {
		t.Setenv("NO_COLOR", c.noColor)
		term := &terminal{err: &out, errTTY: c.tty}
		if got := term.style().colour; got != c.want {
			t.Errorf("%+v: colour %v", c, got)
		}
		if got := term.tint(red, "x") != "x"; got != c.want {
			t.Errorf("%+v: tinted %v", c, got)
		}
	}
}

func TestLinesGoAboveTheStatusLine(t *testing.T) {
	var out strings.Builder
	term := &terminal{err: &out, errTTY: true}
	term.show("one")
	term.say("a line of %s", "somebody\x1b[2J")
	term.show("two")
	term.end()
	if got, want := out.String(), "one\r\x1b[Ja line of somebody\uFFFD[2J\none\r\x1b[Jtwo\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
