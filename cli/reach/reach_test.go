package reach

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay"
)

func hostPorts(t *testing.T, text string) []relay.HostPort {
	t.Helper()
	var hosts []relay.HostPort
	for _, s := range strings.Fields(text) {
		h, err := relay.ParseHostPort(s)
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, h)
	}
	return hosts
}

// text is a list in one line.
func text(list any) string {
	s := fmt.Sprint(list)
	return s[1 : len(s)-1]
}

func TestWhereOthersReachTheNode(t *testing.T) {
	for name, c := range map[string]struct {
		given, own   string
		known        map[string]string
		addrs, hosts string
	}{
		"at home":                  {"", "192.168.1.5", nil, "192.168.1.5:7144", "192.168.1.5:7144"},
		"a forwarded port":         {"203.0.113.7:9000", "192.168.1.5", nil, "203.0.113.7:9000 192.168.1.5:7144", "203.0.113.7:9000 192.168.1.5:7144"},
		"a name":                   {"home.example.org:9000", "192.168.1.5", map[string]string{"home.example.org": "203.0.113.7"}, "203.0.113.7:9000 192.168.1.5:7144", "home.example.org:9000 192.168.1.5:7144"},
		"a name that nobody knows": {"home.example.org:9000", "192.168.1.5", nil, "192.168.1.5:7144", "home.example.org:9000 192.168.1.5:7144"},
		"a name for an address that the machine has": {
			"home.example.org:7144", "2001:db8::5 192.168.1.5",
			map[string]string{"home.example.org": "2001:db8::5"},
			"[2001:db8::5]:7144 192.168.1.5:7144", "home.example.org:7144 192.168.1.5:7144",
		},
		"too many": {
			"203.0.113.1:1 203.0.113.2:2 203.0.113.3:3", "192.168.1.5 192.168.1.6", nil,
			"203.0.113.1:1 203.0.113.2:2 203.0.113.3:3 192.168.1.5:7144", "203.0.113.1:1 203.0.113.2:2 203.0.113.3:3 192.168.1.5:7144",
		},
	} {
		r := New(hostPorts(t, c.given), nil)
		r.At = netip.MustParseAddrPort("[::]:7144")
		r.own = func(at netip.AddrPort) (all []netip.AddrPort) {
			for _, s := range strings.Fields(c.own) {
				all = append(all, netip.AddrPortFrom(netip.MustParseAddr(s), at.Port()))
			}
			return all
		}
		for name, a := range c.known {
			r.names.take(name, []netip.Addr{netip.MustParseAddr(a)}, nil)
		}
		addrs := r.Addrs()
		if got, hosts := text(addrs), text(r.Hosts(addrs)); got != c.addrs || hosts != c.hosts {
			t.Errorf("%s: at %s, invited to %s; want %s, %s", name, got, hosts, c.addrs, c.hosts)
		}
		r.At = netip.AddrPort{}
		if len(r.Addrs()) > 0 || len(r.Hosts(addrs)) > 0 {
			t.Errorf("%s: it is told of without a listener", name)
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

func TestTheNodeHearsOfEachChangeOnce(t *testing.T) {
	n, err := relay.New(relay.Config{Key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))})
	if err != nil {
		t.Fatal(err)
	}
	var own []netip.AddrPort
	r := New(nil, nil)
	r.At = netip.MustParseAddrPort("[::]:7144")
	r.own = func(netip.AddrPort) []netip.AddrPort { return own }
	for _, s := range []string{"127.0.0.1:7144", "192.168.1.5:7144", "10.0.0.5:7144"} {
		own = []netip.AddrPort{netip.MustParseAddrPort(s)}
		r.tell(n, nil, false)
		first := n.Addrs()
		r.tell(n, nil, false) // such as a router that announces the same again
		if !slices.Equal(first, own) || &first[0] != &n.Addrs()[0] {
			t.Errorf("the node is told %v, then %v, want %v once", first, n.Addrs(), own)
		}
	}
}

func TestNamesAreLookedUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // held for what follows
		var said []string
		changes, lookups := 0, 0
		answer, failure := "203.0.113.7 203.0.113.8 2001:db8::7 127.0.0.2 fe80::1", error(nil)
		n := newNames(hostPorts(t, "home.example.org:1 198.51.100.1:2 home.example.org:3"), func(format string, args ...any) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, fmt.Sprintf(format, args...))
		})
		n.lookup = func(_ context.Context, network, host string) (all []netip.Addr, _ error) {
			mu.Lock()
			defer mu.Unlock()
			if lookups++; network != "ip" || host != "home.example.org" {
				t.Errorf("%s %s is looked up", network, host)
			}
			for _, s := range strings.Fields(answer) {
				all = append(all, netip.MustParseAddr(s))
			}
			return all, failure
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { n.follow(ctx, func() { mu.Lock(); changes++; mu.Unlock() }); close(ended) }()
		defer func() { cancel(); <-ended }()
		expect := func(what, at string, wantChanges, wantSaid int) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if got := text(n.resolved(relay.HostPort{Host: "home.example.org", Port: 3})); got != at || changes != wantChanges || len(said) != wantSaid {
				t.Errorf("%s: %s after %d changes, said %q; want %s, %d, %d", what, got, changes, said, at, wantChanges, wantSaid)
			}
		}
		answers := func(addrs string, err error) {
			mu.Lock()
			defer mu.Unlock()
			answer, failure = addrs, err
		}
		expect("at the start", "[2001:db8::7]:3 203.0.113.7:3", 1, 0)
		time.Sleep(namesEvery)
		expect("the same a minute later", "[2001:db8::7]:3 203.0.113.7:3", 1, 0)
		answers("203.0.113.9", nil)
		time.Sleep(namesEvery)
		expect("another", "203.0.113.9:3", 2, 0)
		answers("", &net.DNSError{Err: "no such host", Name: "home.example.org", Server: "192.168.1.1:53", IsNotFound: true})
		time.Sleep(3 * namesEvery)
		expect("nobody knows it", "203.0.113.9:3", 2, 1)
		answers("203.0.113.10", nil)
		n.again()
		time.Sleep(namesLeast)
		expect("a network came", "203.0.113.10:3", 3, 1)
		answers("fe80::1", nil)
		time.Sleep(namesEvery)
		expect("it leads nowhere", "203.0.113.10:3", 3, 2)
		if want := "The name home.example.org of --advertise leads nowhere now: there is no host of that name. "; !strings.HasPrefix(said[0], want) {
			t.Errorf("said %q", said)
		}
		if got := text(n.resolved(relay.HostPort{Host: "198.51.100.1", Port: 2})); got != "198.51.100.1:2" {
			t.Errorf("an address stands for %s", got)
		}
		count := func() int {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return lookups
		}
		before := count()
		for range 100 { // a network that changes all the time
			n.again()
			time.Sleep(namesLeast / 10)
		}
		if more := count() - before; more > 11 {
			t.Errorf("%d lookups in %v", more, 10*namesLeast)
		}
	})
}

