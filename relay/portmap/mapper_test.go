package portmap

import (
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestAMapperMapsReportsAndRemoves(t *testing.T) {
	t.Parallel()
	f := newFakePort(t)
	var mu sync.Mutex
	var states []State
	m := &Mapper{Port: 7144, pcpPort: f.at.Port(), ssdpPort: deaf(t).Port(), Changed: func(s State) {
		mu.Lock()
		defer mu.Unlock()
		states = append(states, s)
	}}
	stop := mapperAt(t, m)
	s := until(t, m, "a mapping", mapped)
	got := s.Mappings[0]
	if got.Protocol != PCP || got.Gateway != loopback || got.External != netip.MustParseAddrPort("11.22.33.44:7144") || got.UDP != 7144 ||
		got.Internal != netip.AddrPortFrom(loopback, 7144) || got.Lease != time.Hour || got.Since.IsZero() || s.Why() != None {
		t.Errorf("%+v", s)
	}
	stop()
	if n := f.count(); n != 0 {
		t.Errorf("%d mappings are left", n)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(states) < 2 || states[0].Why() != Searching || states[len(states)-1].Why() != None {
		t.Errorf("%+v", states)
	}
	for i := 1; i < len(states); i++ {
		if states[i].equal(states[i-1]) {
			t.Errorf("told twice: %+v", states[i])
		}
	}
}

func TestAMapperWithoutARouterSaysSo(t *testing.T) {
	t.Parallel()
	m := &Mapper{Port: 7144, Gateways: func() []netip.Addr { return nil }}
	mapperAt(t, m)
	if s := m.State(); s.Why() != NoGateway {
		t.Errorf("%+v", s)
	}
	if err := (&Mapper{}).Run(t.Context()); err == nil {
		t.Error("it runs without a port")
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	m := &Mapper{Port: 7144, pcpPort: deaf(t).Port(), ssdpPort: deaf(t).Port()}
	mapperAt(t, m)
	s := until(t, m, "a failure", failed)
	if s.Why() != NoAnswer || len(s.Failures) != 3 {
		t.Errorf("%+v", s)
	}
}

func TestARouterThatStartsAgainGetsItsMappingBack(t *testing.T) {
	t.Parallel()
	f := newFakePort(t)
	m := &Mapper{Port: 7144, pcpPort: f.at.Port(), ssdpPort: deaf(t).Port()}
	mapperAt(t, m)
	until(t, m, "a mapping", mapped)
	f.set(func() {
		f.began, f.entries, f.external = time.Now(), map[entry]nonce{}, netip.MustParseAddr("11.22.33.55")
	})
	until(t, m, "the mapping", func(s State) bool {
		return mapped(s) && s.Mappings[0].External.Addr() == netip.MustParseAddr("11.22.33.55")
	})
	if f.count() != 2 {
		t.Errorf("%d mappings", f.count())
	}
}

func TestARouterBehindAnotherIsNamed(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]Reason{"192.168.178.2": DoubleNAT, "100.64.3.4": CarrierNAT} {
		f := newFakePort(t)
		f.set(func() { f.external = netip.MustParseAddr(address) })
		m := &Mapper{Port: 7144, pcpPort: f.at.Port(), ssdpPort: deaf(t).Port()}
		stop := mapperAt(t, m)
		s := until(t, m, "a mapping", mapped)
		// It is kept: some providers pass everything on to such an address.
		if s.Why() != want || s.Mappings[0].Reason != want || f.count() != 2 {
			t.Errorf("%s: %+v", address, s)
		}
		stop()
	}
}

func TestAPokeMapsAnewWhereTheNetworkChanged(t *testing.T) {
	t.Parallel()
	f := newFakePort(t)
	var mu sync.Mutex
	gateways := []netip.Addr{}
	m := &Mapper{Port: 7144, pcpPort: f.at.Port(), ssdpPort: deaf(t).Port()}
	m.Gateways = func() []netip.Addr {
		mu.Lock()
		defer mu.Unlock()
		return gateways
	}
	change := func(all ...netip.Addr) {
		mu.Lock()
		gateways = all
		mu.Unlock()
		m.Poke()
	}
	mapperAt(t, m)
	change(loopback, loopback) // a router that is listed twice is asked once
	s := until(t, m, "a mapping", mapped)
	if len(s.Mappings) != 1 {
		t.Errorf("%+v", s)
	}
	change()
	until(t, m, "no mapping", func(s State) bool { return s.Why() == NoGateway })
	for end := time.Now().Add(time.Minute); f.count() > 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	if f.count() != 0 {
		t.Errorf("%d mappings are left in a router that is no longer ours", f.count())
	}
	change(loopback)
	until(t, m, "a mapping", mapped)
}

func TestPokesInARowAreHeededOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := make(chan time.Time, 1000)
		m := &Mapper{Port: 7144, Gateways: func() []netip.Addr {
			looks <- time.Now()
			return nil
		}}
		mapperAt(t, m)
		for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); time.Sleep(time.Millisecond) {
			m.Poke()
		}
		if n := len(looks); n < 2 || n > 4 {
			t.Errorf("the network was looked at %d times in 1.5 s", n)
		}
	})
}

// An address that others cannot dial, or that changes by the hour, is not for a pinhole; nor
// are more than two.
func TestWhoseGatewaysAndAddressesAreUsed(t *testing.T) {
	t.Parallel()
	parse := func(all ...string) (as []netip.Addr) {
		for _, s := range all {
			as = append(as, netip.MustParseAddr(s))
		}
		return as
	}
	m := &Mapper{
		Port: 7144,
		Gateways: func() []netip.Addr {
			return parse("127.0.0.1", "127.0.0.1", "::ffff:127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "fe80::1%lo")
		},
		Globals: func() []netip.Addr {
			return parse("fe80::2%lo", "fd00::2", "::1", "2001:db8::2", "2001:db8::2", "11.22.33.44", "2001:db8::3", "2001:db8::4")
		},
	}
	m.init()
	jobs := m.wanted()
	if len(jobs) != gatewaysMost+globalsMost {
		t.Errorf("%d jobs", len(jobs))
	}
	for k, j := range jobs {
		want := 3 // protocols
		if k.local.Is6() {
			want = 2 + gatewaysMost // of the gateway; UPnP by each of IPv4
		}
		if len(j.candidates) != want {
			t.Errorf("%v: %d candidates", k, len(j.candidates))
		}
	}
	if s := m.State(); !s.Searching || !s.Searching6 {
		t.Errorf("%+v", s)
	}
}
