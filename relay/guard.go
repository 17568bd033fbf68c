package relay

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Limits on a connection before its peer is known.
const (
	handshakeTime  = 3 * time.Second
	handshakeBytes = 64 << 10
	handshakes     = 32 // at the same time
	// joinRate and joinBurst bound connections from one address. The burst lets a
	// household or a lecture hall behind one address start together.
	joinRate  = 5 // a second
	joinBurst = 50
	// maxLimiters bounds the addresses that are remembered for that.
	maxLimiters = 4096
)

var errTooMuch = errors.New("too many bytes before the handshake was over")

// guardedConn bounds what a stranger can make us read, notes when anything last came, and
// has an outbox for what is written.
type guardedConn struct {
	net.Conn
	left  atomic.Int64 // bytes that may still be read; < 0 when unbounded
	heard func()       // called after each read, once set; by the reading goroutine
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

// pass has what comes pass through an inbox. It is called before anybody reads on.
func (g *guardedConn) pass(idle func()) {
	g.in = newInbox(g.Conn, func() { g.heard() }, idle)
}

func (g *guardedConn) Read(b []byte) (int, error) {
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

// addrLimiter bounds how often one address may do something. An IPv6 customer has a
// whole /64, so that counts as one. The machine itself is not bounded.
type addrLimiter struct {
	rate  rate.Limit // a second
	burst int

	mu    sync.Mutex
	addrs map[netip.Prefix]*rate.Limiter
}

func (j *addrLimiter) allow(now time.Time, remote netip.Addr) bool {
	remote = remote.Unmap()
	if remote.IsLoopback() || !remote.IsValid() {
		return true
	}
	bits := 32
	if remote.Is6() {
		bits = 64
	}
	p, err := remote.WithZone("").Prefix(bits)
	if err != nil {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.addrs[p]
	if l == nil {
		if len(j.addrs) >= maxLimiters {
			j.forgetIdle(now)
		}
		if len(j.addrs) >= maxLimiters {
			return false
		}
		l = rate.NewLimiter(j.rate, j.burst)
		if j.addrs == nil {
			j.addrs = make(map[netip.Prefix]*rate.Limiter)
		}
		j.addrs[p] = l
	}
	return l.AllowN(now, 1)
}

// forgetIdle drops the addresses that have been quiet long enough to have their
// whole burst back.
func (j *addrLimiter) forgetIdle(now time.Time) {
	for p, l := range j.addrs {
		if l.TokensAt(now) >= float64(j.burst) {
			delete(j.addrs, p)
		}
	}
}
