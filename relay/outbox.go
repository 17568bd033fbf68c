package relay

import (
	"net"
	"sync"
	"sync/atomic"
)

// outbox is what has been written to a connection and has not gone out. While it is open, nobody who
// writes waits for the connection: neither a [sweeper], nor the link's reader, which TLS has answer
// by itself. What was written goes out in its order, since it is encrypted.
type outbox struct {
	waits atomic.Int64 // bytes

	mu     sync.Mutex // held while a write to a closed outbox lasts
	socket putter     // nil if there is none: see write
	open   bool
	buf    []byte
}

// write writes b to conn, or keeps it. What is short goes out at once, as a rule, and the runtime need
// not know: it would wake its monitor thread for it.
func (o *outbox) write(conn net.Conn, b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.open && o.socket != nil {
		n, err := o.socket.Put(b)
		if err != nil || n == len(b) {
			return n, err
		}
		rest, err := conn.Write(b[n:])
		return n + rest, err
	}
	if !o.open {
		return conn.Write(b)
	}
	o.buf = append(o.buf, b...)
	return len(b), nil
}

// begin opens the outbox. It waits for writes under way.
func (o *outbox) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open = true
}

// lend has what is written from now on kept in b, behind what waits already.
func (o *outbox) lend(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf = append(b[:0], o.buf...)
}

// len is how many bytes wait.
func (o *outbox) len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.buf)
}

// putter writes what it takes at once, as a socket.Socket does.
type putter interface{ Put(b []byte) (int, error) }

// send writes what the socket takes at once, and returns what was lent. The rest waits.
func (o *outbox) send(to putter) (lent []byte, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	if len(o.buf) > 0 {
		n, err = to.Put(o.buf)
	}
	lent = o.buf[:0]
	o.buf = append([]byte(nil), o.buf[n:]...)
	o.waits.Store(int64(len(o.buf)))
	return lent, err
}

// end writes what waits to conn, and closes the outbox.
func (o *outbox) end(conn net.Conn) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.buf) > 0 {
		b := o.buf
		o.buf = nil
		o.mu.Unlock()
		_, err := conn.Write(b)
		o.mu.Lock()
		if err != nil {
			return err
		}
	}
	o.open = false
	o.waits.Store(0)
	return nil
}
