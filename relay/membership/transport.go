package membership

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	"relay/tree"
)

const (
	// packetQueue bounds the packets that memberlist has not looked at yet. Others are lost.
	packetQueue = 64
	// maxStreams bounds how many streams of others are answered at the same time. A member
	// is asked for a push/pull every minute or so.
	maxStreams = 8
	// streamTime bounds a stream from its first byte to its last.
	streamTime = 5 * time.Second
	// partingTold is how many members are told at once that this one leaves.
	partingTold = 8
)

// transport carries one memberlist over the owner's packets and streams.
type transport struct {
	c       *Cluster
	packets chan *memberlist.Packet
	streams chan net.Conn
	slots   chan struct{} // taken by inbound streams
	triers  *triers
	parting atomic.Pointer[[]netip.AddrPort] // see part; nil until then

	ctx    context.Context // ends dials and streams
	cancel context.CancelFunc

	mu sync.Mutex     // held to begin a stream and to end ctx: none begins after that
	wg sync.WaitGroup // the streams; no Add comes after its Wait
}

var _ memberlist.NodeAwareTransport = (*transport)(nil)

func newTransport(ctx context.Context, c *Cluster) *transport {
	t := &transport{
		c:       c,
		packets: make(chan *memberlist.Packet, packetQueue),
		streams: make(chan net.Conn),
		slots:   make(chan struct{}, maxStreams),
	}
	t.ctx, t.cancel = context.WithCancel(ctx)
	t.triers = newTriers(t)
	return t
}

// FinalAdvertiseAddr returns the first address in the node's metadata.
func (t *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	a := t.c.address()
	return net.IP(a.Addr().AsSlice()), int(a.Port()), nil
}

// WriteTo is WriteToAddress without the name.
func (t *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	return t.WriteToAddress(b, memberlist.Address{Addr: addr})
}

// WriteToAddress sends a packet. Strangers may ask for one to somebody who is no member: they can
// send with his address, and SWIM has indirect pings. He gets answers alone, and no more bytes
// than came from there.
func (t *transport) WriteToAddress(b []byte, to memberlist.Address) (time.Time, error) {
	now := time.Now()
	addr, err := netip.ParseAddrPort(to.Addr)
	if err != nil {
		return now, fmt.Errorf("send packet: %w", err)
	}
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	if !t.c.view.hadIP(addr.Addr()) {
		answer, ok := forStranger(b)
		if !ok || !t.c.credit.spend(addr.Addr(), len(answer)) {
			t.c.refused.Add(refusedReflected)
			return now, nil // as good as lost
		}
		b = answer
	}
	if others := t.parting.Load(); others != nil {
		for m := range parts(b) {
			if m[0] == msgDead {
				t.tellAll(m, *others, addr)
			}
		}
	}
	return now, t.c.cfg.Send(b, addr)
}

// part has others told at once, too, that this member leaves: as gossip, it would tell one of them and be gone.
func (t *transport) part(members []*memberlist.Node) {
	others := make([]netip.AddrPort, 0, partingTold)
	for _, i := range rand.Perm(len(members))[:min(len(members), partingTold)] {
		if a, err := netip.ParseAddrPort(members[i].Address()); err == nil {
			others = append(others, netip.AddrPortFrom(a.Addr().Unmap(), a.Port()))
		}
	}
	t.parting.Store(&others)
}

// tellAll sends one message to members, but those that get it anyway or are not known any more.
func (t *transport) tellAll(m []byte, members []netip.AddrPort, but netip.AddrPort) {
	for _, a := range members {
		if a != but && t.c.view.hadIP(a.Addr()) {
			_ = t.c.cfg.Send(m, a) // as good as lost
		}
	}
}

// PacketCh returns the packets for memberlist.
func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

func (t *transport) packet(b []byte, from netip.AddrPort) {
	p := &memberlist.Packet{Buf: bytes.Clone(b), From: net.UDPAddrFromAddrPort(from), Timestamp: time.Now()}
	select {
	case t.packets <- p:
	default: // memberlist is behind, and expects packets to get lost
	}
}

