package relay

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/stream"
)

// A link whose addresses are dead leads to the channel again once its domain says where that is now.
func TestADomainRefreshesALink(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		var moved atomic.Bool
		n := w.add(option{slots: 3, hosts: []HostPort{{"10.9.9.9", 7144}, AskedOf("Example.org")}, domain: func(domain string) ([]netip.AddrPort, error) {
			if domain != "example.org" {
				t.Errorf("%q is asked", domain)
			}
			if !moved.Load() {
				return nil, errors.New("nobody knows it")
			}
			return w.root.place.Addrs, nil
		}})
		time.Sleep(20 * time.Second)
		if w.attached(n) {
			t.Fatal("it has joined by a dead address")
		}
		moved.Store(true)
		t.Logf("attached after %v", w.within(2*resolveInterval, "it is attached", w.attached))
	})
}

func TestALinkMayNameNothingButADomain(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.add(option{slots: 3, hosts: []HostPort{AskedOf("example.org")}, domain: func(string) ([]netip.AddrPort, error) {
			return append([]netip.AddrPort{netip.MustParseAddrPort("10.9.9.9:1")}, w.root.place.Addrs...), nil
		}})
		w.within(10*time.Second, "it is attached", w.attached)
		n := w.add(option{slots: 3, ends: true, hosts: []HostPort{AskedOf("example.org")}})
		time.Sleep(time.Second)
		synctest.Wait()
		if n.end == nil || n.end.Error() != "@example.org: no domain is asked here" {
			t.Errorf("it ends with %v", n.end)
		}
	})
}

// Whoever has a domain could have others knock at what is in their networks.
func TestADomainNamesNothingInOthersNetworks(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		inside := []netip.AddrPort{netip.MustParseAddrPort("192.168.1.1:80"), netip.MustParseAddrPort("127.0.0.1:80"), netip.MustParseAddrPort("169.254.169.254:80"), netip.MustParseAddrPort("255.255.255.255:80")}
		n := w.add(option{slots: 3, abroad: true, ends: true, hosts: []HostPort{AskedOf("example.org")}, domain: func(string) ([]netip.AddrPort, error) { return inside, nil }})
		time.Sleep(time.Second)
		synctest.Wait()
		if !errors.Is(n.end, ErrOnlyInside) {
			t.Errorf("it ends with %v", n.end)
		}
		if got := n.node.hearsay.refused.All(); got[toldAddress] != uint64(len(inside)) {
			t.Errorf("refused: %v", got)
		}
	})
}

func TestADomainNamesFewAddresses(t *testing.T) {
	n := teller("192.168.1.0/24")
	n.cfg.AskDomain = func(_ context.Context, _ string, _ stream.ChannelID) ([]netip.AddrPort, error) {
		var many []netip.AddrPort
		for i := range 100 {
			many = append(many, netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), 1))
		}
		return many, nil
	}
	if got, err := n.askDomain(t.Context(), "example.org", testChannel()); len(got) != maxTold || err != nil {
		t.Errorf("%d addresses, %v", len(got), err)
	}
}
