package portmap

import (
	"net/netip"
	"sync"
	"testing"
	"time"
)

func TestAMapperMapsReportsAndRemoves(t *testing.T) {
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
	m := &Mapper{Port: 7144, pcpPort: deaf(t).Port(), ssdpPort: deaf(t).Port()}
	mapperAt(t, m)
	s := until(t, m, "a failure", failed)
	if s.Why() != NoAnswer || len(s.Failures) != 3 {
		t.Errorf("%+v", s)
	}
}

func TestARouterThatStartsAgainGetsItsMappingBack(t *testing.T) {
	f := newFakePort(t)
	f.set(func() { f.began = time.Now().Add(-time.Hour) })
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
	for end := time.Now().Add(5 * time.Second); f.count() > 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	if f.count() != 0 {
		t.Errorf("%d mappings are left in a router that is no longer ours", f.count())
	}
	change(loopback)
	until(t, m, "a mapping", mapped)
}
