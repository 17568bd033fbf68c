package portmap

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"
)

func want4() request { return request{loopback, 7144} }

// methodsOf are both protocols for one router.
func methodsOf(f *fakePort) map[Protocol]method {
	return map[Protocol]method{PCP: newPCP(askerAt(f.at), want4()), NATPMP: newNATPMP(askerAt(f.at), want4())}
}

func TestAPortIsMappedCheckedAndRemoved(t *testing.T) {
	for p := range methodsOf(newFakePort(t)) {
		f := newFakePort(t)
		f.set(func() { f.shift = 3 })
		m := methodsOf(f)[p]
		if err := m.probe(t.Context()); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		g, err := m.open(t.Context())
		want := grant{netip.MustParseAddrPort("11.22.33.44:7147"), 7147, time.Hour}
		if err != nil || g != want || f.count() != 2 {
			t.Errorf("%s: %+v, %v, %d", p, g, err, f.count())
		}
		if err := m.check(t.Context()); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		// A renewal asks for what it has, with the same nonce.
		if g, err := m.open(t.Context()); err != nil || g != want || f.count() != 2 {
			t.Errorf("%s: renewed %+v, %v, %d", p, g, err, f.count())
		}
		if err := m.close(t.Context()); err != nil || f.count() != 0 {
			t.Errorf("%s: %v, %d are left", p, err, f.count())
		}
		if err := m.close(t.Context()); err != nil {
			t.Errorf("%s: closed twice: %v", p, err)
		}
	}
}

// TestAMuteRouterIsAskedToRemoveBoth has it do what it is asked and say nothing, and leaves
// time to ask once: both mappings go.
func TestAMuteRouterIsAskedToRemoveBoth(t *testing.T) {
	for p := range methodsOf(newFakePort(t)) {
		f := newFakePort(t)
		m := methodsOf(f)[p]
		if _, err := m.open(t.Context()); err != nil || f.count() != 2 {
			t.Fatal(p, err, f.count())
		}
		f.spoilBy(func([]byte) [][]byte { return nil })
		ctx, cancel := context.WithTimeout(t.Context(), tries[1]/2)
		err := m.close(ctx)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", p, err)
		}
		for begin := time.Now(); f.count() > 0; time.Sleep(time.Millisecond) { // what was sent is read in the end
			if time.Since(begin) > 10*time.Second {
				t.Fatalf("%s: %d mappings are left", p, f.count())
			}
		}
	}
}

