package station

import (
	"net/netip"
	"strings"
	"testing"

	"relay/relay"
	"relay/relay/portmap"
	"relay/tree"
)

func TestRoutersAreAskedForPortsThatOthersCanDial(t *testing.T) {
	for at, want := range map[string]bool{"127.0.0.1:7144": false, "[::1]:7144": false, "0.0.0.0:7144": true, "[::]:7144": true, "192.168.1.5:7144": true} {
		s := &Station{cfg: Config{MapPort: true}}
		m := s.newMapper(netip.MustParseAddrPort(at), func() {})
		if (m != nil) != want || m != nil && m.Port != 7144 {
			t.Errorf("%s: %v", at, m)
		}
		s.cfg.MapPort = false
		if s.newMapper(netip.MustParseAddrPort(at), func() {}) != nil {
			t.Errorf("%s: against the user's will", at)
		}
	}
}

func TestAddressesOfRoutersHaveTheirRank(t *testing.T) {
	for _, c := range []struct{ own, mapped, want string }{
		{"192.168.1.5:7144", "", "192.168.1.5:7144"},
		{"192.168.1.5:7144", "203.0.113.7:7150", "203.0.113.7:7150 192.168.1.5:7144"},
		{"[2001:db8::5]:7144 192.168.1.5:7144", "203.0.113.7:7144", "[2001:db8::5]:7144 203.0.113.7:7144 192.168.1.5:7144"},
		{"198.51.100.1:7144", "203.0.113.7:7144", "198.51.100.1:7144 203.0.113.7:7144"},
		{"192.168.1.5:7144 10.0.0.5:7144", "203.0.113.7:1 203.0.113.8:2 203.0.113.9:3", "203.0.113.7:1 203.0.113.8:2 192.168.1.5:7144 10.0.0.5:7144"},
		{"[2001:db8::5]:1 [2001:db8:1::5]:1 192.168.1.5:1 10.0.0.5:1", "203.0.113.7:1 203.0.113.8:2", "[2001:db8::5]:1 [2001:db8:1::5]:1 203.0.113.7:1 192.168.1.5:1 10.0.0.5:1"},
		{"[2001:db8::5]:1 [2001:db8:1::5]:1 198.51.100.1:1 198.51.100.2:1", "203.0.113.7:1", "[2001:db8::5]:1 [2001:db8:1::5]:1 198.51.100.1:1 198.51.100.2:1"},
	} {
		list := func(s string) (all []netip.AddrPort) {
			for _, a := range strings.Fields(s) {
				all = append(all, netip.MustParseAddrPort(a))
			}
			return all
		}
		if got := text(withMapped(list(c.own), list(c.mapped))); got != c.want {
			t.Errorf("%s with %s: %s, want %s", c.own, c.mapped, got, c.want)
		}
	}
}

func TestPacketsLeadWhereTheRouterSendsThem(t *testing.T) {
	at := netip.MustParseAddrPort("203.0.113.7:7150")
	for udp, want := range map[uint16]bool{0: true, 7144: true, 7150: false} {
		s := portmap.State{Mappings: []portmap.Mapping{{External: at, UDP: udp}}}
		if packetless(s, at) != want || packetless(s, netip.MustParseAddrPort("192.168.1.5:7144")) {
			t.Errorf("with UDP at %d: %v", udp, !want)
		}
	}
}

// A source behind a router has children in spite of it: a helper that it has dialled, one that was
// called, one of its own network. It hears nonetheless that nobody can dial it.
func TestOnlyAChildThatHasDialledHasComeIn(t *testing.T) {
	for _, c := range []struct {
		links []relay.LinkStatus
		want  bool
	}{
		{nil, false},
		{[]relay.LinkStatus{{}, {Near: true, CameIn: true}}, false},
		{[]relay.LinkStatus{{}, {CameIn: true}}, true},
	} {
		st := relay.Status{Links: map[tree.Link]relay.LinkStatus{}}
		for i, l := range c.links {
			st.Links[tree.Link(i)] = l
			st.Tree.Children = append(st.Tree.Children, tree.ChildInfo{Link: tree.Link(i)})
		}
		if got := cameIn(st); got != c.want {
			t.Errorf("%+v: %v", c.links, got)
		}
	}
}
