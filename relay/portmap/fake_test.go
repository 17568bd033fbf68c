package portmap

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// quick is the usual timing for tests that use real sockets.
var quick = func() *timing {
	t := usual
	t.grace, t.check, t.again, t.refused = 50*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond
	return &t
}()

// fakeUDP answers packets on loopback with what a function returns: nothing for nil.
func fakeUDP(t *testing.T, answer func(b []byte) [][]byte) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	go func() { // ends when the socket is closed
		defer close(done)
		b := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			for _, a := range answer(b[:n]) {
				conn.WriteToUDPAddrPort(a, from)
			}
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// deaf is an address where nobody answers.
func deaf(t *testing.T) netip.AddrPort { return fakeUDP(t, func([]byte) [][]byte { return nil }) }

func askerAt(at netip.AddrPort) asker {
	return asker{router: at, source: loopback, strange: new(strangers)}
}

// fakePort is a router that speaks PCP and NAT-PMP.
type fakePort struct {
	at netip.AddrPort

	mu       sync.Mutex
	pcp, pmp bool
	external netip.Addr
	lifetime uint32
	began    time.Time
	result   byte            // of each mapping; 0 to give it
	shift    uint16          // external ports are so much higher than wished
	entries  map[entry]nonce // what is mapped
	forgets  bool            // whose a mapping is when it renews it
	spoil    func(answer []byte) [][]byte
}

type entry struct {
	protocol byte
	external uint16
}

func newFakePort(t *testing.T) *fakePort {
	f := &fakePort{
		pcp: true, pmp: true, external: netip.MustParseAddr("11.22.33.44"), lifetime: 3600, began: time.Now().Add(-time.Hour),
		entries: map[entry]nonce{},
	}
	f.at = fakeUDP(t, f.answer)
	return f
}

func (f *fakePort) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakePort) spoilBy(spoil func([]byte) [][]byte) { f.set(func() { f.spoil = spoil }) }

func (f *fakePort) count() (n int) {
	f.set(func() { n = len(f.entries) })
	return n
}

func (f *fakePort) answer(b []byte) [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	var a []byte
	switch {
	case len(b) >= 24 && b[0] == pcpVersion && f.pcp:
		a = f.answerPCP(b)
	case len(b) >= 2 && b[0] == pmpVersion && f.pmp:
		a = f.answerPMP(b)
	case len(b) >= 2 && f.pmp:
		a = []byte{0, b[1] | 0x80, 0, 1, 0, 0, 0, 0}
	}
	if a == nil {
		return nil
	}
	if f.spoil != nil {
		return f.spoil(a)
	}
	return [][]byte{a}
}

func (f *fakePort) clock() uint32 { return uint32(time.Since(f.began) / time.Second) }

func (f *fakePort) answerPCP(b []byte) []byte {
	a := append([]byte(nil), b...)
	a[1] |= 0x80
	a[2], a[3] = 0, 0
	clear(a[8:24])
	binary.BigEndian.PutUint32(a[8:], f.clock())
	if b[1] != pcpMap || len(b) < pcpMapLen {
		return a
	}
	if a[3] = f.result; f.result != 0 {
		return a
	}
	internal, wish := binary.BigEndian.Uint16(b[40:]), binary.BigEndian.Uint16(b[42:])
	if lifetime := binary.BigEndian.Uint32(b[4:]); f.forgets && lifetime < f.lifetime {
		if a[3] = 2; lifetime > 0 { // it is to end soon: here, at once
			a[3] = 0
			delete(f.entries, entry{b[36], wish})
			binary.BigEndian.PutUint32(a[4:], lifetime)
		}
		return a
	} else if lifetime == 0 {
		for e, n := range f.entries {
			if n == nonce(b[24:]) && e.protocol == b[36] {
				delete(f.entries, e)
			}
		}
		return a
	}
	if wish == 0 {
		wish = internal
	}
	external := wish
	if wish == internal {
		external += f.shift
	}
	for n, taken := f.entries[entry{b[36], external}]; taken && n != nonce(b[24:]); n, taken = f.entries[entry{b[36], external}] {
		external++ // to the router that is somebody else
	}
	f.entries[entry{b[36], external}] = nonce(b[24:])
	binary.BigEndian.PutUint32(a[4:], f.lifetime)
	binary.BigEndian.PutUint16(a[42:], external)
	address := f.external.As16()
	copy(a[44:], address[:])
	return a
}

func (f *fakePort) answerPMP(b []byte) []byte {
	a := []byte{0, b[1] | 0x80, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(a[4:], f.clock())
	if b[1] == pmpAddress {
		address := f.external.As4()
		return append(a, address[:]...)
	}
	if a[3] = f.result; f.result != 0 || len(b) < 12 {
		return a
	}
	protocol := byte(protoTCP)
	if b[1] == pmpMapUDP {
		protocol = protoUDP
	}
	internal, wish := binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	lifetime := f.lifetime
	if binary.BigEndian.Uint32(b[8:]) == 0 {
		lifetime, wish = 0, 0
		for e := range f.entries {
			if e.protocol == protocol {
				delete(f.entries, e)
			}
		}
	} else {
		if wish == internal {
			wish += f.shift
		}
		f.entries[entry{protocol, wish}] = nonce{}
	}
	a = binary.BigEndian.AppendUint16(a, internal)
	a = binary.BigEndian.AppendUint16(a, wish)
	return binary.BigEndian.AppendUint32(a, lifetime)
}

// mapperAt runs a mapper against routers on loopback until the test ends or stop is called.
func mapperAt(t *testing.T, m *Mapper) (stop func()) {
	t.Helper()
	m.timing = quick
	if m.Gateways == nil {
		m.Gateways = func() []netip.Addr { return []netip.Addr{loopback} }
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// until waits for a state.
func until(t *testing.T, m *Mapper, want string, ok func(State) bool) State {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		s := m.State()
		if ok(s) {
			return s
		}
		if time.Now().After(end) {
			t.Fatalf("%s did not happen: %+v", want, s)
		}
	}
}

func mapped(s State) bool { return len(s.Mappings) > 0 }
func failed(s State) bool { return len(s.Failures) > 0 }
