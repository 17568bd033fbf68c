// Package relaytest is a network in memory for tests of whole nodes: hosts with
// addresses, connections and packets with delay and bounded buffers, and faults. It
// waits on channels and timers only, so that it works in a testing/synctest bubble, in which a
// minute takes no time.
package relaytest

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	// window is how many bytes may be under way or unread on a connection, in one
	// direction: about what a system gives a TCP connection.
	window = 256 << 10
	// backlog is how many connections wait to be accepted.
	backlog = 128
)

// Network is a set of hosts that reach each other.
type Network struct {
	delay time.Duration

	mu        sync.Mutex
	hosts     map[netip.Addr]*Host
	listeners map[netip.AddrPort]*listener
	packets   map[netip.AddrPort]*PacketConn
	cuts      map[way]bool
	loss      float64
	rand      *rand.Rand // decides which packets are lost
}

// way is from one host to another.
type way struct{ from, to *Host }

// New returns a network with that one-way delay between any two hosts.
func New(delay time.Duration) *Network {
	return &Network{
		delay:     delay,
		hosts:     make(map[netip.Addr]*Host),
		listeners: make(map[netip.AddrPort]*listener),
		packets:   make(map[netip.AddrPort]*PacketConn),
		cuts:      make(map[way]bool),
	}
}

// Host is one machine.
type Host struct {
	net  *Network
	addr netip.Addr
	also netip.Addr // of the other family; not valid for none. Set before the host is used

	// Guarded by net.mu.
	held  bool
	dead  bool
	port  uint16 // of the newest outgoing connection
	conns []*conn
	moved chan struct{} // closed when held or a cut changes
}

// Host returns the host with that address, new at the first call.
func (n *Network) Host(addr netip.Addr) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hosts[addr]
	if h == nil {
		h = &Host{net: n, addr: addr, port: 49152, moved: make(chan struct{})}
		n.hosts[addr] = h
	}
	return h
}

// Also gives the host an address of the other family for connections, before it is used.
func (h *Host) Also(addr netip.Addr) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	h.also = addr
	h.net.hosts[addr] = h
}

// at is the host's own address for what goes to another.
func (h *Host) at(to netip.Addr) netip.Addr {
	if h.also.IsValid() && h.also.Is4() == to.Is4() {
		return h.also
	}
	return h.addr
}

// Listen accepts connections to the host's port.
func (h *Host) Listen(port uint16) (net.Listener, error) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	a := netip.AddrPortFrom(h.addr, port)
	if h.net.listeners[a] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(a), Err: syscall.EADDRINUSE}
	}
	h.dead = false
	l := &listener{host: h, addr: a, queue: make(chan *conn, backlog), done: make(chan struct{})}
	h.net.listeners[a] = l
	if h.also.IsValid() {
		h.net.listeners[netip.AddrPortFrom(h.also, port)] = l
	}
	return l, nil
}

// Dial connects from the host. It has the form of net.Dialer's DialContext.
func (h *Host) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	if network == "udp" {
		return h.dialPacket(to)
	}
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(to), Err: err}
	}
	select {
	case <-time.After(2 * h.net.delay):
	case <-ctx.Done():
		return fail(context.Cause(ctx))
	}
	peer := h.net.Host(to.Addr())
	for {
		h.net.mu.Lock()
		if h.dead {
			h.net.mu.Unlock()
			return fail(syscall.ENETDOWN)
		}
		if !h.net.heldLocked(h, peer) && !h.net.heldLocked(peer, h) {
			break
		}
		mine, theirs := h.moved, peer.moved
		h.net.mu.Unlock()
		select {
		case <-mine:
		case <-theirs:
		case <-ctx.Done():
			return fail(context.Cause(ctx))
		}
	}
	defer h.net.mu.Unlock()
	l := h.net.listeners[to]
	if l == nil {
		return fail(syscall.ECONNREFUSED)
	}
	h.port++
	from := netip.AddrPortFrom(h.at(to.Addr()), h.port)
	up, down := newHalf(h, peer), newHalf(peer, h)
	a := &conn{in: down, out: up, local: from, remote: to}
	b := &conn{in: up, out: down, local: to, remote: from}
	select {
	case l.queue <- b:
	default:
		return fail(syscall.ECONNREFUSED)
	}
	h.conns = append(h.conns, a)
	peer.conns = append(peer.conns, b)
	return a, nil
}