func TestARouterThatStartedAgainIsNoticed(t *testing.T) {
	for p := range methodsOf(newFakePort(t)) {
		f := newFakePort(t)
		m := methodsOf(f)[p]
		if _, err := m.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.set(func() { f.began, f.entries = time.Now(), map[entry]nonce{} })
		if err := m.check(t.Context()); !errors.Is(err, errForgotten) {
			t.Errorf("%s: %v", p, err)
		}
		if _, err := m.open(t.Context()); err != nil || f.count() != 2 {
			t.Errorf("%s: %v, %d", p, err, f.count())
		}
		// It had only just begun: that it did so once more would not show.
		f.set(func() { f.began, f.entries = time.Now(), map[entry]nonce{} })
		if err := m.check(t.Context()); !errors.Is(err, errForgotten) {
			t.Errorf("%s that had only just begun: %v", p, err)
		}
		f.set(func() { f.began = time.Now().Add(-youngest * time.Second) })
		if _, err := m.open(t.Context()); err != nil || f.count() != 2 {
			t.Errorf("%s: %v, %d", p, err, f.count())
		}
		if err := m.check(t.Context()); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
	// NAT-PMP tells of another address too.
	f := newFakePort(t)
	m := newNATPMP(askerAt(f.at), want4())
	if _, err := m.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.set(func() { f.external = netip.MustParseAddr("11.22.33.45") })
	if err := m.check(t.Context()); !errors.Is(err, errForgotten) {
		t.Error(err)
	}
}

func TestWhatARouterRefusesHasItsReason(t *testing.T) {
	for p, results := range map[Protocol]map[byte]Reason{
		PCP: {
			1: Unsupported, 2: Refused, 3: Broken, 4: Unsupported, 7: NoAddress, 8: Full, 9: Unsupported,
			10: Full, 11: Full, 12: DoubleNAT, 13: Full, 200: Broken,
		},
		NATPMP: {1: Unsupported, 2: Refused, 3: NoAddress, 4: Full, 5: Unsupported, 200: Broken},
	} {
		f := newFakePort(t)
		for result, want := range results {
			f.set(func() { f.result = result })
			if g, err := methodsOf(f)[p].open(t.Context()); err == nil || reasonOf(err) != want {
				t.Errorf("%s, result %d: %+v, %v", p, result, g, err)
			}
		}
	}
}

// Routers of old NAT-PMP tell PCP so at once, and it costs no waiting.
func TestARouterOfNATPMPAloneIsNoPCP(t *testing.T) {
	f := newFakePort(t)
	f.set(func() { f.pcp = false })
	start := time.Now()
	err := newPCP(askerAt(f.at), want4()).probe(t.Context())
	if !errors.Is(err, errOldVersion) || time.Since(start) > time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

func TestLifetimesAndPortsThatAreNone(t *testing.T) {
	t.Parallel()
	for p := range methodsOf(newFakePort(t)) {
		f := newFakePort(t)
		f.set(func() { f.lifetime = 0 })
		if g, err := methodsOf(f)[p].open(t.Context()); reasonOf(err) != Broken {
			t.Errorf("%s, no lifetime: %+v, %v", p, g, err)
		}
		f.set(func() { f.lifetime = 1<<32 - 1 })
		if g, err := methodsOf(f)[p].open(t.Context()); err != nil || g.lease != leaseMost {
			t.Errorf("%s, endless: %+v, %v", p, g, err)
		}
		f.set(func() { f.lifetime, f.external = 3600, netip.IPv4Unspecified() })
		m := methodsOf(f)[p]
		if g, err := m.open(t.Context()); reasonOf(err) != NoAddress {
			t.Errorf("%s, address 0.0.0.0: %+v, %v", p, g, err)
		}
		m.close(t.Context())
		f.set(func() { f.external = netip.MustParseAddr("11.22.33.44") })
		f.set(func() { f.shift = 1<<16 - 7144 }) // port 0
		if g, err := methodsOf(f)[p].open(t.Context()); reasonOf(err) != Broken {
			t.Errorf("%s, port 0: %+v, %v", p, g, err)
		}
	}
}

// spoilt are answers that are passed over: each comes before the right one.
func TestAnswersThatAreNotOursArePassedOver(t *testing.T) {
	change := func(at int, v byte) func([]byte) []byte {
		return func(b []byte) []byte {
			b = append([]byte(nil), b...)
			if at < len(b) {
				b[at] ^= v
			}
			return b
		}
	}
	cut := func(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:min(n, len(b))] } }
	for name, c := range map[string]struct {
		p     Protocol
		spoil func([]byte) []byte
		count func(strange) uint64
	}{
		"PCP cut to nothing":        {PCP, cut(0), func(s strange) uint64 { return s.Malformed }},
		"PCP cut to its head":       {PCP, cut(24), func(s strange) uint64 { return s.Unasked }},
		"PCP cut before its end":    {PCP, cut(59), func(s strange) uint64 { return s.Malformed }},
		"PCP with another nonce":    {PCP, change(24, 1), func(s strange) uint64 { return s.Unasked }},
		"PCP for another port":      {PCP, change(41, 1), func(s strange) uint64 { return s.Unasked }},
		"PCP for another protocol":  {PCP, change(36, 1), func(s strange) uint64 { return s.Unasked }},
		"PCP of another operation":  {PCP, change(1, 3), func(s strange) uint64 { return s.Unasked }},
		"PCP, a request":            {PCP, change(1, 0x80), func(s strange) uint64 { return s.Malformed }},
		"NAT-PMP cut":               {NATPMP, cut(11), func(s strange) uint64 { return s.Malformed }},
		"NAT-PMP cut to nothing":    {NATPMP, cut(0), func(s strange) uint64 { return s.Malformed }},
		"NAT-PMP, another question": {NATPMP, change(1, 3), func(s strange) uint64 { return s.Malformed + s.Unasked }},
		// As an old miniupnpd did, which told 242 for 22002.
		"NAT-PMP, port truncated": {NATPMP, func(b []byte) []byte {
			b = append([]byte(nil), b...)
			if len(b) == pmpMapLen {
				b[8] = 0
			}
			return b
		}, func(s strange) uint64 { return s.Unasked }},
	} {
		f := newFakePort(t)
		f.set(func() { f.spoil = func(a []byte) [][]byte { return [][]byte{c.spoil(a), a} } })
		s := new(strangers)
		at := asker{router: f.at, source: loopback, strange: s}
		m := map[Protocol]method{PCP: newPCP(at, want4()), NATPMP: newNATPMP(at, want4())}[c.p]
		g, err := m.open(t.Context())
		if err != nil || g.external != netip.MustParseAddrPort("11.22.33.44:7144") {
			t.Errorf("%s: %+v, %v", name, g, err)
		}
		if c.count(s.counts()) == 0 {
			t.Errorf("%s was not counted: %+v", name, s.counts())
		}
	}
}

