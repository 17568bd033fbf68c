package relay

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"relay/relay/quota"
	"relay/relay/socket"
)

// Limits on a connection before its peer is known.
const (
	handshakeTime  = 3 * time.Second
	handshakeBytes = 64 << 10
	// joinRate and joinBurst bound connections from one address. The burst lets a
	// household or a lecture hall behind one address start together.
	joinRate  = 5 // a second
	joinBurst = 50
)

var errTooMuch = errors.New("too many bytes before the handshake was over")

// guardedConn bounds what a stranger can make us read, notes when anything last came, and
// has an outbox for what is written.
type guardedConn struct {
	net.Conn
	left  atomic.Int64 // bytes that may still be read; < 0 when unbounded
	heard func()       // called after each read, once set; by the reading goroutine
	first []byte       // what was read already, and comes before the rest
	in    *inbox       // of a parent's, nil for none; likewise
	out   outbox
}

func newGuardedConn(c net.Conn) *guardedConn {
	g := &guardedConn{Conn: c}
	g.left.Store(handshakeBytes)
	return g
}

// allow sets how many bytes may still be read.
func (g *guardedConn) allow(n int64) { g.left.Store(n) }

// open lifts the bound. From then on heard is called after each read.
func (g *guardedConn) open(heard func()) {
	g.left.Store(-1)
	g.heard = heard
}

// TLS 1.3's first record: one byte for a handshake, two of version, two of length (RFC 8446 §5.1).
const (
	recordHead      = 5
	recordHandshake = 22
)

// readFirst reads the record with which a handshake begins, and keeps it for Read. It calls spoke
// when the first bytes have come. Of what is no such record, or too long a one, it reads no more than
// it takes to see that: TLS will refuse it.
func (g *guardedConn) readFirst(spoke func()) error {
	var b bytes.Buffer // grows with what has come
	if _, err := io.CopyN(&b, g, 1); err != nil {
		return err
	}
	spoke()
	if b.Bytes()[0] == recordHandshake {
		if _, err := io.CopyN(&b, g, recordHead-1); err != nil {
			return err
		}
		n := int64(binary.BigEndian.Uint16(b.Bytes()[recordHead-2:]))
		if _, err := io.CopyN(&b, g, min(n, firstMost)); err != nil {
			return err
		}
	}
	g.first = b.Bytes()
	return nil
}

// pass has what comes pass through an inbox. It is called before anybody reads on, or writes.
func (g *guardedConn) pass(idle func()) {
	g.in = newInbox(g.Conn, func() { g.heard() }, idle)
	if s := socket.Of(g.Conn); s != nil {
		g.out.socket = s
	}
}

func (g *guardedConn) Read(b []byte) (int, error) {
	if len(g.first) > 0 {
		n := copy(b, g.first)
		g.first = g.first[n:]
		return n, nil
	}
	if g.in != nil {
		return g.in.Read(b)
	}
	left := g.left.Load()
	if left == 0 {
		return 0, errTooMuch
	}
	if left > 0 && int64(len(b)) > left {
		b = b[:left]
	}
	n, err := g.Conn.Read(b)
	if left > 0 {
		g.left.CompareAndSwap(left, left-int64(n))
	}
	if n > 0 && g.heard != nil {
		g.heard()
	}
	return n, err
}

func (g *guardedConn) Write(b []byte) (int, error) { return g.out.write(g.Conn, b) }

// lets reports whether an address may have something done once more. The machine itself is not bounded.
func lets(q *quota.Addrs, now time.Time, remote netip.Addr) bool {
	return remote.Unmap().IsLoopback() || !remote.IsValid() || q.Allow(now, remote, 1)
}
