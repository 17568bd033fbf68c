//go:build !lean

package whip

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// checksMost is how many connections of ICE there may be at a time: a browser opens one for each of its addresses.
const checksMost = 32

// door is one TCP port for two protocols: HTTP begins with a letter, a check of ICE with its length (RFC 4571), of which the first
// byte is 0 or 1. The server of HTTP bounds who comes, and for how long, until a connection has shown for which call it is.
type door struct {
	net.Listener
	checks  *checks
	callers *callers
}

func newDoor(ln net.Listener, c *callers) *door {
	return &door{Listener: ln, callers: c, checks: &checks{at: ln.Addr(), came: make(chan net.Conn), closed: make(chan struct{})}}
}

func (d *door) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &visitor{Conn: c, door: d}, nil
}

// visitor is a connection of which it is not known what it speaks. What is handed over is closed by who has got it.
type visitor struct {
	net.Conn
	door   *door
	begun  bool
	handed atomic.Bool
}

func (v *visitor) Read(b []byte) (int, error) {
	if v.handed.Load() {
		return 0, io.EOF
	}
	if v.begun || len(b) == 0 {
		return v.Conn.Read(b)
	}
	n, err := v.Conn.Read(b[:1])
	if n == 0 || err != nil {
		return n, err
	}
	if v.begun = true; b[0] > 1 {
		return n, nil
	}
	frame := [2 + stunMost]byte{0: b[0]}
	if _, err := io.ReadFull(v.Conn, frame[1:2]); err != nil {
		return 0, err
	}
	size := int(binary.BigEndian.Uint16(frame[:]))
	if size > stunMost {
		v.door.callers.stranger()
		return 0, io.EOF
	}
	if _, err := io.ReadFull(v.Conn, frame[2:2+size]); err != nil {
		return 0, err
	}
	if !v.door.callers.checked(frame[2 : 2+size]) {
		v.door.callers.stranger()
		return 0, io.EOF
	}
	v.handed.Store(true)
	v.Conn.SetDeadline(time.Time{})
	v.door.checks.take(&begun{Conn: v.Conn, first: frame[:2+size]})
	return 0, io.EOF
}

func (v *visitor) Write(b []byte) (int, error) {
	if v.handed.Load() {
		return 0, net.ErrClosed // the server has no answer for it
	}
	return v.Conn.Write(b)
}

func (v *visitor) Close() error {
	if v.handed.Load() {
		return nil
	}
	return v.Conn.Close()
}

// What the server says of a connection that it has no more, says nothing.

func (v *visitor) SetDeadline(t time.Time) error {
	if v.handed.Load() {
		return nil
	}
	return v.Conn.SetDeadline(t)
}

func (v *visitor) SetReadDeadline(t time.Time) error {
	if v.handed.Load() {
		return nil
	}
	return v.Conn.SetReadDeadline(t)
}

func (v *visitor) SetWriteDeadline(t time.Time) error {
	if v.handed.Load() {
		return nil
	}
	return v.Conn.SetWriteDeadline(t)
}

// begun is a connection of which the beginning was read.
type begun struct {
	net.Conn
	first []byte
}

func (b *begun) Read(p []byte) (int, error) {
	if len(b.first) > 0 {
		n := copy(p, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	return b.Conn.Read(p)
}

// checks are the connections of ICE, as a listener.
type checks struct {
	at     net.Addr
	came   chan net.Conn
	closed chan struct{}
	once   sync.Once
	open   atomic.Int32
}

// take takes a connection, if there are not too many.
func (c *checks) take(conn net.Conn) {
	if c.open.Add(1) > checksMost {
		c.open.Add(-1)
		conn.Close()
		return
	}
	counted := &countedConn{Conn: conn, gone: func() { c.open.Add(-1) }}
	select {
	case c.came <- counted:
	case <-c.closed:
		counted.Close()
	}
}

func (c *checks) Accept() (net.Conn, error) {
	select {
	case conn := <-c.came:
		return conn, nil
	case <-c.closed:
		return nil, net.ErrClosed
	}
}

func (c *checks) Addr() net.Addr { return c.at }

func (c *checks) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

type countedConn struct {
	net.Conn
	once sync.Once
	gone func()
}

func (c *countedConn) Close() error {
	c.once.Do(c.gone)
	return c.Conn.Close()
}