// A stranger on the network who hears or guesses the port of a question floods it with
// answers: none is believed, and the router's comes through.
func TestAStrangersAnswersAreCountedAndCostLittle(t *testing.T) {
	stranger, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	router, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer router.Close()
	done := make(chan struct{})
	go func() { // ends after one question
		defer close(done)
		b := make([]byte, 100)
		n, from, err := router.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		lie := []byte{0, 0x80, 0, 0, 0, 0, 0, 1, 6, 6, 6, 6}
		for range 200 {
			stranger.WriteToUDPAddrPort(lie, from)
		}
		router.WriteToUDPAddrPort([]byte{0, b[1] | 0x80, 0, 0, 0, 0, 0, 1, 11, 22, 33, byte(n)}, from)
	}()
	s := new(strangers)
	p := newNATPMP(asker{router: router.LocalAddr().(*net.UDPAddr).AddrPort(), source: loopback, strange: s}, want4())
	a, err := p.exchange(t.Context(), pmpRequest{op: pmpAddress})
	if err != nil || a.address != netip.MustParseAddr("11.22.33.2") {
		t.Errorf("%+v, %v", a, err)
	}
	if n := s.counts().Sender; n < 100 {
		t.Errorf("%d strangers were counted", n)
	}
	<-done
}

func TestSilenceEndsInTime(t *testing.T) {
	t.Parallel()
	at := askerAt(deaf(t))
	start := time.Now()
	err := newPCP(at, want4()).probe(t.Context())
	if took := time.Since(start); !errors.Is(err, errSilent) || took < patience {
		t.Errorf("%v after %v", err, took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := newPCP(at, want4()).probe(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one that is ended earlier: %v", err)
	}
}

func TestALostPacketIsSentAgain(t *testing.T) {
	t.Parallel()
	n := 0
	f := newFakePort(t)
	f.spoilBy(func(a []byte) [][]byte {
		if n++; n%2 == 1 {
			return nil
		}
		return [][]byte{a}
	})
	if _, err := newPCP(askerAt(f.at), want4()).open(t.Context()); err != nil {
		t.Error(err)
	}
}

// Some routers cannot renew a mapping (NO_RESOURCES) and give it to somebody new.
func TestAMappingThatCannotBeRenewedIsAskedForByANewNonce(t *testing.T) {
	f := newFakePort(t)
	p := newPCP(askerAt(f.at), want4())
	if _, err := p.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	old := p.tcp.nonce
	f.spoilBy(func(a []byte) [][]byte {
		if len(a) >= pcpMapLen && nonce(a[24:]) == old && binary.BigEndian.Uint32(a[4:]) != 0 {
			a[3] = 8
		}
		return [][]byte{a}
	})
	if g, err := p.open(t.Context()); err != nil || !g.external.IsValid() {
		t.Errorf("%+v, %v", g, err)
	}
	if err := p.close(t.Context()); err != nil || f.count() != 0 {
		t.Errorf("%d mappings are left, of which some have the old nonces: %v", f.count(), err)
	}
}

// miniupnpd 2.3 with nftables renews a pinhole without its nonce, and refuses its removal from then on.
func TestAMappingThatNobodyMayRemoveIsShortened(t *testing.T) {
	f := newFakePort(t)
	p := newPCP(askerAt(f.at), want4())
	if _, err := p.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.set(func() { f.forgets = true })
	if err := p.close(t.Context()); f.count() != 0 {
		t.Errorf("%d mappings stay for as long as they were asked for: %v", f.count(), err)
	}
}

// A router whose PCP does not know ANNOUNCE still tells its clock.
func TestARouterWithoutAnnounceIsPCPAllTheSame(t *testing.T) {
	f := newFakePort(t)
	f.spoilBy(func(a []byte) [][]byte {
		if a[1] == pcpAnswers|pcpAnnounce {
			a[3] = 4
		}
		return [][]byte{a}
	})
	p := newPCP(askerAt(f.at), want4())
	if err := p.probe(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestUDPMayHaveAnotherPortOrNone(t *testing.T) {
	for p := range methodsOf(newFakePort(t)) {
		f := newFakePort(t)
		f.spoilBy(func(a []byte) [][]byte {
			if len(a) == pcpMapLen && a[36] == protoUDP || len(a) == pmpMapLen && a[1] == pmpAnswers|pmpMapUDP {
				a[3] = 2
			}
			return [][]byte{a}
		})
		if g, err := methodsOf(f)[p].open(t.Context()); err != nil || g.udp != 0 || g.external.Port() != 7144 {
			t.Errorf("%s: %+v, %v", p, g, err)
		}
	}
}
