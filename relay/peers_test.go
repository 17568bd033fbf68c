package relay

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"relay/relay/wire"
	"relay/tree"
)

func TestWhereANodeTellsOthersThatItIs(t *testing.T) {
	addrs := func(texts ...string) (as []netip.AddrPort) {
		for _, s := range texts {
			as = append(as, netip.MustParseAddrPort(s))
		}
		return as
	}
	const lan, world, shared, v6 = "192.168.1.5:7144", "198.51.100.7:7144", "100.64.3.2:7144", "[2001:db8::1]:7144"
	for _, c := range []struct {
		own, seen, root, want []netip.AddrPort
	}{
		{own: addrs(lan), root: addrs("10.0.0.1:7144"), want: addrs(lan)},
		{own: addrs("127.0.0.1:7144"), root: addrs("127.0.0.1:7000"), want: addrs("127.0.0.1:7144")},
		{own: addrs(lan), seen: addrs(lan), root: addrs("10.0.0.1:7144"), want: addrs(lan)},
		{own: addrs(lan), seen: addrs("127.0.0.1:7144"), root: addrs("10.0.0.1:7144"), want: addrs(lan)},
		{own: addrs(lan), seen: addrs("192.168.9.9:7144"), root: addrs("10.0.0.1:7144"), want: addrs(lan, "192.168.9.9:7144")},
		{own: addrs(lan), seen: addrs("192.168.9.9:0"), root: addrs("10.0.0.1:7144"), want: addrs(lan)},
		{own: addrs(lan), root: addrs(world)},                                           // others cannot reach it
		{own: addrs(lan), seen: addrs("192.168.9.9:7144"), root: addrs(lan, world)},     // its parent is in its LAN
		{own: addrs(lan), seen: addrs(shared), root: addrs(world)},                      // a provider's router
		{own: addrs(lan), seen: addrs(world), root: addrs(v6), want: addrs(world, lan)}, // as the world sees it
		{own: addrs(world, lan), seen: addrs("203.0.113.9:1"), want: addrs(world, lan)}, // the user knows better
		{own: addrs(lan, "10.1.1.1:1", "10.1.1.2:1", "10.1.1.3:1"), seen: addrs(world), want: addrs(world, lan, "10.1.1.1:1", "10.1.1.2:1")},
		{seen: addrs(world), root: addrs(world)},                                                        // it does not listen
		{own: addrs(v6, lan), root: addrs("10.0.0.1:7144"), want: addrs(lan, v6)},                       // gossip there is by IPv4
		{own: addrs(v6, lan), root: addrs(v6), want: addrs(v6, lan)},                                    // from everywhere
		{own: addrs(v6, lan), seen: addrs(world), root: addrs(v6), want: addrs(v6, world, lan)},         // by IPv4, too
		{own: addrs(v6, lan), seen: addrs("[2001:db8::a]:7144"), root: addrs(v6), want: addrs(v6, lan)}, // a temporary address
		{own: addrs(v6, lan), seen: addrs("192.168.9.9:7144"), root: addrs(v6), want: addrs(v6, lan)},
	} {
		p := peers{given: c.own, addrs: c.own}
		for _, s := range c.seen {
			p.seenAs(s, nil)
			if !slices.Equal(p.addrs, c.own) {
				t.Errorf("own %v: one parent's word, %v, makes it say %v", c.own, s, p.addrs)
			}
			p.seenAs(s, addrPorts("198.51.100.99:7144", s.String()))
		}
		got := p.announced(tree.Info{Path: []tree.Place{{Addrs: c.root}}})
		if !slices.Equal(got, c.want) {
			t.Errorf("own %v, seen %v, root %v: %v, want %v", c.own, c.seen, c.root, got, c.want)
		}
	}
}

func TestGossipUsesNoAddressToWhichPacketsDoNotLead(t *testing.T) {
	mapped := netip.MustParseAddrPort("198.51.100.7:7150")
	p := peers{given: addrPorts("198.51.100.7:7150", "192.168.1.5:7144"), noPackets: func(a netip.AddrPort) bool { return a == mapped }}
	p.addrs = p.given
	for _, c := range []struct{ root, want []netip.AddrPort }{
		{addrPorts("203.0.113.7:7144"), nil},
		{addrPorts("192.168.1.9:7144"), addrPorts("192.168.1.5:7144")},
		{nil, addrPorts("192.168.1.5:7144")},
	} {
		if got := p.announced(tree.Info{Path: []tree.Place{{Addrs: c.root}}}); !slices.Equal(got, c.want) {
			t.Errorf("root at %v: %v, want %v", c.root, got, c.want)
		}
	}
	if !slices.Contains(p.addrs, mapped) {
		t.Error("links do not use it, either")
	}
}

