package membership

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/stream"
	"relay/tree"
)

// besieged is one member, and what it sends to whom.
type besieged struct {
	*Cluster

	mu    sync.Mutex
	sent  map[netip.AddrPort]int // bytes to each address
	pings map[netip.AddrPort]int
	// answers reports whether somebody answers at an address.
	answers func(netip.AddrPort) bool
}

// besiege runs f with a member in a bubble.
func besiege(t *testing.T, cfg Config, answers func(netip.AddrPort) bool, f func(t *testing.T, b *besieged)) {
	synctest.Test(t, func(t *testing.T) {
		b := &besieged{sent: make(map[netip.AddrPort]int), pings: make(map[netip.AddrPort]int), answers: answers}
		own := netip.MustParseAddrPort("203.0.113.1:7144")
		cfg.Key, cfg.Channel, cfg.Root = testKey(9), stream.ChannelID{9}, true
		cfg.Send = b.send
		cfg.Dial = func(context.Context, tree.ID, netip.AddrPort) (net.Conn, error) {
			return nil, errors.New("nobody takes streams")
		}
		cfg.Seeds = func(context.Context) []tree.Place { return nil }
		b.Cluster = New(cfg)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = b.Run(ctx)
		}()
		b.Tell(Self{Addrs: []netip.AddrPort{own}})
		synctest.Wait()
		f(t, b)
		cancel()
		<-ended
		time.Sleep(10 * time.Second) // probes of memberlist's may outlast it
	})
}

func (b *besieged) send(m []byte, to netip.AddrPort) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sent[to] += len(m); m[0] != msgPing {
		return nil
	}
	b.pings[to]++
	if s, err := stateOf(m[1:], "Node"); err == nil && b.answers(to) {
		go b.Packet(message(msgAck, struct{ SeqNo uint32 }{uint32(s.numbers["SeqNo"])}), to)
	}
	return nil
}

// aliveOf tells of a node with a key of its own at an address.
func aliveOf(i int, at netip.AddrPort) []byte {
	seed := make([]byte, ed25519.SeedSize)
	binary.BigEndian.PutUint32(seed, uint32(i))
	key := ed25519.NewKeyFromSeed(seed)
	b := meta{told: 5, Member: Member{Place: tree.Place{Addrs: []netip.AddrPort{at}}, Slots: 4, Free: 4}}.sign(key, stream.ChannelID{9})
	m, _ := parseMeta(b) // it is in order
	return message(msgAlive, alive{1, m.Place.ID.String(), at.Addr().AsSlice(), at.Port(), b, []byte{1, 5, 2, 0, 0, 0}})
}

// flood tells of 640 nodes in packets from one address, 50 a second, and returns how many bytes that was
// and the most members that the node has counted, itself left out, at any of twenty moments of 90 s.
func (b *besieged) flood(at func(i int) netip.AddrPort) (bytes, ghosts int) {
	from := netip.MustParseAddrPort("198.51.100.66:4000")
	for i := range 640 {
		m := aliveOf(i, at(i))
		bytes += len(m)
		b.Packet(m, from)
		time.Sleep(20 * time.Millisecond)
		ghosts = max(ghosts, b.Len()-1)
	}
	for range 20 {
		time.Sleep(4500 * time.Millisecond)
		ghosts = max(ghosts, b.Len()-1, len(b.Sample(1000)))
	}
	return bytes, ghosts
}

func never(netip.AddrPort) bool  { return false }
func always(netip.AddrPort) bool { return true }

var victim = netip.MustParseAddrPort("192.0.2.7:443")

func TestNobodyIsCountedWhoHasNotAnswered(t *testing.T) {
	besiege(t, Config{}, never, func(t *testing.T, b *besieged) {
		in, ghosts := b.flood(func(int) netip.AddrPort { return victim })
		if ghosts != 0 {
			t.Errorf("%d ghosts are counted", ghosts)
		}
		if out := b.sent[victim]; out == 0 || out > in || len(b.sent) != 1 {
			t.Errorf("%d bytes went to who was named, %d had come; in all %d addresses were sent to", out, in, len(b.sent))
		}
		if n := b.refused.All()[refusedUnreached]; n != uint64(b.pings[victim]/reachPings) {
			t.Errorf("%d are counted that did not answer %d pings", n, b.pings[victim])
		}
		t.Logf("%d bytes in, %d out", in, b.sent[victim])
	})
}

// A packet that tells of a node pays for the pings that it causes.
func TestPingsAreShorterThanWhatTheyAreSentFor(t *testing.T) {
	if n, most := reachPings*len(pingMessage(1, tree.ID{}.String())), len(aliveOf(1, victim)); n > most {
		t.Errorf("%d bytes of pings for a message of %d", n, most)
	}
}