// hearer notes what it is told.
type hearer struct{ moved, readdressed chan []netip.AddrPort }

func (hearer) Addrs() []netip.AddrPort                           { return nil }
func (h hearer) Relocate(addrs []netip.AddrPort, _ []netip.Addr) { h.moved <- addrs }
func (h hearer) Readdress(addrs []netip.AddrPort)                { h.readdressed <- addrs }

// A name that stands for another address leads to the same router: what is known of that holds.
func TestANameThatStandsForAnotherAddressIsNoOtherNetwork(t *testing.T) {
	r := New(hostPorts(t, "home.example.org:9000"), nil)
	r.At = netip.MustParseAddrPort("[::]:7144")
	r.own = func(netip.AddrPort) []netip.AddrPort { return nil }
	r.names.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("203.0.113.7")}, nil
	}
	h := hearer{make(chan []netip.AddrPort, 1), make(chan []netip.AddrPort, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	var follows sync.WaitGroup
	follows.Go(func() { r.Follow(ctx, h) })
	defer follows.Wait()
	defer cancel()
	select {
	case addrs := <-h.readdressed:
		if text(addrs) != "203.0.113.7:9000" {
			t.Errorf("it is told %v", addrs)
		}
	case <-h.moved:
		t.Error("it is told that the network is another")
	}
}