func TestANodeKnowsWhereTheInternetSeesIt(t *testing.T) {
	p := peers{given: addrPorts("203.0.113.7:7144", "192.168.1.5:7144")}
	p.addrs = p.given
	for _, c := range []struct{ seen, want string }{
		{"192.168.9.9:7144", "invalid IP"},
		{"[2001:db8::1]:7144", "invalid IP"},
		{"[::ffff:198.51.100.7]:7144", "198.51.100.7"},
		{"203.0.113.7:7144", "203.0.113.7"},
		{"100.64.3.2:7144", "203.0.113.7"},
	} {
		p.seenAs(netip.MustParseAddrPort(c.seen), nil)
		if got := p.seenInTheWorld().String(); got != c.want {
			t.Errorf("after %s: %s, want %s", c.seen, got, c.want)
		}
	}
	honest := addrPorts("203.0.113.7:7144", "[2001:db8::1]:7144", "203.0.113.7:7144")
	p.seenAs(netip.MustParseAddrPort("198.51.100.66:7144"), honest)
	if got := p.seenInTheWorld().String(); got != "203.0.113.7" {
		t.Errorf("one parent against two: %s", got)
	}
	p.seenAs(netip.MustParseAddrPort("198.51.100.66:7144"), honest[:2])
	if got := p.seenInTheWorld().String(); got != "198.51.100.66" {
		t.Errorf("the newest of two, where a line may have another address: %s", got)
	}
	p.readdress(p.given, []netip.Addr{netip.MustParseAddr("192.168.1.5")}, true)
	if p.seenInTheWorld().IsValid() {
		t.Error("in another network it knows still")
	}
}

func TestLastPacketsAreWaitedFor(t *testing.T) {
	closed := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		case <-time.After(time.Millisecond):
			return false
		}
	}
	var s clusterCount
	if !closed(s.none()) {
		t.Error("nobody speaks, and that is waited for")
	}
	s.add(1)
	s.add(1)
	a, b := s.none(), s.none()
	s.add(-1)
	if closed(a) || closed(b) {
		t.Error("one still speaks")
	}
	s.add(-1)
	if !closed(a) || !closed(b) || !closed(s.none()) {
		t.Error("nobody speaks any more")
	}
	s.add(1)
	if closed(s.none()) {
		t.Error("another speaks")
	}
}

// TestOthersAreNotToldOfSlotsThatNobodyCanDial has a node and its children be tried: who hears of them by
// gossip or in a sample has nobody to carry a call.
func TestOthersAreNotToldOfSlotsThatNobodyCanDial(t *testing.T) {
	i := tree.Info{Attached: true, Depth: 1, Slots: 8}
	for n, r := range []tree.Reach{tree.Untried, tree.Open, tree.Closed, tree.Punchable} {
		place := tree.Place{ID: tree.ID{byte(n)}, Addrs: []netip.AddrPort{netip.MustParseAddrPort("198.51.100.7:7144")}}
		i.Children = append(i.Children, tree.ChildInfo{Place: place, Reach: r})
	}
	var p peers
	for _, c := range []struct {
		trial tree.Reach
		want  int
	}{{tree.Untried, 8}, {tree.Open, 8}, {tree.Closed, 0}} {
		r, want := c.trial, c.want
		if r != tree.Untried {
			p.probed(wire.Probed{Open: r == tree.Open})
		}
		if s := p.standing(i); int(s.Slots) != want || int(s.Free) != want/2 {
			t.Errorf("%v: %d slots, %d of them free", r, s.Slots, s.Free)
		}
	}
	var told []tree.ID
	for _, c := range p.sample(tree.ID{9}, i).Of {
		told = append(told, c.Place.ID)
	}
	if !slices.Equal(told, []tree.ID{{0}, {1}}) {
		t.Errorf("a child hears of %v", told)
	}
}
