package pcpout_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"relay/playback"
	"relay/playback/pcpout"
	"relay/relay"
	"relay/relay/pcp"
	"relay/relay/stream"
)

// node is a relay on loopback, which serves PeerCast on its port for links.
type node struct {
	*relay.Node
	addr netip.AddrPort
}

// run runs a node and the channel that open opens.
func run(t *testing.T, seed byte, open func(*relay.Node) (*relay.Channel, error)) (node, *relay.Channel) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().(*net.TCPAddr).AddrPort()
	var serves *pcpout.Server
	n, err := relay.New(relay.Config{
		Key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)), Listener: ln, Addrs: []netip.AddrPort{addr},
		Other: relay.Other{Begins: "Gp", Take: func(ctx context.Context, conn net.Conn, first []byte) { serves.Take(ctx, conn, first) }},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := open(n)
	if err != nil {
		t.Fatal(err)
	}
	shown := []*playback.Channel{playback.NewChannel(c.ID(), c.Ring(), nil)}
	channels := func() []*playback.Channel { return shown }
	serves = pcpout.New(pcpout.Config{Players: playback.NewServer(playback.Config{Channels: channels}), Channels: channels, Session: id(seed), Agent: "relay"})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { serves.Run(ctx) })
	wg.Go(func() {
		if err := n.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if err := c.Run(ctx); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return node{n, addr}, c
}

// TestTwoNodesOfOneChannelAreOneToAPeer has a PeerCast take the channel from the source and from a node below it, over
// the ports for links: ID, positions and bytes are the same, so that it may go from one to the other.
func TestTwoNodesOfOneChannelAreOneToAPeer(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	s := &source{t: t, id: stream.IDOf(key)}
	root, _ := run(t, 1, func(n *relay.Node) (c *relay.Channel, err error) {
		c, s.writer, err = n.Source(key, stream.NextEpoch(stream.Epoch{}, time.Now(), 1))
		return c, err
	})
	s.header("one", "The title")
	s.group()
	below, watched := run(t, 2, func(n *relay.Node) (*relay.Channel, error) {
		return n.Watch(relay.Invite{Channel: s.id, Hosts: []relay.HostPort{{Host: root.addr.Addr().String(), Port: root.addr.Port()}}}, nil)
	})
	if _, err := watched.Ring().Cursor().Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, b := dial(t, root.addr.String()), dial(t, below.addr.String())
	a.join(s)
	b.join(s)
	if a, b := a.chunk(), b.chunk(); !bytes.Equal(a.Packet.Data, b.Packet.Data) || a.ID != b.ID {
		t.Errorf("%+v and %+v", a, b)
	}
	s.group()
	s.group()
	want := s.flow(0)
	fromRoot, ofRoot := a.stream(len(want))
	fromBelow, ofBelow := b.stream(len(want))
	if !bytes.Equal(fromRoot, want) || !bytes.Equal(fromBelow, want) {
		t.Errorf("%d and %d bytes, want %d", len(fromRoot), len(fromBelow), len(want))
	}
	starts := func(packets []pcp.Packet) (at []uint32) {
		for _, p := range packets {
			if p.Cont == 0 {
				at = append(at, p.Pos)
			}
		}
		return at
	}
	if r, b := starts(ofRoot), starts(ofBelow); len(r) != 3 || len(b) != 3 || r[0] != b[0] || r[1] != b[1] || r[2] != b[2] {
		t.Errorf("places to start at %d and %d", r, b)
	}
	// It leaves one, and goes on at the other where it was.
	last := ofRoot[len(ofRoot)-1]
	again := dial(t, below.addr.String())
	again.helo.Session, again.pos = id(0x33), int64(last.Pos)
	again.join(s)
	again.chunk()
	if _, packets := again.stream(1); packets[0].Pos != last.Pos {
		t.Errorf("it goes on at %d, want %d", packets[0].Pos, last.Pos)
	}
}

// TestWhoComesInAnotherRunGetsTheSameBytes has a PeerCast that was there in the run of the source before, and one that
// comes in the present one: what they get is as it was sent for both, so that who goes from the one to the other knows
// it again. Real PeerCasts pass on the timestamps of an encoder that begins anew, too.
func TestWhoComesInAnotherRunGetsTheSameBytes(t *testing.T) {
	s := start(t)
	s.group()
	stayed := dial(t, s.addr)
	stayed.join(s)
	stayed.chunk()
	for range 6 { // more than a second, so that 0 is another time
		s.group()
	}
	stayed.stream(len(s.flow(0)))
	s.begin()
	s.tags = nil // timestamps begin at 0 again
	s.header("two", "The title")
	s.group()
	if ch := stayed.chunk(); ch.Packet == nil || ch.Packet.Kind != pcp.Head || !bytes.Contains(ch.Packet.Data, []byte("two")) {
		t.Fatalf("%+v", ch)
	}
	came := dial(t, s.addr)
	came.helo.Session = pcp.NewID()
	came.join(s)
	came.chunk()
	back := dial(t, s.addr) // in its middle, with a feed of its own
	back.helo.Session, back.pos = pcp.NewID(), int64(s.ring.Head().Seq-3)*stream.MaxChunk
	back.join(s)
	back.chunk()
	last := s.flow(len(s.tags) - 4)
	s.group()
	last = append(last, s.flow(len(s.tags)-11)...)
	for name, c := range map[string]*client{"who stayed": stayed, "who came": came, "who came back": back} {
		var flow []byte
		for !bytes.HasSuffix(flow, last) {
			if len(flow) > len(s.flow(0)) {
				t.Fatalf("%s got other bytes than were sent", name)
			}
			if ch := c.chunk(); ch.Packet != nil && ch.Packet.Kind == pcp.Data {
				flow = append(flow, ch.Packet.Data...)
			}
		}
		if !bytes.HasSuffix(s.flow(0), flow) {
			t.Errorf("%s got other bytes than were sent in front", name)
		}
	}
}
