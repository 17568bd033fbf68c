package dht

import (
	"crypto/sha1"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

// fakeNet is a network in memory, with nodes that keep records as BEP 44 has it.
type fakeNet struct {
	mu    sync.Mutex
	nodes map[netip.AddrPort]*fakeNode
	conns map[netip.AddrPort]*fakeConn
	sent  []sent // by clients
	ports uint16
}

type sent struct {
	to   netip.AddrPort
	at   time.Time
	size int
}

// fakeNode is one node: who answers, and with what.
type fakeNode struct {
	contact
	net  *fakeNet
	kept map[ID]keptRecord
	dead bool
	// answer replaces what a node answers; it may send what it likes by way of say.
	answer func(n *fakeNode, from netip.AddrPort, q dict, say func(from netip.AddrPort, packet []byte))
}

type keptRecord struct {
	r     Record
	until time.Time
}

// keepTime is how long nodes keep a record (BEP 44).
const keepTime = 2 * time.Hour

func newFakeNet(count int) *fakeNet {
	f := &fakeNet{nodes: map[netip.AddrPort]*fakeNode{}, conns: map[netip.AddrPort]*fakeConn{}, ports: 20000}
	for i := range count {
		f.add(i)
	}
	return f
}

// add adds the i-th node, with a public address of its own.
func (f *fakeNet) add(i int) *fakeNode {
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{9, byte(i >> 8), byte(i), 1}), 6881)
	n := &fakeNode{contact: contact{ID(sha1.Sum(fmt.Appendf(nil, "node %d", i))), at}, net: f, kept: map[ID]keptRecord{}}
	f.nodes[at] = n
	return n
}

// all returns the nodes, the nearest to an ID first.
func (f *fakeNet) all(target ID) []*fakeNode {
	var all []*fakeNode
	for _, n := range f.nodes {
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b *fakeNode) int { return target.compare(a.id, b.id) })
	return all
}

// first is the node that clients know.
func (f *fakeNet) first() string { return "9.0.0.1:6881" }

// client returns a client in the network that knows the first node.
func (f *fakeNet) client(cfg Config) *Client {
	cfg.Listen = func() (net.PacketConn, error) { return f.listen(), nil }
	if cfg.Bootstrap == nil {
		cfg.Bootstrap = []string{f.first()}
	}
	return New(cfg)
}

func (f *fakeNet) listen() *fakeConn {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ports++
	c := &fakeConn{net: f, at: netip.AddrPortFrom(netip.AddrFrom4([4]byte{8, 8, 8, 8}), f.ports), in: make(chan datagram, 20000), closed: make(chan struct{})}
	f.conns[c.at] = c
	return c
}

// takes has a node answer as nodes do.
func (n *fakeNode) takes(from netip.AddrPort, q dict, say func(netip.AddrPort, []byte)) {
	a, t := q.dict("a"), q.text("t")
	head := func() []byte { return appendText([]byte("d1:rd2:id"), n.id[:]) }
	end := func(b []byte) { say(n.at, append(appendText(append(b, "e1:t"...), t), "1:y1:re"...)) }
	fail := func(code int64) {
		b := appendText(appendInteger([]byte("d1:el"), code), "no")
		say(n.at, append(appendText(append(b, "e1:t"...), t), "1:y1:ee"...))
	}
	switch string(q.text("q")) {
	case "get":
		target := ID(a.text("target"))
		b := head()
		k, has := n.kept[target]
		if has = has && time.Now().Before(k.until); has {
			b = appendText(append(b, "1:k"...), k.r.name.key[:])
		}
		b = appendText(append(b, "5:nodes"...), n.near(target))
		if has {
			b = appendInteger(append(b, "3:seq"...), k.r.seq)
			b = appendText(append(b, "3:sig"...), k.r.sig[:])
		}
		b = appendText(append(b, "5:token"...), tokenOf(from))
		if has {
			b = appendText(append(b, "1:v"...), k.r.value)
		}
		end(b)
	case "put":
		v, _ := text(a.get("v"))
		seq, _ := integer(a.get("seq"))
		r := Record{name: name{key: [32]byte(a.text("k")), salt: string(a.text("salt"))}, seq: seq, value: slices.Clone(v)}
		copy(r.sig[:], a.text("sig"))
		at := r.name.target()
		switch {
		case string(a.text("token")) != tokenOf(from):
			fail(203)
		case len(a.get("v")) > maxValue:
			fail(205)
		case r.verify() != nil:
			fail(206)
		case n.kept[at].r.seq > seq && time.Now().Before(n.kept[at].until):
			fail(codeOlder)
		default:
			n.kept[at] = keptRecord{r, time.Now().Add(keepTime)}
			end(head())
		}
	case "find_node":
		end(appendText(append(head(), "5:nodes"...), n.near(ID(a.text("target")))))
	default:
		fail(codeUnknown)
	}
}

// near returns the eight nodes nearest to an ID, in their compact form.
func (n *fakeNode) near(target ID) (b []byte) {
	for _, o := range n.net.all(target)[:min(8, len(n.net.nodes))] {
		b = append(append(b, o.id[:]...), o.at.Addr().AsSlice()...)
		b = append(b, byte(o.at.Port()>>8), byte(o.at.Port()))
	}
	return b
}

func tokenOf(from netip.AddrPort) string { return "token of " + from.Addr().String() }

// fakeConn is a client's socket.
type fakeConn struct {
	net    *fakeNet
	at     netip.AddrPort
	in     chan datagram
	closed chan struct{}
	once   sync.Once
}

func (c *fakeConn) WriteTo(b []byte, to net.Addr) (int, error) {
	f := c.net
	f.mu.Lock()
	defer f.mu.Unlock()
	at := to.(*net.UDPAddr).AddrPort()
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	f.sent = append(f.sent, sent{at, time.Now(), len(b)})
	n := f.nodes[at]
	if n == nil || n.dead {
		return len(b), nil
	}
	q, ok := asDict(slices.Clone(b))
	if !ok {
		panic(fmt.Sprintf("the client has sent %q", b))
	}
	say := func(from netip.AddrPort, packet []byte) {
		select {
		case c.in <- datagram{from, packet}:
		default: // as a socket does whose reader is slow
		}
	}
	if n.answer != nil {
		n.answer(n, c.at, q, say)
	} else {
		n.takes(c.at, q, say)
	}
	return len(b), nil
}

func (c *fakeConn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-c.in:
		return copy(b, d.packet), net.UDPAddrFromAddrPort(d.from), nil
	case <-c.closed:
		return 0, nil, net.ErrClosed
	}
}

func (c *fakeConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

func (c *fakeConn) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(c.at) }
func (c *fakeConn) SetDeadline(time.Time) error      { return nil }
func (c *fakeConn) SetReadDeadline(time.Time) error  { return nil }
func (c *fakeConn) SetWriteDeadline(time.Time) error { return nil }

// packets returns what clients have sent, and forgets it.
func (f *fakeNet) packets() []sent {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.sent
	f.sent = nil
	return all
}

// bounded checks what was sent in one look-up against the bounds.
func bounded(t *testing.T, all []sent, puts int) {
	t.Helper()
	if len(all) > maxPackets || len(all) > maxAsked+puts {
		t.Errorf("%d packets in one look-up", len(all))
	}
	for i := range all {
		if i >= paceMost && all[i].at.Sub(all[i-paceMost].at) < paceTime {
			t.Errorf("packets %d to %d within %v", i-paceMost, i, all[i].at.Sub(all[i-paceMost].at))
			break
		}
		if all[i].size > maxPacket {
			t.Errorf("a packet of %d bytes", all[i].size)
		}
	}
}
