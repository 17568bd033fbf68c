package relaytest

import (
	"bytes"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// socketQueue is how many packets wait to be read; more are lost.
const socketQueue = 256

// Lose has that share of packets get lost, which the seed decides.
func (n *Network) Lose(share float64, seed uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.loss, n.rand = share, rand.New(rand.NewPCG(seed, 0))
}

// PacketConn is a host's socket for packets.
type PacketConn struct {
	host *Host
	addr netip.AddrPort

	sent, sentBytes atomic.Int64

	mu      sync.Mutex
	queue   []packet
	closed  bool
	readBy  time.Time
	changed chan struct{}
}

type packet struct {
	at   time.Time // when it arrives
	from *Host
	addr netip.AddrPort
	data []byte
}

// ListenPacket opens a socket on the host's port.
func (h *Host) ListenPacket(port uint16) (*PacketConn, error) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	a := netip.AddrPortFrom(h.addr, port)
	if h.net.packets[a] != nil {
		return nil, &net.OpError{Op: "listen", Net: "udp", Addr: net.UDPAddrFromAddrPort(a), Err: syscall.EADDRINUSE}
	}
	h.dead = false
	p := &PacketConn{host: h, addr: a, changed: make(chan struct{})}
	h.net.packets[a] = p
	return p, nil
}

// Sent returns the packets written so far, and their bytes.
func (p *PacketConn) Sent() (packets, size int64) { return p.sent.Load(), p.sentBytes.Load() }

// WriteTo sends a packet, which may get lost.
func (p *PacketConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		return 0, net.ErrClosed
	}
	p.sent.Add(1)
	p.sentBytes.Add(int64(len(b)))
	n := p.host.net
	to := addr.(interface{ AddrPort() netip.AddrPort }).AddrPort()
	n.mu.Lock()
	dest := n.packets[netip.AddrPortFrom(to.Addr().Unmap(), to.Port())]
	lost := dest == nil || n.cuts[way{p.host, dest.host}] || n.rand != nil && n.rand.Float64() < n.loss
	n.mu.Unlock()
	if !lost {
		dest.put(packet{time.Now().Add(n.delay), p.host, p.addr, bytes.Clone(b)})
	}
	return len(b), nil
}

func (p *PacketConn) put(pk packet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed && len(p.queue) < socketQueue {
		p.queue = append(p.queue, pk)
		p.wakeLocked()
	}
}

// ReadFrom returns the next packet that has arrived.
func (p *PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		p.mu.Lock()
		now := time.Now()
		next := p.readBy
		switch {
		case p.closed:
			p.mu.Unlock()
			return 0, nil, net.ErrClosed
		case !next.IsZero() && !now.Before(next):
			p.mu.Unlock()
			return 0, nil, os.ErrDeadlineExceeded
		}
		for i, pk := range p.queue {
			if pk.at.After(now) {
				if next.IsZero() || pk.at.Before(next) {
					next = pk.at
				}
				break // the others arrive later still
			}
			if p.host.net.isHeld(pk.from, p.host) {
				continue
			}
			p.queue = slices.Delete(p.queue, i, i+1)
			p.mu.Unlock()
			return copy(b, pk.data), net.UDPAddrFromAddrPort(pk.addr), nil
		}
		changed := p.changed
		p.mu.Unlock()
		waitFor(changed, next)
	}
}

func (p *PacketConn) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wakeLocked()
}

func (p *PacketConn) wakeLocked() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Close closes the socket; what was sent still arrives.
func (p *PacketConn) Close() error {
	n := p.host.net
	n.mu.Lock()
	if n.packets[p.addr] == p {
		delete(n.packets, p.addr)
	}
	n.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed, p.queue = true, nil
	p.wakeLocked()
	return nil
}

// LocalAddr returns the socket's address.
func (p *PacketConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(p.addr) }

// SetReadDeadline bounds ReadFrom.
func (p *PacketConn) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readBy = t
	p.wakeLocked()
	return nil
}

// SetWriteDeadline does nothing: WriteTo does not wait.
func (p *PacketConn) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline bounds ReadFrom.
func (p *PacketConn) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// firstFree is where the search for a free port begins.
const firstFree = 40000

// dialPacket opens a socket on a free port that speaks with one address alone.
func (h *Host) dialPacket(to netip.AddrPort) (net.Conn, error) {
	for port := uint16(firstFree); ; port++ {
		p, err := h.ListenPacket(port)
		switch {
		case err == nil:
			return &packetConnTo{p, to}, nil
		case port == 1<<16-1:
			return nil, err
		}
	}
}

// packetConnTo is a socket that speaks with one address alone.
type packetConnTo struct {
	*PacketConn
	to netip.AddrPort
}

func (c *packetConnTo) Write(b []byte) (int, error) {
	return c.WriteTo(b, net.UDPAddrFromAddrPort(c.to))
}

func (c *packetConnTo) Read(b []byte) (int, error) {
	for {
		k, from, err := c.ReadFrom(b)
		if err != nil || from.(*net.UDPAddr).AddrPort() == c.to {
			return k, err
		}
	}
}

func (c *packetConnTo) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(c.to) }
