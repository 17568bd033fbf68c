package relay

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"relay/tree"
)

// teller is a node of a network, as far as it is asked what others may tell it.
func teller(near string, own ...netip.AddrPort) *Node {
	subnet := netip.MustParsePrefix(near)
	return &Node{
		cfg:     Config{Near: func(a netip.Addr) bool { return a.IsLoopback() || subnet.Contains(a.Unmap()) }},
		addrs:   own,
		hearsay: newHearsay(),
	}
}

func TestAddressesThatMeanNothingHereAreNotDialled(t *testing.T) {
	home, local := "192.168.1.0/24", netip.MustParseAddrPort("127.0.0.1:7144")
	for name, c := range map[string]struct {
		node   *Node
		linked string // to whom it has a link
		up     bool   // that it has opened
		addr   string
		may    bool
	}{
		"one of the Internet":                    {teller(home), "", false, "198.51.100.7", true},
		"in the own subnet":                      {teller(home), "", false, "192.168.1.7", true},
		"in the block of the own subnet":         {teller(home), "", false, "192.168.2.7", false},
		"in another private network":             {teller(home), "", false, "10.0.0.1", false},
		"in one where the parent is":             {teller(home), "10.9.9.9", true, "10.0.0.1", true},
		"in one where a child is":                {teller(home), "10.9.9.9", false, "10.0.0.1", true},
		"of a carrier's network":                 {teller(home), "198.51.100.1", true, "100.64.1.1", false},
		"of the carrier's network of the parent": {teller(home), "100.64.9.9", true, "100.64.1.1", true},
		"another network's own":                  {teller(home), "fd00:1:1::1", true, "fd00:1:2::1", false},
		"this machine":                           {teller(home, netip.MustParseAddrPort("192.168.1.5:7144")), "", false, "127.0.0.1", false},
		"this machine, where its children are":   {teller(home), "127.0.0.1", false, "127.0.0.1", false},
		"this machine, where its parent is":      {teller(home), "127.0.0.1", true, "127.0.0.1", true},
		"this machine, where it takes links":     {teller(home, local), "", false, "127.0.0.2", true},
		"this machine, as IPv6 with IPv4 in it":  {teller(home), "", false, "::ffff:127.0.0.1", false},
		"keys of a data centre":                  {teller("169.254.0.0/16"), "169.254.1.1", true, "169.254.169.254", false},
		"link-local":                             {teller(home), "", false, "169.254.3.3", false},
		"for all":                                {teller("0.0.0.0/0"), "", false, "255.255.255.255", false},
		"for many":                               {teller("0.0.0.0/0"), "", false, "239.1.1.1", false},
		"for many of this link":                  {teller(home), "fe80::1", true, "ff02::1", false},
		"nobody":                                 {teller("0.0.0.0/0"), "", false, "0.0.0.0", false},
	} {
		if c.linked != "" {
			c.node.noteLink(time.Now(), netip.MustParseAddr(c.linked), c.up)
		}
		if got := c.node.mayTell(netip.MustParseAddr(c.addr)); got != c.may {
			t.Errorf("%s, %s: %v", name, c.addr, got)
		}
	}
}

func TestANetworkThatWasLeftIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a := teller("192.168.1.0/24"), netip.MustParseAddr("10.0.0.1")
		n.noteLink(time.Now(), a, true)
		time.Sleep(insideFor)
		if n.mayTell(a) {
			t.Error("the last link was long ago")
		}
		n.noteLink(time.Now(), a, true)
		if n.hearsay.moved(); n.mayTell(a) {
			t.Error("it has moved")
		}
	})
}

func TestDialsOnOnesWordAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, liar, honest := teller("192.168.1.0/24"), tree.ID{1}, tree.ID{2}
		dialled := func(who tree.ID, addrs func(i int) string) (of int) {
			for i := range 1000 {
				p := tree.Place{ID: tree.ID{9, byte(i), byte(i >> 8)}, Addrs: []netip.AddrPort{netip.MustParseAddrPort(addrs(i))}}
				n.hearsay.told(who, []tree.Place{p})
				of += len(n.believed(p).Addrs)
			}
			return of
		}
		if got := dialled(liar, func(i int) string { return fmt.Sprintf("203.0.113.7:%d", 1000+i) }); got != targetBurst {
			t.Errorf("one machine is dialled %d times, want %d", got, targetBurst)
		}
		if got := dialled(liar, func(i int) string { return fmt.Sprintf("11.%d.%d.1:443", i>>8, i&255) }); got != tellerBurst-targetBurst {
			t.Errorf("%d machines are dialled on its word, want %d", got, tellerBurst-targetBurst)
		}
		if got := n.hearsay.refused.All()[toldBudget]; got != 2000-tellerBurst {
			t.Errorf("%d were refused", got)
		}
		time.Sleep(10 * time.Second)
		if got := dialled(liar, func(i int) string { return fmt.Sprintf("12.%d.%d.1:443", i>>8, i&255) }); got != 10*tellerRate {
			t.Errorf("%d machines are dialled 10 s later, want %v", got, 10*tellerRate)
		}
		if got := dialled(honest, func(i int) string { return fmt.Sprintf("13.%d.%d.1:443", i>>8, i&255) }); got != tellerBurst {
			t.Errorf("%d machines are dialled on another's word, want %d", got, tellerBurst)
		}
	})
}

