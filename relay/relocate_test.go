package relay

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"relay/relay/seal"
	"relay/relay/wire"
	"relay/tree"
)

func TestANodeWhoseAddressIsGoneGoesOnFromAnother(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.crowd(4, 3)
		time.Sleep(5 * time.Second) // links are ready where there is somebody
		n := w.inner()
		old, later := n.place.Addrs[0], netip.MustParseAddrPort("10.9.9.9:7144")
		n.host.Freeze() // what it sends from there gets lost, and nobody tells
		n.from.Store(w.net.Host(later.Addr()))
		n.node.Relocate([]netip.AddrPort{later}, []netip.Addr{old.Addr()})
		orphaned := func(n Notice) bool { _, ok := n.(Orphaned); return ok }
		// Silence alone would take 150 ms to be noticed and 2 s to end the link.
		w.within(20*time.Millisecond, "its link is given up", func(m *inhabitant) bool {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m != n || slices.ContainsFunc(m.heard, orphaned)
		})
		took := w.within(time.Second, "it has a parent again", func(m *inhabitant) bool { return m != n || w.attached(n) })
		t.Logf("attached again after %v", took)
		w.within(time.Second, "its parent knows where it is", func(m *inhabitant) bool {
			parent := n.status(t).Tree.Parent.ID
			return m.node.ID() != parent || slices.ContainsFunc(m.status(t).Tree.Children, func(c tree.ChildInfo) bool {
				return c.Place.ID == n.node.ID() && slices.Equal(c.Place.Addrs, []netip.AddrPort{later})
			})
		})
		if !slices.Equal(n.node.Addrs(), []netip.AddrPort{later}) {
			t.Errorf("it says that it is at %v", n.node.Addrs())
		}
	})
}

// Nobody can be told where a source is that has lost its address; it comes by itself. Nothing
// listens at its new address here, so that no other way leads back to it.
func TestASourceWhoseAddressIsGoneCallsItsChildren(t *testing.T) {
	inside(t, 2, &world{far: true}, func(t *testing.T, w *world) {
		w.crowd(6, 3)
		time.Sleep(5 * time.Second)
		old, later := w.root.place.Addrs[0], netip.MustParseAddrPort("10.9.9.9:7144")
		w.root.host.Freeze()
		w.root.from.Store(w.net.Host(later.Addr()))
		w.root.node.Relocate([]netip.AddrPort{later}, []netip.Addr{old.Addr()})
		w.within(time.Second, "they have noticed", func(n *inhabitant) bool { return n == w.root || !w.attached(n) })
		took := w.within(2*time.Second, "all are attached again", w.attached)
		t.Logf("all are attached again after %v more", took)
		w.wantWhole()
	})
}

func TestAllHearOfTheSourcesNewAddress(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) { // a chain
		w.crowd(3, 1)
		later := netip.MustParseAddrPort("10.9.9.9:7144")
		w.root.node.Relocate([]netip.AddrPort{later}, nil)
		w.within(time.Second, "the path begins there", func(n *inhabitant) bool {
			p := n.status(t).Tree.Path
			return n == w.root || slices.Contains(p[0].Addrs, later)
		})
		w.wantWhole() // no link had to end
		late := w.add(option{slots: 1})
		w.within(10*time.Second, "a newcomer hears it", func(n *inhabitant) bool {
			p := n.status(t).Tree.Path
			return n != late || len(p) > 0 && slices.Contains(p[0].Addrs, later)
		})
	})
}

func TestAChannelThatIsOpenedLaterHasTheNewAddress(t *testing.T) {
	inWorld(t, 1, func(t *testing.T, w *world) {
		later := []netip.AddrPort{netip.MustParseAddrPort("10.9.9.9:7144")}
		n := w.add(option{slots: 1})
		n.node.Relocate(later, nil)
		c := n.node.newChannel(n.ID(), seal.Access{}, nil)
		if !slices.Equal(c.peers.given, later) {
			t.Errorf("it has %v", c.peers.given)
		}
	})
}

func TestWhatAParentSawIsKeptWhereItIsOfUse(t *testing.T) {
	p := peers{given: addrPorts("192.168.1.5:7144"), addrs: addrPorts("192.168.1.5:7144")}
	p.seenAs(netip.MustParseAddrPort("198.51.100.7:7144"), addrPorts("198.51.100.7:7144"))
	for _, c := range []struct{ given, want []netip.AddrPort }{
		{addrPorts("192.168.2.5:7144"), addrPorts("198.51.100.7:7144", "192.168.2.5:7144")},
		{addrPorts("203.0.113.7:7144", "192.168.2.5:7144"), addrPorts("203.0.113.7:7144", "192.168.2.5:7144")}, // now the user says
		{addrPorts("[2001:db8::1]:7144", "192.168.2.5:7144"), addrPorts("[2001:db8::1]:7144", "198.51.100.7:7144", "192.168.2.5:7144")},
		{nil, nil},
	} {
		p.readdress(c.given, nil, false)
		if !slices.Equal(p.addrs, c.want) {
			t.Errorf("%v: %v, want %v", c.given, p.addrs, c.want)
		}
	}
}

// What was found out about an address that others are not told any more is void; the rest holds while
// the network is the same.
func TestWhatWasFoundOutHoldsForItsAddress(t *testing.T) {
	name, lan, v6 := netip.MustParseAddrPort("198.51.100.7:7144"), netip.MustParseAddrPort("192.168.1.5:7144"), netip.MustParseAddrPort("[2001:db8::1]:7144")
	for _, c := range []struct {
		given      []netip.AddrPort
		moved      bool
		here, on6  tree.Reach
		wantParent tree.Reach
	}{
		{[]netip.AddrPort{v6, name, lan}, false, tree.Open, tree.Open, tree.Open},
		{[]netip.AddrPort{v6, lan}, false, tree.Untried, tree.Open, tree.Untried},
		{[]netip.AddrPort{v6, name, lan}, true, tree.Untried, tree.Untried, tree.Untried},
	} {
		p := peers{given: []netip.AddrPort{name, lan}}
		p.probed(wire.Probed{Addr: name, Open: true})
		p.dialledBack(ipv6, wire.Dialled{Addr: v6, TCP: wire.Answered}) // where a parent sees it, say
		p.readdress(c.given, nil, c.moved)
		if p.triedOver(ipv4).Reach != c.here || p.triedOver(ipv6).Reach != c.on6 || p.tried().Reach != c.wantParent {
			t.Errorf("at %v, in another network %v: %+v, %+v", c.given, c.moved, p.trials, p.trial)
		}
	}
}
