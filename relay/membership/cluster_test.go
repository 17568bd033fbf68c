package membership_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/membership"
	"relay/relay/relaytest"
	"relay/relay/stream"
	"relay/tree"
)

const (
	delay = 20 * time.Millisecond
	port  = 7144
	// lingers is how long a probe of memberlist's may still wait for an answer when
	// it has been shut down.
	lingers = 10 * time.Second
	// settles is how long members may take to know each other. Rounds of gossip miss one of five
	// now and then; push/pulls with one member a minute, at random, tell it then. In 1,000 swarms
	// of five, 4 took longer than 2 min.
	settles = 5 * time.Minute
)

var channel = stream.ChannelID{1, 2, 3}

// swarm is nodes that gossip over a network in memory.
type swarm struct {
	t                    *testing.T
	net                  *relaytest.Network
	rand                 *rand.Rand
	max                  int
	nodes                []*node
	streams, streamBytes atomic.Int64

	ids sync.Map // of netip.AddrPort: the tree.ID of who listens there
}

// node is one member with what relay.Node does for it: it reads packets, accepts
// streams and writes labels.
type node struct {
	*membership.Cluster
	key    ed25519.PrivateKey
	place  tree.Place
	host   *relaytest.Host                // where it began
	from   atomic.Pointer[relaytest.Host] // where it is, and what it sends from there
	packet atomic.Pointer[relaytest.PacketConn]
	ended  chan struct{}
	cancel context.CancelFunc
	seeds  []tree.Place
	deaf   atomic.Bool // it is behind a router that lets nothing in
}

func newSwarm(t *testing.T) *swarm {
	return &swarm{t: t, net: relaytest.New(delay), rand: rand.New(rand.NewPCG(1, 2))}
}

// key returns the same keys in every run.
func (s *swarm) key() ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(s.rand.Uint32())
	}
	return ed25519.NewKeyFromSeed(seed)
}

// add starts one more node; it joins through those given.
func (s *swarm) add(through ...*node) *node {
	s.t.Helper()
	i := len(s.nodes) + 1
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), port)
	n := &node{key: s.key(), host: s.net.Host(addr.Addr()), ended: make(chan struct{})}
	n.place = tree.Place{ID: idOf(n.key), Addrs: []netip.AddrPort{addr}}
	for _, o := range through {
		n.seeds = append(n.seeds, o.place)
	}
	n.Cluster = membership.New(s.config(n, i == 1))
	closeSockets := s.open(n, n.host, addr)
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	s.nodes = append(s.nodes, n)
	go func() {
		defer close(n.ended)
		_ = n.Run(ctx)
		closeSockets()
	}()
	n.Tell(membership.Self{Addrs: n.place.Addrs, Depth: i - 1, Free: 3, Slots: 4})
	n.Expect(1)
	return n
}

// open lets the node be reached at a host's address. What it sends comes from there from now on.
func (s *swarm) open(n *node, host *relaytest.Host, addr netip.AddrPort) (closeSockets func()) {
	s.t.Helper()
	packet, err := host.ListenPacket(addr.Port())
	if err != nil {
		s.t.Fatal(err)
	}
	ln, err := host.Listen(addr.Port())
	if err != nil {
		s.t.Fatal(err)
	}
	s.ids.Store(addr, n.place.ID)
	n.from.Store(host)
	n.packet.Store(packet)
	go n.accept(ln)
	go n.receive(packet)
	return func() {
		ln.Close()
		packet.Close()
	}
}

// config lets a node send and dial over the network in memory.
func (s *swarm) config(n *node, root bool) membership.Config {
	return membership.Config{
		Key: n.key, Channel: channel, Root: root, Max: s.max,
		Send: func(b []byte, to netip.AddrPort) error {
			_, err := n.packet.Load().WriteTo(b, net.UDPAddrFromAddrPort(to))
			return err
		},
		Dial: func(ctx context.Context, id tree.ID, addr netip.AddrPort) (net.Conn, error) {
			if there, ok := s.ids.Load(addr); ok && !id.IsZero() && there != id {
				return nil, errors.New("another node answers there")
			}
			conn, err := n.from.Load().Dial(ctx, "tcp", addr.String())
			if err != nil {
				return nil, err
			}
			s.streams.Add(1)
			return counted{conn, &s.streamBytes}, nil
		},
		Seeds: func(context.Context) []tree.Place { return n.seeds },
		Near:  func(netip.Addr) bool { return true },
	}
}

