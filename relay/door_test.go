package relay

import (
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/refusal"
)

// strangers makes connections to the source from addresses in as many prefixes, 256 at most, in rounds
// of one from each, and writes to each.
func (w *world) strangers(rounds, addresses int, say []byte) (conns []net.Conn) {
	w.t.Helper()
	made := make(chan net.Conn)
	for range rounds {
		for i := range addresses {
			host := w.net.Host(netip.AddrFrom4([4]byte{198, 51, byte(i), 7}))
			time.Sleep(100 * time.Microsecond) // a listener holds only so many that come at once
			go func() {
				conn, err := host.Dial(w.t.Context(), "tcp", w.root.place.Addrs[0].String())
				if err != nil {
					w.t.Error(err)
				} else if _, err := conn.Write(say); err != nil {
					w.t.Error(err)
				}
				made <- conn
			}()
		}
		for range addresses {
			conns = append(conns, <-made)
		}
		time.Sleep(2 * worldDelay) // they are at the door, and so is what they say
	}
	return conns
}

func hangUp(conns []net.Conn) {
	for _, c := range conns {
		c.Close()
	}
}

// firstMessage is what a node's handshake begins with.
func firstMessage(t *testing.T) []byte {
	t.Helper()
	ident, err := newIdentity((&world{rand: rand.New(rand.NewPCG(1, 2))}).key())
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	go func() {
		_ = tls.Client(ours, ident.tlsConfig(alpn)).Handshake() // it is cut short
	}()
	g := newGuardedConn(theirs)
	if err := g.readFirst(func() {}); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	return g.first
}

func TestSilentStrangersKeepNobodyOut(t *testing.T) {
	inWorld(t, 4, func(t *testing.T, w *world) {
		time.Sleep(time.Second)
		conns := w.strangers(10, 100, nil)
		defer hangUp(conns)
		synctest.Wait()
		if n := w.root.node.door.there(waiting); n != atTheDoor {
			t.Errorf("%d of 1000 silent connections are held, want %d", n, atTheDoor)
		}
		w.add(option{slots: 2})
		if took := w.within(300*time.Millisecond, "the newcomer plays", func(n *inhabitant) bool { last, _ := n.seen(); return last > 0 }); took > 300*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if n := w.root.node.door.refused.All()[doorGaveWay]; n != 1000-atTheDoor+1 {
			t.Errorf("%d gave way, want %d", n, 1000-atTheDoor+1)
		}
		time.Sleep(handshakeTime)
		synctest.Wait()
		want := map[refusal.Reason]uint64{doorGaveWay: 1000 - atTheDoor + 1, doorSilent: atTheDoor - 1}
		if got := w.root.node.door.refused.All(); !maps.Equal(got, want) {
			t.Errorf("refused: %v, want %v", got, want)
		}
	})
}

// TestHandshakesThatStopKeepNobodyOut has a newcomer come to a node at which all handshakes that may be
// under way have stopped after their first message: of fewer prefixes than those, and of more.
func TestHandshakesThatStopKeepNobodyOut(t *testing.T) {
	hello := firstMessage(t)
	for addresses, wait := range map[int]time.Duration{handshakes / 2: slowAfter, handshakes + 50: stalledAfter} {
		inWorld(t, 4, func(t *testing.T, w *world) {
			time.Sleep(time.Second)
			conns := w.strangers(2, addresses, hello)
			defer hangUp(conns)
			if n := w.root.node.door.there(func(v *visitor) bool { return v.stage == shaking }); n != handshakes {
				t.Errorf("%d handshakes are under way, want %d", n, handshakes)
			}
			w.add(option{slots: 2})
			took := w.within(wait+300*time.Millisecond, "the newcomer plays", func(n *inhabitant) bool { last, _ := n.seen(); return last > 0 })
			t.Logf("from %d prefixes: the newcomer plays after %v", addresses, took)
		})
	}
}

// lobby is a door at which somebody comes from an address.
type lobby struct {
	*door
	t *testing.T
}

func (l lobby) come(from string) *visitor {
	a, b := net.Pipe()
	l.t.Cleanup(func() { a.Close() })
	return l.enter(b, netip.MustParseAddr(from))
}

// ask has a visitor wait for its turn, whose first message has come.
func (l lobby) ask(v *visitor) *visitor {
	l.spoke(v)
	go func() { _ = l.await(l.t.Context(), v) }()
	synctest.Wait()
	return v
}

func (l lobby) stageOf(v *visitor) stage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return v.stage
}

func (l lobby) stages() (of [gone + 1]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range l.visitors {
		of[v.stage]++
	}
	return of
}

