//go:build !lean

package srt

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datarhei/gosrt/packet"

	"relay/relay/refusal"
)

// hello is the first question of a caller, as bytes.
func hello(socket uint32) []byte {
	b := make([]byte, headLen+cifLen)
	b[0] = 0x80
	binary.BigEndian.PutUint32(b[16:], 4)
	binary.BigEndian.PutUint16(b[22:], 2)
	binary.BigEndian.PutUint32(b[28:], 1500)
	binary.BigEndian.PutUint32(b[32:], 8192)
	binary.BigEndian.PutUint32(b[36:], 1) // induction
	binary.BigEndian.PutUint32(b[40:], socket)
	return b
}

// conclusion is the second question, with a cookie and with extensions behind it.
func conclusion(socket, cookie uint32, extensions ...byte) []byte {
	b := hello(socket)
	binary.BigEndian.PutUint32(b[16:], 5)
	binary.BigEndian.PutUint16(b[22:], 7)
	binary.BigEndian.PutUint32(b[36:], 0xffffffff)
	binary.BigEndian.PutUint32(b[44:], cookie)
	return append(b, extensions...)
}

// extension is one of a handshake.
func extension(kind uint16, body ...byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, kind)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(body)/4)), body...)
}

// suits is the extension that says what libsrt 1.5 can do, with latencies of 120 ms.
var suits = extension(1, 0, 1, 5, 0, 0, 0, 0, 0xbf, 0, 120, 0, 120)

// readsAny is that of a player of the only stream: "read:" in words of four bytes turned round.
var readsAny = extension(5, 'd', 'a', 'e', 'r', 0, 0, 0, ':')

// asker is a caller of which each byte is ours.
type asker struct {
	t    *testing.T
	conn *net.UDPConn
}

func newAsker(t *testing.T, to string) *asker {
	t.Helper()
	c, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &asker{t, c.(*net.UDPConn)}
}

// ask sends a datagram and returns the answer, nil if none has come after the wait.
func (a *asker) ask(b []byte, wait time.Duration) []byte {
	a.t.Helper()
	if _, err := a.conn.Write(b); err != nil {
		a.t.Fatal(err)
	}
	a.conn.SetReadDeadline(time.Now().Add(wait))
	got := make([]byte, 2000)
	n, err := a.conn.Read(got)
	if err != nil {
		return nil
	}
	return got[:n]
}

func (a *asker) cookie() uint32 {
	a.t.Helper()
	b := a.ask(hello(1), 10*time.Second)
	if len(b) != headLen+cifLen || binary.BigEndian.Uint16(b[22:]) != magic {
		a.t.Fatalf("the answer to a first question is %x", b)
	}
	return binary.BigEndian.Uint32(b[44:])
}