// TestNodesThatAnswerCostNothing has one node tell of a thousand that are there, all behind one address.
func TestNodesThatAnswerCostNothing(t *testing.T) {
	n, by := teller("192.168.1.0/24"), tree.ID{1}
	for i := range 1000 {
		at := netip.AddrPortFrom(netip.MustParseAddr("203.0.113.7"), uint16(1000+i))
		p := tree.Place{ID: tree.ID{9, byte(i), byte(i >> 8)}, Addrs: []netip.AddrPort{at, netip.MustParseAddrPort("[2001:db8::1]:7144")}}
		n.hearsay.told(by, []tree.Place{p})
		b := n.believed(p)
		if len(b.Addrs) != 1 && (len(b.Addrs) != 2 || i >= targetBurst) {
			t.Fatalf("%v is dialled of place %d", b.Addrs, i)
		}
		n.answered(b, dialed{addr: at})
	}
}

func TestWhatTheUserNamesIsDialled(t *testing.T) {
	n := teller("192.168.1.0/24")
	p := tree.Place{Addrs: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:7144"), netip.MustParseAddrPort("10.0.0.1:7144")}}
	n.hearsay.give([]tree.Place{p})
	for range 1000 {
		if got := n.believed(p); len(got.Addrs) != 2 {
			t.Fatalf("%v", got.Addrs)
		}
	}
	if got := n.hearsay.refused.All(); len(got) != 0 {
		t.Errorf("refused: %v", got)
	}
}

func TestHearsayIsBounded(t *testing.T) {
	h := newHearsay()
	for i := range 5 * toldMost {
		a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}), 7144)
		id := tree.ID{byte(i), byte(i >> 8), byte(i >> 16)}
		h.told(id, []tree.Place{{ID: id, Addrs: []netip.AddrPort{a}}})
		h.give([]tree.Place{{ID: id, Addrs: []netip.AddrPort{a}}})
		h.spend(time.Unix(1, 0), id, a)
	}
	if max(len(h.by), len(h.given), h.tellers.Len(), h.targets.Len()) > toldMost {
		t.Errorf("%d, %d, %d, %d are remembered", len(h.by), len(h.given), h.tellers.Len(), h.targets.Len())
	}
}

// TestAReferralSendsNobodyIntoOtherNetworks has places told to a node whose parent is gone, at addresses
// that mean nothing where it is.
func TestAReferralSendsNobodyIntoOtherNetworks(t *testing.T) {
	inside(t, 4, &world{public: true, far: true}, func(t *testing.T, w *world) {
		w.crowd(3, 4)
		liar := tree.ID{66}
		n := w.all[1]
		var of []tree.Candidate
		for i, a := range []string{"127.0.0.1:6379", "169.254.169.254:80", "10.0.0.1:443", "192.168.0.1:80", "255.255.255.255:7144"} {
			of = append(of, tree.Candidate{Place: tree.Place{ID: tree.ID{67, byte(i)}, Addrs: []netip.AddrPort{netip.MustParseAddrPort(a)}}, Free: 100, Slots: 100})
		}
		n.host.Cut(w.root.host) // it looks for another parent
		for range 60 {
			n.node.hearsay.told(liar, nil)
			n.tell(tree.Candidates{Of: of})
			time.Sleep(time.Second)
		}
		n.host.Heal(w.root.host)
		for _, c := range of {
			if _, ok := w.dialed.Load(fmt.Sprint(2, " ", c.Place.Addrs[0])); ok {
				t.Errorf("it has dialled %v", c.Place.Addrs[0])
			}
		}
		if got := n.node.hearsay.refused.All()[toldAddress]; got == 0 {
			t.Error("none was refused, so none was tried")
		}
	})
}