// DialTimeout is DialAddressTimeout without the name.
func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// DialAddressTimeout opens a stream to the node with that ID, if the name is one.
func (t *transport) DialAddressTimeout(to memberlist.Address, timeout time.Duration) (net.Conn, error) {
	addr, err := netip.ParseAddrPort(to.Addr)
	if err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	var id tree.ID
	if to.Name != "" {
		if id, err = tree.ParseID(to.Name); err != nil {
			return nil, fmt.Errorf("open stream: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(t.ctx, timeout)
	defer cancel()
	conn, err := t.c.cfg.Dial(ctx, id, addr)
	if err != nil {
		return nil, err
	}
	if !id.IsZero() {
		t.c.view.reachedAt(to.Name, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()))
	}
	v := t.vetted(conn)
	v.asked = true
	return v, nil
}

// StreamCh returns the streams for memberlist to answer.
func (t *transport) StreamCh() <-chan net.Conn { return t.streams }

// stream reads and checks the message that opens a stranger's stream, and lets memberlist
// answer it.
func (t *transport) stream(conn net.Conn) {
	select {
	case t.slots <- struct{}{}:
	default:
		t.c.refused.Add(refusedStream)
		conn.Close()
		return
	}
	if err := conn.SetDeadline(time.Now().Add(streamTime)); err != nil {
		conn.Close()
		<-t.slots
		return
	}
	v := t.vetted(conn)
	v.ended = func() { <-t.slots }
	t.mu.Lock()
	over := t.ctx.Err() != nil // the owner may still hand streams over
	if !over {
		t.wg.Go(func() { t.check(v) })
	}
	t.mu.Unlock()
	if over { // not under mu, as to close may block
		v.Close()
	}
}

// check hands a stream on whose message is in order. It ends with the stream's deadline at
// the latest.
func (t *transport) check(v *vetted) {
	if err := v.vet(); err != nil {
		switch {
		case errors.Is(err, errVet):
			t.c.refused.Add(refusedPacket)
		case errors.Is(err, os.ErrDeadlineExceeded):
			t.c.refused.Add(refusedSilent)
		}
		v.Close()
		return
	}
	select {
	case t.streams <- v:
	case <-t.ctx.Done():
		v.Close()
	}
}

// Shutdown ends all streams. memberlist calls it before it stops taking packets.
func (t *transport) Shutdown() error {
	t.mu.Lock()
	t.cancel()
	t.mu.Unlock()
	t.wg.Wait()
	t.triers.end()
	return nil
}

// vetted is a stream whose bytes are read and checked before memberlist gets them.
type vetted struct {
	net.Conn
	t     *transport
	asked bool        // this node has opened it
	stop  func() bool // of the hook that closes it with the transport
	ended func()
	once  sync.Once
	read  bool
	left  []byte
	err   error
}

func (t *transport) vetted(conn net.Conn) *vetted {
	v := &vetted{Conn: conn, t: t, ended: func() {}}
	v.stop = context.AfterFunc(t.ctx, func() { conn.Close() })
	return v
}

// vet reads the one message that comes over the stream.
func (v *vetted) vet() error {
	v.read = true
	if v.left, v.err = vetStream(v.Conn); v.err != nil {
		return v.err
	}
	var from netip.Addr
	if a, ok := v.RemoteAddr().(*net.TCPAddr); ok {
		from = a.AddrPort().Addr().Unmap()
	}
	by := byStranger
	switch {
	case v.asked:
		by = byAsked
	case v.t.c.knows(from):
		by = byMember
	}
	v.t.triers.stream(v.left, from, by)
	return nil
}

// Read gives memberlist the message, and then nothing.
func (v *vetted) Read(b []byte) (int, error) {
	if !v.read {
		if err := v.vet(); err != nil {
			return 0, err
		}
	}
	if v.err != nil {
		return 0, v.err
	}
	if len(v.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, v.left)
	v.left = v.left[n:]
	return n, nil
}

func (v *vetted) Close() error {
	v.once.Do(func() {
		v.stop()
		v.ended()
	})
	return v.Conn.Close()
}