// Freeze holds all that goes to the host or comes from it, until Thaw. Nothing is
// lost and nobody is told.
func (h *Host) Freeze() { h.hold(true) }

// Thaw lets everything through that Freeze held.
func (h *Host) Thaw() { h.hold(false) }

func (h *Host) hold(held bool) {
	h.net.mu.Lock()
	h.held = held
	h.net.mu.Unlock()
	h.wake()
}

// wake has everybody look again who waits for the host.
func (h *Host) wake() {
	h.net.mu.Lock()
	close(h.moved)
	h.moved = make(chan struct{})
	conns := slices.Clone(h.conns)
	var packets []*PacketConn
	for _, p := range h.net.packets {
		packets = append(packets, p)
	}
	h.net.mu.Unlock()
	for _, c := range conns {
		c.in.wake()
		c.out.wake()
	}
	for _, p := range packets {
		p.wake()
	}
}

// Cut holds what goes from the host to the other, one way, and drops its packets,
// until Heal. No connection can be made either way.
func (h *Host) Cut(to *Host) { h.cut(to, true) }

// Heal ends Cut.
func (h *Host) Heal(to *Host) { h.cut(to, false) }

func (h *Host) cut(to *Host, cut bool) {
	h.net.mu.Lock()
	delete(h.net.cuts, way{h, to})
	if cut {
		h.net.cuts[way{h, to}] = true
	}
	h.net.mu.Unlock()
	h.wake()
	to.wake()
}

// Kill resets the host's connections and closes its listeners, as the system does
// for a process that dies. What is left of the process dials nobody; Listen begins
// another one.
func (h *Host) Kill() {
	h.net.mu.Lock()
	h.dead = true
	conns := h.conns
	h.conns = nil
	var ps []*PacketConn
	for _, p := range h.net.packets {
		if p.host == h {
			ps = append(ps, p)
		}
	}
	var ls []*listener
	for _, l := range h.net.listeners {
		if l.host == h {
			ls = append(ls, l)
		}
	}
	h.net.mu.Unlock()
	for _, l := range ls {
		l.Close()
	}
	for _, p := range ps {
		p.Close()
	}
	for _, c := range conns {
		c.in.reset()
		c.out.reset()
	}
}

func (n *Network) isHeld(from, to *Host) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.heldLocked(from, to)
}

func (n *Network) heldLocked(from, to *Host) bool {
	return from.held || to.held || n.cuts[way{from, to}]
}

type listener struct {
	host  *Host
	addr  netip.AddrPort
	queue chan *conn
	once  sync.Once
	done  chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		l.host.net.mu.Lock()
		delete(l.host.net.listeners, l.addr)
		delete(l.host.net.listeners, netip.AddrPortFrom(l.host.also, l.addr.Port()))
		l.host.net.mu.Unlock()
		close(l.done)
		for {
			select {
			case c := <-l.queue:
				c.Close()
			default:
				return
			}
		}
	})
	return nil
}

func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

// conn is one end of a connection.
type conn struct {
	in, out       *half
	local, remote netip.AddrPort
}

func (c *conn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *conn) Write(b []byte) (int, error) { return c.out.write(b) }
func (c *conn) LocalAddr() net.Addr         { return net.TCPAddrFromAddrPort(c.local) }
func (c *conn) RemoteAddr() net.Addr        { return net.TCPAddrFromAddrPort(c.remote) }

