// Package lobby bounds the connections of peers who have not yet said what they want. When there
// are as many as there may be, one gives way to the next: a crowd from one address before all
// others, who says nothing before who speaks, and this machine's own networks last.
package lobby

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// fewAddr and fewPrefix are how many guests an address and a prefix may have before they
	// count as a crowd: a browser opens six, and a household has several.
	fewAddr, fewPrefix = 8, 32
	// prefix4 and prefix6 are the bits that addresses of one owner have in common, mostly.
	prefix4, prefix6 = 24, 48
)

// State is what a guest is doing.
type State int8

// States, those that give way first behind the others.
const (
	Served State = iota // it has said all, and is answered
	Spoken              // it has said something
	Silent              // it has said nothing, or nothing since it was answered
)

// Lobby holds guests, most at a time. It is safe for concurrent use.
type Lobby struct {
	most int
	own  func(netip.Addr) bool

	mu     sync.Mutex
	guests map[*Guest]struct{}
	of     map[netip.Prefix]int // how many an address has, or a prefix
}

// New returns a lobby for so many guests at a time. own reports whether an address is of this
// machine's own networks; this machine itself is always. It may be nil.
func New(most int, own func(netip.Addr) bool) *Lobby {
	return &Lobby{most: most, own: own, guests: make(map[*Guest]struct{}), of: make(map[netip.Prefix]int)}
}

// Guest is one connection in a lobby.
type Guest struct {
	lobby  *Lobby
	conn   net.Conn
	addr   netip.Prefix // that address alone
	prefix netip.Prefix
	own    bool

	// Guarded by the lobby's mu.
	state  State
	since  time.Time // when that state began
	turned bool      // it had to give way
}

// Enter takes in a connection, which is silent. It closes that of a guest who has to give way for
// it: with an address that has half of all, or a prefix with three quarters, one of their own. The
// guest must leave.
func (l *Lobby) Enter(conn net.Conn) *Guest {
	g := &Guest{lobby: l, conn: conn, state: Silent, since: time.Now()}
	addr := AddrOf(conn.RemoteAddr())
	g.own = addr.IsLoopback() || l.own != nil && l.own(addr)
	g.addr, g.prefix = Shares(addr)
	l.mu.Lock()
	var out *Guest
	switch {
	case !g.own && l.of[g.addr] >= l.most/2:
		out = l.first(func(o *Guest) bool { return o.addr == g.addr })
	case !g.own && l.of[g.prefix] >= l.most*3/4:
		out = l.first(func(o *Guest) bool { return o.prefix == g.prefix })
	case len(l.guests) >= l.most:
		out = l.first(func(*Guest) bool { return true })
	}
	if out != nil {
		out.turned = true
		l.remove(out)
	}
	l.guests[g] = struct{}{}
	l.of[g.addr]++
	l.of[g.prefix]++
	l.mu.Unlock()
	if out != nil {
		out.conn.Close()
	}
	return g
}

// first returns who gives way first among those of whom of reports true. It is called with mu
// held, as remove is.
func (l *Lobby) first(of func(*Guest) bool) *Guest {
	var worst *Guest
	for g := range l.guests {
		if of(g) && (worst == nil || l.before(g, worst)) {
			worst = g
		}
	}
	return worst
}

// before reports whether a gives way before b.
func (l *Lobby) before(a, b *Guest) bool {
	if a.own != b.own {
		return b.own
	}
	if x, y := l.crowded(a), l.crowded(b); x != y {
		return x
	}
	if a.state != b.state {
		return a.state > b.state
	}
	if x, y := l.of[a.addr], l.of[b.addr]; x != y {
		return x > y
	}
	return a.since.Before(b.since)
}

// crowded reports whether the guest is one of a crowd.
func (l *Lobby) crowded(g *Guest) bool { return l.of[g.addr] > fewAddr || l.of[g.prefix] > fewPrefix }

func (l *Lobby) remove(g *Guest) {
	if _, ok := l.guests[g]; !ok {
		return
	}
	delete(l.guests, g)
	for _, p := range []netip.Prefix{g.addr, g.prefix} {
		if l.of[p]--; l.of[p] == 0 {
			delete(l.of, p)
		}
	}
}

// Is says what the guest is doing now.
func (g *Guest) Is(s State) {
	g.lobby.mu.Lock()
	defer g.lobby.mu.Unlock()
	if g.state != s {
		g.state, g.since = s, time.Now()
	}
}

// Leave makes room: the guest is gone, or is no guest any more. It may be called again.
func (g *Guest) Leave() {
	g.lobby.mu.Lock()
	defer g.lobby.mu.Unlock()
	g.lobby.remove(g)
}

// Turned reports whether the guest had to give way, and its connection was closed for that.
func (g *Guest) Turned() bool {
	g.lobby.mu.Lock()
	defer g.lobby.mu.Unlock()
	return g.turned
}

// AddrOf returns the IP address of a connection's end; the zero Addr if it has none.
func AddrOf(a net.Addr) netip.Addr {
	if a == nil {
		return netip.Addr{}
	}
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

// Shares returns what an address shares what it is given with: itself, and its prefix of 24 bits,
// or of 48 for IPv6. Both are the zero Prefix for the zero Addr.
func Shares(a netip.Addr) (self, prefix netip.Prefix) {
	if !a.IsValid() {
		return netip.Prefix{}, netip.Prefix{}
	}
	bits := prefix6
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = prefix4
	}
	prefix, _ = a.Prefix(bits) // fails for no such number of bits
	return netip.PrefixFrom(a, a.BitLen()), prefix
}
