package cli

import (
	"net/netip"
	"strings"
	"testing"

	"relay/cli/words"
	"relay/relay/portmap"
)

func TestPeopleAreToldWhyTheLinkIsAnother(t *testing.T) {
	m := words.Mapped{State: portmap.State{Mappings: []portmap.Mapping{{
		Protocol: portmap.NATPMP, Gateway: netip.MustParseAddr("192.168.1.1"), External: netip.MustParseAddrPort("203.0.113.7:7144"),
	}}}}
	const home, world, moved = "relay://ID@192.168.1.5:7144", "relay://ID@203.0.113.7:7144,192.168.1.5:7144", "relay://ID@203.0.113.7:7144,192.168.1.6:7144"
	const opened, other = "The router at 192.168.1.1 has opened the port (NAT-PMP), so this link is good for people elsewhere, too:", "This machine has other addresses now:"
	for _, c := range []struct {
		was, now string
		m        words.Mapped
		want     []string
	}{
		{home, world, m, []string{opened, "Share   relay watch " + world}},
		{world, moved, m, []string{other, "Page    http://192.168.1.6:7145/", "Share   relay watch " + moved}},
		{world, home, words.Mapped{}, []string{other, "Page    http://192.168.1.6:7145/", "Share   relay watch " + home}},
	} {
		if got := strings.Join(movedLines(c.was, c.now, "http://192.168.1.6:7145/", c.m), "\n"); got != strings.Join(c.want, "\n") {
			t.Errorf("%s, then %s:\n%s", c.was, c.now, got)
		}
	}
}

func TestAnotherLinkIsToldOnceAndWhenItStays(t *testing.T) {
	var s sharedLink
	for range 2 {
		if s.look("a", "") != "" {
			t.Error("it is told before the greeting")
		}
	}
	s.tell("a")
	s.tell("z") // the greeting comes once
	for i, c := range []struct{ link, want string }{
		{"a", ""},
		{"a", ""},
		{"b", ""}, // for a moment
		{"c", ""},
		{"c", "c"},
		{"c", ""},
		{"d", ""}, // and back again
		{"c", ""},
		{"c", ""},
		{"c,router", "c,router"}, // there is no other moment to come
		{"c", ""},
		{"c,router", ""},
	} {
		if got := s.look(c.link, "router"); got != c.want {
			t.Errorf("%d: %q, want %q", i, got, c.want)
		}
	}
}