func (c *conn) SetReadDeadline(t time.Time) error  { return c.in.setDeadline(&c.in.readBy, t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.out.setDeadline(&c.out.writeBy, t) }

func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// Close ends both directions. What was written still arrives.
func (c *conn) Close() error {
	c.in.closeRead()
	c.out.closeWrite()
	return nil
}

// segment is bytes that were written together.
type segment struct {
	at   time.Time // when they arrive
	data []byte    // none for the end
}

// half is one direction of a connection.
type half struct {
	from, to *Host

	mu          sync.Mutex
	segments    []segment
	size        int
	readClosed  bool
	writeClosed bool
	wasReset    bool
	readBy      time.Time
	writeBy     time.Time
	changed     chan struct{}
}

func newHalf(from, to *Host) *half {
	return &half{from: from, to: to, changed: make(chan struct{})}
}

func (h *half) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wakeLocked()
}

func (h *half) wakeLocked() {
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *half) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wasReset, h.segments, h.size = true, nil, 0
	h.wakeLocked()
}

func (h *half) closeRead() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readClosed, h.segments, h.size = true, nil, 0
	h.wakeLocked()
}

func (h *half) closeWrite() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.writeClosed {
		h.writeClosed = true
		h.segments = append(h.segments, segment{at: time.Now().Add(h.from.net.delay)})
		h.wakeLocked()
	}
}

func (h *half) setDeadline(which *time.Time, t time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	*which = t
	h.wakeLocked()
	return nil
}

func (h *half) read(b []byte) (int, error) {
	for {
		h.mu.Lock()
		now := time.Now()
		next := h.readBy
		switch {
		case h.readClosed:
			h.mu.Unlock()
			return 0, net.ErrClosed
		case !h.readBy.IsZero() && !now.Before(h.readBy):
			h.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		case h.wasReset:
			h.mu.Unlock()
			return 0, syscall.ECONNRESET
		case len(h.segments) > 0 && h.segments[0].at.After(now):
			if at := h.segments[0].at; next.IsZero() || at.Before(next) {
				next = at
			}
		case len(h.segments) > 0 && !h.from.net.isHeld(h.from, h.to):
			s := &h.segments[0]
			if len(s.data) == 0 {
				h.mu.Unlock()
				return 0, io.EOF
			}
			n := copy(b, s.data)
			s.data = s.data[n:]
			if len(s.data) == 0 {
				h.segments = h.segments[1:]
			}
			h.size -= n
			h.wakeLocked()
			h.mu.Unlock()
			return n, nil
		}
		h.wait(next)
	}
}

func (h *half) write(b []byte) (int, error) {
	sent := 0
	for {
		h.mu.Lock()
		switch {
		case h.writeClosed:
			h.mu.Unlock()
			return sent, net.ErrClosed
		case !h.writeBy.IsZero() && !time.Now().Before(h.writeBy):
			h.mu.Unlock()
			return sent, os.ErrDeadlineExceeded
		case h.wasReset, h.readClosed && !h.from.net.isHeld(h.from, h.to):
			h.mu.Unlock()
			return sent, syscall.EPIPE
		case h.size < window:
			if n := min(len(b)-sent, window-h.size); n > 0 {
				h.segments = append(h.segments, segment{time.Now().Add(h.from.net.delay), slices.Clone(b[sent : sent+n])})
				h.size += n
				sent += n
				h.wakeLocked()
			}
			if sent == len(b) {
				h.mu.Unlock()
				return sent, nil
			}
			h.mu.Unlock()
			continue
		}
		h.wait(h.writeBy)
	}
}

// wait unlocks, and waits for a change or the moment.
func (h *half) wait(until time.Time) {
	changed := h.changed
	h.mu.Unlock()
	waitFor(changed, until)
}

// waitFor waits for a change or the moment, if there is one.
func waitFor(changed chan struct{}, until time.Time) {
	if until.IsZero() {
		<-changed
		return
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	}
}