func TestHostileHandshakesAreRefusedAndCostNothing(t *testing.T) {
	r := newRecorder()
	s := start(t, &Server{Publish: takes(r), Play: func(net.Addr, string) (Viewing, error) { return nil, ErrNoStream }})
	a := newAsker(t, s.addr)
	cookie := a.cookie()
	small := conclusion(9, cookie, slices.Concat(suits, readsAny)...)
	binary.BigEndian.PutUint32(small[28:], 10) // a segment of 10 bytes
	old := conclusion(10, cookie)
	binary.BigEndian.PutUint32(old[16:], 4)
	binary.BigEndian.PutUint16(old[22:], 2)
	for i, c := range []struct {
		name string
		b    []byte
		code Code // 0 for no answer
	}{
		{"nothing", nil, 0},
		{"a head alone", make([]byte, headLen), 0},
		{"noise", []byte("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), 0},
		{"no cookie", conclusion(1, 0, suits...), 0},
		{"another cookie", conclusion(1, cookie^2, suits...), 0},
		{"an extension of one byte", conclusion(2, cookie, 1), 0},
		{"one of three bytes behind another", conclusion(3, cookie, append(slices.Clone(suits), 0, 5, 0)...), 0},
		{"one that is longer than the datagram", conclusion(4, cookie, 0, 5, 255, 255), 0},
		{"a hundred extensions", conclusion(5, cookie, slices.Repeat(extension(9), 100)...), 0},
		{"none", conclusion(6, cookie), codeRogue},
		{"a key of another length", conclusion(7, cookie, slices.Concat(suits, extension(3, 0x12, 0x20, 0x29, 1, 0, 0, 0, 0, 2, 0, 2, 0, 0, 0, 4, 9))...), 0},
		{"a stream ID of 1,400 bytes", conclusion(8, cookie, slices.Concat(suits, extension(5, make([]byte, 1400)...))...), 0},
		{"a segment that is too small", small, codeRogue},
		{"version 4", old, codeVersion},
		{"a file", conclusion(11, cookie, extension(1, 0, 1, 5, 0, 0, 0, 0, 0xff, 0, 120, 0, 120)...), codeVersion},
		{"libsrt 1.2", conclusion(12, cookie, extension(1, 0, 1, 2, 0, 0, 0, 0, 0xbf, 0, 120, 0, 120)...), codeVersion},
		{"a minute of latency", conclusion(13, cookie, slices.Concat(extension(1, 0, 1, 5, 0, 0, 0, 0, 0xbf, 0xea, 0x60, 0, 120), readsAny)...), codeUnacceptable},
		{"longer than a datagram of Ethernet", append(hello(14), make([]byte, 1500)...), 0},
	} {
		wait := 10 * time.Second
		if c.code == 0 {
			wait = 20 * time.Millisecond // an answer would be to the next one
		}
		got := a.ask(c.b, wait)
		switch {
		case c.code == 0 && got != nil:
			t.Errorf("%d, %s: it is answered: %x", i, c.name, got)
		case c.code != 0 && (len(got) != headLen+cifLen || Code(binary.BigEndian.Uint32(got[36:])) != c.code):
			t.Errorf("%d, %s: the answer is %x, want code %d", i, c.name, got, c.code)
		}
	}
	a.cookie() // it is still there
}

// heap is what is in use, in bytes.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestStrangersCostNoMemory(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var mu sync.Mutex
	answers, longest := 0, 0
	s := &Server{Key: testKey, Publish: takes(newRecorder())}
	l := newListener(ctx, s, func(b []byte, _ netip.AddrPort) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		answers, longest = answers+1, max(longest, len(b))
		return len(b), nil
	})
	defer l.tasks.Wait()
	defer cancel()
	before, goroutines, now := heap(), runtime.NumGoroutine(), time.Now()
	address := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 5000)
	}
	const many = 5_000
	for i := range many { // half-open
		l.take(hello(uint32(i+1)), address(i), now)
	}
	if answers != many || longest > len(hello(1)) {
		t.Errorf("%d answers of up to %d bytes to %d questions of %d", answers, longest, many, len(hello(1)))
	}
	if more := heap() - before; more > 256<<10 {
		t.Errorf("%d half-open callers hold %d bytes", many, more)
	}
	// And those with a cookie and a wrong passphrase.
	km := extension(3, append([]byte{0x12, 0x20, 0x29, 1, 0, 0, 0, 0, 2, 0, 2, 0, 0, 0, 4, 4}, make([]byte, 16+24)...)...)
	for i := range many / 4 {
		l.take(conclusion(uint32(i+1), l.cookies.of(address(i), now), slices.Concat(suits, km)...), address(i), now)
	}
	if n := runtime.NumGoroutine() - goroutines; n > deciding {
		t.Errorf("%d goroutines more", n)
	}
	if more := heap() - before; more > 1<<20 {
		t.Errorf("%d wrong passphrases hold %d bytes", many, more)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) != 0 {
		t.Errorf("%d connections", len(l.conns))
	}
}

func TestStrangersLeaveRoomForOthers(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{Key: testKey, Publish: takes(newRecorder()), Refusals: &refusal.Counts{}, Own: func(a netip.Addr) bool { return a.IsPrivate() }}
	l := newListener(ctx, s, func(b []byte, _ netip.AddrPort) (int, error) { return len(b), nil })
	defer l.tasks.Wait()
	defer cancel()
	now := time.Now()
	asks := func(of string, port int) bool {
		from := netip.AddrPortFrom(netip.MustParseAddr(of), uint16(port))
		l.take(conclusion(1, l.cookies.of(from, now), suits...), from, now)
		for { // until it is decided
			l.mu.Lock()
			a, n := l.answers[caller{from, 1}], l.deciding
			l.mu.Unlock()
			if n == 0 {
				return a != nil
			}
			runtime.Gosched()
		}
	}
	for port := range 1000 {
		if !asks("192.0.2.1", port+1) {
			t.Fatalf("there is no room for caller %d", port)
		}
	}
	if n := len(l.answers); n > maxRefusals {
		t.Errorf("%d refusals are kept", n)
	}
	if !asks("192.168.1.2", 1) {
		t.Error("there is no room for others")
	}
}

// accepted is a connection without a network, of an encoder or a player.
func accepted(ctx context.Context, player bool, sent func([]byte)) *conn {
	now := time.Now()
	cfg := connConfig{write: sent, id: 7, peer: 8, first: sequence(0), clock: newPeerClock(0, now), begun: now, hold: MinLatency, keep: MaxLatency, player: player}
	return newConn(ctx, cfg, now)
}

// datum is a packet of data.
func datum(number, stamp uint32, payload int) []byte {
	b := make([]byte, headLen+payload)
	binary.BigEndian.PutUint32(b, number)
	binary.BigEndian.PutUint32(b[4:], 0xc0000001)
	binary.BigEndian.PutUint32(b[8:], stamp)
	return b
}

func TestWhatAnEncoderSendsAheadOfTimeIsBounded(t *testing.T) {
	c := accepted(t.Context(), false, func([]byte) {})
	now := time.Now()
	for i := range uint32(3 * maxHeld) {
		c.handle(datum(i, 1<<31-1+i, Payload), now) // to be shown in 35 minutes
	}
	if n := c.recv.Stats().PktBuf; n > maxHeld {
		t.Errorf("%d packets are held", n)
	}
	if c.overflow == 0 {
		t.Error("nothing was left out")
	}
	c.tick(now.Add(ahead + MinLatency + time.Millisecond))
	if n := len(c.in); n != waiting {
		t.Errorf("after a second %d packets wait, want %d", n, waiting)
	}
}