// accept takes streams until the listener closes.
func (n *node) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		if n.deaf.Load() {
			conn.Close()
			continue
		}
		n.Stream(conn)
	}
}

// receive takes packets until the socket closes.
func (n *node) receive(packet *relaytest.PacketConn) {
	b := make([]byte, 4096)
	for {
		k, from, err := packet.ReadFrom(b)
		if err != nil {
			return
		}
		if !n.deaf.Load() {
			n.Packet(b[:k], from.(*net.UDPAddr).AddrPort())
		}
	}
}

// grow adds nodes that all join through the first.
func (s *swarm) grow(count int) {
	s.t.Helper()
	for range count {
		s.add(s.nodes[:min(1, len(s.nodes))]...)
	}
}

// stop ends the nodes in good order.
func (s *swarm) stop() {
	for _, n := range s.nodes {
		n.cancel()
	}
	for _, n := range s.nodes {
		<-n.ended
	}
	time.Sleep(lingers)
}

// within waits until all nodes but those left out see the members they should, and
// returns how long that took.
func (s *swarm) within(most time.Duration, what string, want func(n *node) bool, but ...*node) time.Duration {
	s.t.Helper()
	begin := time.Now()
	for {
		synctest.Wait()
		left := slices.DeleteFunc(slices.Clone(s.nodes), func(n *node) bool { return slices.Contains(but, n) || want(n) })
		if len(left) == 0 {
			return time.Since(begin)
		}
		if time.Since(begin) > most {
			s.t.Fatalf("%s: not so within %v for %d nodes; the first sees %d members", what, most, len(left), left[0].Len())
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// count is for how many nodes, but those left out, it is so.
func (s *swarm) count(is func(n *node) bool, but ...*node) (n int) {
	for _, o := range s.nodes {
		if !slices.Contains(but, o) && is(o) {
			n++
		}
	}
	return n
}

func sees(n int) func(*node) bool { return func(o *node) bool { return o.Len() == n } }

// of returns what the node knows of another, and whether it knows any.
func (n *node) of(o *node) (membership.Member, bool) {
	for _, m := range n.Sample(1 << 20) {
		if m.Place.ID == o.place.ID {
			return m, true
		}
	}
	return membership.Member{}, false
}

func TestMembersFindEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwarm(t)
		defer s.stop()
		s.grow(20)
		took := s.within(settles, "all see all", sees(20))
		t.Logf("20 members know each other after %v", took)
		for _, n := range s.nodes {
			for i, o := range s.nodes {
				if m, ok := n.of(o); n != o && (!ok || int(m.Depth) != i || m.Free != 3 || m.Slots != 4 || !slices.Equal(m.Place.Addrs, o.place.Addrs)) {
					t.Fatalf("%+v, %v is known of node %d", m, ok, i)
				}
			}
		}
	})
}

func TestAChangeReachesAllMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwarm(t)
		defer s.stop()
		s.grow(10)
		s.within(settles, "all see all", sees(10))
		time.Sleep(time.Minute)
		o := s.nodes[4]
		o.Tell(membership.Self{Addrs: o.place.Addrs, Depth: 9, Slots: 4})
		took := s.within(settles, "all know the change", func(n *node) bool {
			m, ok := n.of(o)
			return ok && m.Depth == 9 && m.Free == 0
		}, o)
		t.Logf("a change is known after %v", took)
		o.Tell(membership.Self{Addrs: o.place.Addrs, Depth: -1, Slots: 4, Free: 4})
		knows := func(n *node) bool {
			m, ok := n.of(o)
			return ok && m.Depth == membership.NoDepth && m.Free == 0
		}
		// Now and then packets of gossip pass one member by. It knows after the next push/pull.
		s.within(30*time.Second, "all but one know the orphan", func(*node) bool { return s.count(knows, o) >= 8 })
		s.within(settles, "all know the orphan", knows, o)
	})
}

func TestAMemberTellsFewChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwarm(t)
		defer s.stop()
		s.grow(10)
		s.within(settles, "all see all", sees(10))
		o, seen, last := s.nodes[4], 0, uint16(0)
		for i := range 600 { // a minute
			o.Tell(membership.Self{Addrs: o.place.Addrs, Depth: i % 7, Slots: 4, Free: i % 3})
			time.Sleep(100 * time.Millisecond)
			if m, ok := s.nodes[7].of(o); ok && m.Depth != last {
				seen, last = seen+1, m.Depth
			}
		}
		if seen < 3 || seen > 12 {
			t.Errorf("%d changes were told in a minute", seen)
		}
	})
}

func TestAMemberThatLeavesIsGoneAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwarm(t)
		defer s.stop()
		s.grow(10)
		s.within(settles, "all see all", sees(10))
		gone := s.nodes[3]
		gone.cancel()
		took := s.within(5*time.Second, "all know", sees(9), gone)
		t.Logf("known after %v", took)
		if <-gone.ended; gone.Len() != 0 {
			t.Errorf("who left still sees %d", gone.Len())
		}
	})
}

func TestADeadMemberIsNoticed(t *testing.T) {
	for what, fault := range map[string]func(*relaytest.Host){"killed": (*relaytest.Host).Kill, "frozen": (*relaytest.Host).Freeze} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSwarm(t)
				s.grow(10)
				s.within(settles, "all see all", sees(10))
				dead := s.nodes[3]
				fault(dead.host)
				took := s.within(time.Minute, "all know", sees(9), dead)
				t.Logf("known after %v", took)
				dead.host.Thaw()
				s.stop()
			})
		})
	}
}

func TestAFrozenMemberComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwarm(t)
		defer s.stop()
		s.grow(10)
		s.within(settles, "all see all", sees(10))
		s.nodes[3].host.Freeze()
		s.within(time.Minute, "all know", sees(9), s.nodes[3])
		s.nodes[3].host.Thaw()
		took := s.within(2*time.Minute, "all see it again", sees(10))
		t.Logf("known after %v", took)
	})
}

func TestAPartitionHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwarm(t)
		defer s.stop()
		s.grow(12)
		s.within(settles, "all see all", sees(12))
		for i, a := range s.nodes {
			for j, b := range s.nodes {
				if i%2 != j%2 {
					a.host.Cut(b.host)
				}
			}
		}
		s.within(2*time.Minute, "each half sees itself", sees(6))
		time.Sleep(5 * time.Minute) // they have long forgotten each other
		for _, a := range s.nodes {
			for _, b := range s.nodes {
				a.host.Heal(b.host)
			}
		}
		took := s.within(10*time.Minute, "all see all again", sees(12))
		t.Logf("healed after %v", took)
	})
}

func TestLostPacketsHarmNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwarm(t)
		defer s.stop()
		s.net.Lose(0.2, 7)
		s.grow(10)
		s.within(2*settles, "all see all", sees(10))
		wrong := 0
		for range 200 {
			time.Sleep(time.Second)
			for _, n := range s.nodes {
				wrong += 10 - n.Len()
			}
		}
		if wrong > 20 { // member-seconds, of 20,000
			t.Errorf("members were taken for dead for %d member-seconds", wrong)
		}
	})
}

