package station

import (
	"net/netip"
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