func TestWhoGivesWayAtTheDoor(t *testing.T) {
	for name, c := range map[string]struct {
		before []string // addresses, from which as many come as there is room for, in turn
		spoke  int      // how many of those have said something, the first ones
		want   int      // which gives way to one more
	}{
		"the oldest of one address":             {[]string{"192.0.2.1"}, 0, 0},
		"of the address that has most":          {[]string{"192.0.2.1", "198.51.100.1", "198.51.100.1"}, 0, 1},
		"of the prefix that has most":           {[]string{"192.0.2.1", "192.0.2.1", "198.51.100.1", "198.51.100.2", "198.51.100.3"}, 0, 2},
		"of the customer that has most":         {[]string{"2001:db8:1::1", "2001:db8:1:1::1", "2001:db8:1:1::2"}, 0, 1},
		"who has said nothing, though few":      {[]string{"198.51.100.1"}, atTheDoor - 1, atTheDoor - 1},
		"somebody who has, when all have":       {[]string{"192.0.2.1", "198.51.100.1", "198.51.100.1"}, atTheDoor, 1},
		"nobody for an address of its own kind": {[]string{"::ffff:192.0.2.1", "192.0.2.2"}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := lobby{&door{}, t}
				var all []*visitor
				for i := range atTheDoor {
					all = append(all, l.come(c.before[i%len(c.before)]))
				}
				for _, v := range all[:c.spoke] {
					l.spoke(v)
				}
				l.come("203.0.113.1")
				got := slices.IndexFunc(all, func(v *visitor) bool { return v.stage == gone })
				if got != c.want || len(l.visitors) != atTheDoor {
					t.Errorf("%d gave way, want %d; %d are there", got, c.want, len(l.visitors))
				}
				if _, err := all[got].conn.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
					t.Errorf("its connection ends with %v", err)
				}
			})
		})
	}
}

func TestACrowdBehindOneAddressGetsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lobby{&door{}, t}
		var crowd []*visitor
		const all = handshakes + joinBurst
		for range all {
			crowd = append(crowd, l.ask(l.come("192.0.2.1")))
		}
		if s := l.stages(); s[shaking] != handshakes || s[ready] != all-handshakes {
			t.Fatalf("stages %v", s)
		}
		for range all { // those under way are done, one after the other
			i := slices.IndexFunc(crowd, func(v *visitor) bool { return v.stage == shaking })
			time.Sleep(10 * time.Millisecond)
			l.leave(crowd[i])
		}
		if n := len(l.refused.All()); len(l.visitors) != 0 || n != 0 {
			t.Errorf("%d are left, %d reasons", len(l.visitors), n)
		}
	})
}

func TestHandshakesOfACrowdedPrefixMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lobby{&door{}, t}
		var crowd []*visitor
		for range handshakes {
			crowd = append(crowd, l.ask(l.come("192.0.2.1")))
		}
		time.Sleep(slowAfter - 2*pressEvery)
		v := l.ask(l.come("203.0.113.1"))
		if l.stageOf(v) != ready {
			t.Errorf("it is at stage %d before the others are slow", l.stageOf(v))
		}
		time.Sleep(3 * pressEvery)
		synctest.Wait()
		if l.stageOf(v) != shaking || l.stageOf(crowd[0]) != gone || l.stages()[shaking] != handshakes {
			t.Errorf("it is at stage %d, the oldest at %d, in all %v", l.stageOf(v), l.stageOf(crowd[0]), l.stages())
		}
		neighbour := l.ask(l.come("192.0.2.200"))
		if l.stageOf(neighbour) != shaking || l.stageOf(crowd[1]) != gone {
			t.Errorf("a neighbour is at stage %d, the oldest of the crowd at %d", l.stageOf(neighbour), l.stageOf(crowd[1]))
		}
		own := l.ask(l.come("192.0.2.1"))
		time.Sleep(stalledAfter / 2)
		synctest.Wait()
		if l.stageOf(own) != ready {
			t.Errorf("one of the crowd's address has taken another's place before that has stalled: %d", l.stageOf(own))
		}
		time.Sleep(stalledAfter)
		synctest.Wait()
		if l.stageOf(own) != shaking {
			t.Errorf("stalled handshakes keep it out: %d", l.stageOf(own))
		}
	})
}

// One whose neighbours hold handshakes is not behind those of quieter prefixes that wait as well.
func TestWhoSharesAPrefixWithACrowdGetsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lobby{&door{}, t}
		for i := range handshakes {
			l.ask(l.come([]string{"192.0.2.1", "198.51.100.1"}[i%2]))
		}
		time.Sleep(slowAfter)
		l.ask(l.come("198.51.100.1"))
		v := l.ask(l.come("192.0.2.200"))
		l.ask(l.come("198.51.100.1"))
		if l.stageOf(v) != shaking || l.stages()[shaking] != handshakes {
			t.Errorf("it is at stage %d, in all %v", l.stageOf(v), l.stages())
		}
	})
}

func TestWhatIsLetInDoesNotGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lobby{&door{}, t}
		for range handshakes {
			l.know(l.ask(l.come("192.0.2.1")))
		}
		time.Sleep(handshakeTime)
		for range 2 * atTheDoor {
			l.come("192.0.2.1")
		}
		if s := l.stages(); s[known] != handshakes || s[silent] != atTheDoor {
			t.Errorf("stages %v", s)
		}
	})
}

// there is how many of some visitors are at the door.
func (d *door) there(which func(*visitor) bool) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count(which)
}