// TestANodeThatMovedIsKnownAgain gives a node another address. Those who hear its good-bye
// take it. The others keep the old one until nobody answers there any more.
func TestANodeThatMovedIsKnownAgain(t *testing.T) {
	for name, stays := range map[string]time.Duration{"it says good-bye": 10 * time.Second, "its old address is gone at once": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSwarm(t)
				defer s.stop()
				s.grow(5)
				s.within(settles, "all see all", sees(5))
				o := s.nodes[2]
				moved := netip.AddrPortFrom(netip.MustParseAddr("10.9.9.9"), port)
				closeSockets := s.open(o, s.net.Host(moved.Addr()), moved)
				defer closeSockets()
				began := time.Now()
				o.Tell(membership.Self{Addrs: append([]netip.AddrPort{moved}, o.place.Addrs...), Depth: 1, Slots: 4})
				time.Sleep(stays)
				o.host.Kill()
				knows := func(n *node) bool {
					m, ok := n.of(o)
					return ok && m.Place.Addrs[0] == moved
				}
				s.within(2*time.Minute, "most know the new address", func(*node) bool { return s.count(knows, o) >= 2 })
				s.within(10*time.Minute, "all know the new address", knows, o)
				t.Logf("it is known at its new address after %v", time.Since(began))
			})
		})
	}
}

// TestTheRootThatMovedIsKnownAgain: the root knows of nobody to join through.
func TestTheRootThatMovedIsKnownAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwarm(t)
		defer s.stop()
		s.grow(5)
		s.within(settles, "all see all", sees(5))
		o := s.nodes[0]
		moved := netip.AddrPortFrom(netip.MustParseAddr("10.9.9.9"), port)
		closeSockets := s.open(o, s.net.Host(moved.Addr()), moved)
		defer closeSockets()
		began := time.Now()
		o.host.Kill()
		o.Tell(membership.Self{Addrs: []netip.AddrPort{moved}, Depth: 0, Slots: 4})
		knows := func(n *node) bool {
			m, ok := n.of(o)
			return ok && m.Place.Addrs[0] == moved
		}
		s.within(2*time.Minute, "most know the new address", func(*node) bool { return s.count(knows, o) >= 2 })
		s.within(10*time.Minute, "all know the new address", knows, o)
		t.Logf("it is known at its new address after %v", time.Since(began))
	})
}

// TestASecondAddressIsNoMove: gossip goes to the first one, and nobody has to leave.
func TestASecondAddressIsNoMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwarm(t)
		defer s.stop()
		s.grow(5)
		s.within(settles, "all see all", sees(5))
		time.Sleep(time.Minute)
		o := s.nodes[2]
		more := append(slices.Clone(o.place.Addrs), netip.MustParseAddrPort("10.9.9.9:7144"))
		o.Tell(membership.Self{Addrs: more, Depth: 2, Free: 3, Slots: 4})
		s.within(settles, "all know the second address", func(n *node) bool {
			m, ok := n.of(o)
			if !ok {
				t.Fatal("it has left")
			}
			return slices.Equal(m.Place.Addrs, more)
		}, o)
	})
}

func TestBeyondTheBoundNobodyJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwarm(t)
		s.max = 5
		defer s.stop()
		s.grow(5)
		s.within(settles, "all see all", sees(5))
		late := s.add(s.nodes[0])
		late.Expect(5)
		time.Sleep(time.Minute)
		late.Expect(5)
		synctest.Wait()
		time.Sleep(time.Minute)
		for _, n := range s.nodes[:5] {
			if _, ok := n.of(late); ok {
				t.Errorf("a node joined although there are 5 members")
				break
			}
		}
	})
}

func TestACrowdThinsOutToTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwarm(t)
		s.max = 10
		defer s.stop()
		s.grow(30) // each is told of one member, since none has joined yet
		time.Sleep(4 * time.Minute)
		n := s.nodes[0].Len()
		t.Logf("%d of 30 are members", n)
		if n > 13 || n < 5 {
			t.Errorf("%d members, where there should be about 10", n)
		}
	})
}

func TestANodeThatNobodyCanReachStaysAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwarm(t)
		defer s.stop()
		s.grow(5)
		s.within(settles, "all see all", sees(5))
		deaf := s.add(s.nodes[0])
		deaf.deaf.Store(true)
		s.within(2*time.Minute, "it gives up", sees(0), s.nodes[:5]...)
		s.within(2*time.Minute, "the others have forgotten it", sees(5), deaf)
	})
}

func idOf(key ed25519.PrivateKey) tree.ID { return nodeID(key.Public().(ed25519.PublicKey)) }