func TestWhoAnswersCanBeFewMembers(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		at   func(i int) netip.AddrPort
		want int
	}{
		"of one address": {Config{}, func(i int) netip.AddrPort { return netip.AddrPortFrom(victim.Addr(), uint16(2000+i)) }, AddressShare},
		"of one prefix": {Config{}, func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), uint16(2000+i))
		}, PrefixShare},
		"of one IPv6 customer": {Config{}, func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)}), uint16(2000+i))
		}, AddressShare},
		"of one IPv6 site": {Config{}, func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 7: byte(i), 15: 1}), uint16(2000+i))
		}, PrefixShare},
		"but as many as may be in the own networks": {
			Config{Max: 80, Near: func(netip.Addr) bool { return true }},
			func(i int) netip.AddrPort { return netip.AddrPortFrom(victim.Addr(), uint16(2000+i)) }, 100,
		},
		"but as many as there are links": {
			Config{Max: 80, Linked: func(tree.ID) bool { return true }},
			func(i int) netip.AddrPort { return netip.AddrPortFrom(victim.Addr(), uint16(2000+i)) }, 100,
		},
		"and none at addresses of which others may not tell": {
			Config{MayTell: func(a netip.Addr) bool { return a != victim.Addr() }}, func(int) netip.AddrPort { return victim }, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			besiege(t, c.cfg, always, func(t *testing.T, b *besieged) {
				if _, n := b.flood(c.at); n != c.want {
					t.Errorf("%d of 640 are counted, want %d", n, c.want)
				}
			})
		})
	}
}

func TestWhoGoesAwayHasToAnswerAgain(t *testing.T) {
	var gone atomic.Bool
	besiege(t, Config{}, func(netip.AddrPort) bool { return !gone.Load() }, func(t *testing.T, b *besieged) {
		from := netip.MustParseAddrPort("198.51.100.66:4000")
		b.Packet(aliveOf(1, victim), from)
		time.Sleep(time.Second)
		if n := b.Len(); n != 2 {
			t.Fatalf("%d members, want 2", n)
		}
		gone.Store(true)
		time.Sleep(10 * time.Second)
		if n := b.Len(); n != 1 {
			t.Fatalf("%d members 10 s after the only other one has gone", n)
		}
		for range 10 {
			b.Packet(aliveOf(1, victim), from)
			time.Sleep(time.Second)
		}
		if n := b.Len(); n != 1 {
			t.Errorf("%d members, though nobody answers", n)
		}
	})
}

// TestAFloodOfStrangersKeepsNoMembersWordOut has strangers tell of more nodes than are tried.
func TestAFloodOfStrangersKeepsNoMembersWordOut(t *testing.T) {
	honest := netip.MustParseAddrPort("192.0.2.200:7144")
	besiege(t, Config{}, func(a netip.AddrPort) bool { return a == honest }, func(t *testing.T, b *besieged) {
		tr := b.transport().triers
		for i := range 1000 {
			s, _ := stateOf(aliveOf(i, netip.AddrPortFrom(netip.AddrFrom4([4]byte{100, byte(i >> 8), byte(i), 1}), 7144))[1:], "Node")
			tr.consider(s, []byte{msgAlive}, netip.AddrFrom4([4]byte{198, 51, byte(i), 1}), byStranger)
		}
		if n := len(tr.order); n != triedMost[byStranger] {
			t.Errorf("%d are tried, want %d", n, triedMost[byStranger])
		}
		m := aliveOf(5000, honest)
		s, _ := stateOf(m[1:], "Node")
		tr.consider(s, m, netip.MustParseAddr("192.0.2.1"), byMember)
		synctest.Wait()
		time.Sleep(100 * time.Millisecond)
		if n := b.Len(); n != 2 {
			t.Errorf("%d members, want 2", n)
		}
	})
}

func TestOneMembersWordIsTriedWithinBounds(t *testing.T) {
	besiege(t, Config{}, never, func(t *testing.T, b *besieged) {
		tr := b.transport().triers
		for i := range 1000 {
			s, _ := stateOf(aliveOf(i, netip.AddrPortFrom(netip.AddrFrom4([4]byte{100, byte(i >> 8), byte(i), 1}), 7144))[1:], "Node")
			tr.consider(s, []byte{msgAlive}, netip.MustParseAddr("192.0.2.1"), byMember)
		}
		synctest.Wait()
		if n := len(b.sent); n != tellerMost {
			t.Errorf("%d addresses were sent to, want %d", n, tellerMost)
		}
		if got := b.refused.All(); got[refusedTrying] != 1000-tellerMost {
			t.Errorf("refused: %v", got)
		}
	})
}
