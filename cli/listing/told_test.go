package listing

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"relay/cli/station"
	"relay/ingest/flv"
	"relay/playback/directory"
	"relay/relay/hostnet"
	"relay/relay/pcp/index"
	"relay/relay/stream"
)

func at(s ...string) (all []netip.AddrPort) {
	for _, a := range s {
		all = append(all, netip.MustParseAddrPort(a))
	}
	return all
}

// Addresses at home are not told to the world; where there are no others, a list at home gets them.
func TestTheWorldDoesNotHearOfAddressesAtHome(t *testing.T) {
	for _, c := range []struct{ all, want []netip.AddrPort }{
		{at("203.0.113.7:1", "192.168.1.5:1", "[2001:db8::1]:1", "[fd00::1]:1", "127.0.0.1:1", "203.0.113.7:1"), at("203.0.113.7:1", "[2001:db8::1]:1")},
		{at("192.168.1.5:1", "[fe80::1%eth0]:1", "[::ffff:10.0.0.1]:1"), at("192.168.1.5:1", "10.0.0.1:1")},
		{nil, nil},
	} {
		if got := placesToTell(c.all); !slices.Equal(got, c.want) {
			t.Errorf("of %v are told %v", c.all, got)
		}
	}
	own := at("203.0.113.7:7144", "192.168.1.5:7144")
	for p, want := range map[station.PeerCastPort]string{{}: "invalid AddrPort", {Open: true}: "203.0.113.7:7144", {Open: true, Own: 7148}: "203.0.113.7:7148"} {
		if got := gateway(own, p); got.String() != want {
			t.Errorf("PeerCast is at %v", got)
		}
	}
}

// What the broadcaster does not say is taken from the stream, such as that of a channel of PeerCast's.
func TestTheStreamSaysWhatItsBroadcasterDoesNot(t *testing.T) {
	body := flv.SetTitle(flv.SetTexts(nil, flv.Texts{Genre: "games", Description: "theirs", Contact: "https://example.org/"}), "Finals")
	var h flv.Header
	tag := flv.NewTag(flv.Script, 0, body)
	h.Add(tag, flv.Classify(tag))
	a := directory.Announcement{Title: "before", Description: "ours"}
	take(&a, h.Payload())
	if got := fmt.Sprint(a.Title, a.Genre, a.Description, a.URL); got != "Finalsgamesourshttps://example.org/" {
		t.Errorf("%q", got)
	}
	if take(&a, nil); a.Title != "Finals" || a.Genre != "games" {
		t.Errorf("%+v", a)
	}
}

// A stranger who lists addresses in a viewer's own network, or a data centre's services, has nobody dial them.
func TestPlacesInListsMeanSomethingHere(t *testing.T) {
	keep := meansHere(&hostnet.Subnets{})
	for a, want := range map[string]bool{"203.0.113.7:7144": true, "169.254.169.254:80": false, "224.0.0.1:1": false, "0.0.0.0:1": false, "198.18.77.1:1": false, "127.0.0.1:7144": true} {
		if keep(netip.MustParseAddrPort(a)) != want {
			t.Errorf("%s: %v", a, !want)
		}
	}
}

// Texts of strangers stay text in the table, and lines are lines.
func TestTheTableIsSafe(t *testing.T) {
	f := &directory.Found{In: "https://dir.example/"}
	f.ID, f.Title, f.Live, f.Listeners, f.BitRate, f.Places = stream.ChannelID{1}, "a\x1b[2Jb\nc", true, -1, 3e6, at("203.0.113.7:7144")
	p := directory.Pulled{Channel: index.Channel{Name: "日本\x07", ID: index.ID{1}, Tip: "192.0.2.1:7144", Listeners: 5, Kbps: 500, Uptime: time.Hour}}
	rows := Table(&directory.List{Channels: []*directory.Found{f}, PeerCast: []directory.Pulled{p}}, func(s string) string { return s })
	text := strings.Join(rows, "\n")
	if len(rows) != 3 || strings.ContainsAny(text, "\x1b\x07") || strings.Count(text, "\n") != 2 || !strings.Contains(rows[1], "relay://"+f.ID.String()+"@203.0.113.7:7144") ||
		!strings.Contains(rows[2], "pcp://192.0.2.1:7144/01000000000000000000000000000000") || !strings.Contains(rows[2], " 5 ") {
		t.Errorf("%q", rows)
	}
	var b strings.Builder
	if err := WriteJSON(&b, &directory.List{Channels: []*directory.Found{f}, PeerCast: []directory.Pulled{p}}); err != nil || strings.Count(b.String(), "\n") != 2 {
		t.Error(fmt.Sprint(err, b.String()))
	}
}