func TestAPlayerThatSendsDataIsCut(t *testing.T) {
	c := accepted(t.Context(), true, func([]byte) {})
	for i := range uint32(chatter + 1) {
		c.handle(datum(i, i, Payload), time.Now())
	}
	if why := context.Cause(c.ctx); why != errNoise {
		t.Error(why)
	}
}

func TestReportsOfLossesDoNotAmplify(t *testing.T) {
	sent := 0
	c := accepted(t.Context(), true, func(b []byte) { sent += len(b) })
	for range 1000 {
		c.put(make([]byte, Payload))
	}
	all := control(packet.CTRLTYPE_NAK, 0, 7, nil)
	all.SetData([]byte{0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff}) // from the first to the last number
	nak, once := marshal(all), sent
	for i := range 2_000 {
		c.handle(nak, time.Now().Add(time.Duration(i)*time.Millisecond))
	}
	if most := 3*once + maxAgain; sent > most {
		t.Errorf("%d bytes of media were sent in %d bytes, want %d at most", once, sent, most)
	}
}

func TestWhatAPlayerDoesNotTakeIsBounded(t *testing.T) {
	c := accepted(t.Context(), true, func([]byte) {})
	some := slices.Repeat([][]byte{make([]byte, Payload)}, 500)
	n := 0
	var err error
	for ; err == nil && n < 2*maxUnsent; n += len(some) * Payload {
		err = c.put(some...)
	}
	if err != errSlow || context.Cause(c.ctx) != errSlow || n > maxUnsent+2*len(some)*Payload {
		t.Errorf("%v after %d bytes", err, n)
	}
}

func TestAPlayerThatAcknowledgesNothingIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := accepted(t.Context(), true, func([]byte) {})
		begun := time.Now()
		keepalive := marshal(control(packet.CTRLTYPE_KEEPALIVE, 0, 7, nil))
		for c.ctx.Err() == nil && time.Since(begun) < time.Minute {
			c.put(make([]byte, Payload))
			c.handle(keepalive, time.Now())
			time.Sleep(10 * time.Millisecond)
			c.tick(time.Now())
		}
		if why := context.Cause(c.ctx); why != errSlow || time.Since(begun) > 4*lookEvery {
			t.Errorf("%v after %v", why, time.Since(begun))
		}
	})
}

func FuzzDatagrams(f *testing.F) {
	f.Add(byte(0), hello(1))
	f.Add(byte(0), conclusion(2, 0, slices.Concat(suits, readsAny)...))
	f.Add(byte(0), conclusion(3, 0, slices.Concat(suits, extension(3, append([]byte{0x12, 0x20, 0x29, 1, 0, 0, 0, 0, 2, 0, 2, 0, 0, 0, 4, 4}, make([]byte, 16+24)...)...))...))
	f.Add(byte(1), datum(0, 0, 188))
	f.Add(byte(2), marshal(control(packet.CTRLTYPE_ACK, 0, 7, &packet.CIFACK{LastACKPacketSequenceNumber: sequence(1)})))
	f.Add(byte(3), marshal(control(packet.CTRLTYPE_NAK, 0, 7, &packet.CIFNAK{})))
	for sub := range packet.CtrlSubType(5) {
		k, _ := newKey(16)
		km, _ := k.material(testKey)
		p := control(packet.CTRLTYPE_USER, 0, 7, km)
		p.Header().SubType = sub
		f.Add(byte(5), marshal(p))
	}
	f.Fuzz(func(t *testing.T, how byte, b []byte) {
		ctx, cancel := context.WithCancel(t.Context())
		now := time.Now()
		if how&3 == 0 {
			from := netip.MustParseAddrPort("192.0.2.1:5000")
			s := &Server{Key: testKey, Publish: takes(newRecorder()), Play: func(net.Addr, string) (Viewing, error) { return nil, ErrNoStream }}
			l := newListener(ctx, s, func(b []byte, _ netip.AddrPort) (int, error) { return len(b), nil })
			if len(b) >= headLen+cifLen {
				b = slices.Clone(b)
				binary.BigEndian.PutUint32(b[44:], l.cookies.of(from, now))
			}
			l.take(b, from, now)
			cancel()
			l.tasks.Wait()
			return
		}
		defer cancel()
		c := accepted(ctx, how&1 == 0, func([]byte) {})
		if how&4 != 0 {
			c.key, _ = newKey(16)
			c.passphrase = testKey
		}
		c.put(make([]byte, Payload), make([]byte, 188))
		if len(b) >= headLen {
			c.handle(b, now)
			c.handle(b, now.Add(time.Second))
		}
		c.tick(now.Add(2 * time.Second))
	})
}
