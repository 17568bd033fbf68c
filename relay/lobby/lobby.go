// Package lobby bounds the connections of peers who have not yet said what they want. When there
// are as many as there may be, one gives way to the next: a crowd from one address or prefix before
// all others, who says nothing before who speaks, of the prefix and address that has most, the
// oldest, and this machine's own networks last.
package lobby

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"relay/relay/hostnet"
)

const (
	// fewAddr and fewPrefix are how many guests an address and a prefix may have before they
	// count as a crowd: a browser opens six, and a household has several.
	fewAddr, fewPrefix = 8, 32
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
	of     hostnet.Shares
}

// New returns a lobby for so many guests at a time. own reports whether an address is of this
// machine's own networks; this machine itself is always. It may be nil.
func New(most int, own func(netip.Addr) bool) *Lobby {
	return &Lobby{most: most, own: own, guests: make(map[*Guest]struct{})}
}

// Guest is one connection in a lobby.
type Guest struct {
	lobby *Lobby
	conn  net.Conn
	from  netip.Addr
	own   bool

	// Guarded by the lobby's mu.
	state  State
	since  time.Time // when that state began
	turned bool      // it had to give way
}

// Enter takes in a connection, which is silent. It closes that of a guest who has to give way for
// it: with an address that has half of all, or a prefix with three quarters, one of their own. The
// guest must leave.
func (l *Lobby) Enter(conn net.Conn) *Guest {
	g := &Guest{lobby: l, conn: conn, from: AddrOf(conn.RemoteAddr()), state: Silent, since: time.Now()}
	g.own = g.from.IsLoopback() || l.own != nil && l.own(g.from)
	addr, prefix := hostnet.Counted(g.from)
	l.mu.Lock()
	var out *Guest
	switch ones, all := l.of.Of(g.from); {
	case !g.own && ones >= l.most/2:
		out = l.first(func(o *Guest) bool { a, _ := hostnet.Counted(o.from); return a == addr })
	case !g.own && all >= l.most*3/4:
		out = l.first(func(o *Guest) bool { _, p := hostnet.Counted(o.from); return p == prefix })
	case len(l.guests) >= l.most:
		out = l.first(func(*Guest) bool { return true })
	}
	if out != nil {
		out.turned = true
		l.remove(out)
	}
	l.guests[g] = struct{}{}
	l.of.Add(g.from, 1)
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
	oneA, allA := l.of.Of(a.from)
	oneB, allB := l.of.Of(b.from)
	if x, y := crowd(oneA, allA), crowd(oneB, allB); x != y {
		return x
	}
	if a.state != b.state {
		return a.state > b.state
	}
	if allA != allB {
		return allA > allB
	}
	if oneA != oneB {
		return oneA > oneB
	}
	return a.since.Before(b.since)
}

// crowd reports whether so many of an address, and of its prefix, are one.
func crowd(addr, prefix int) bool { return addr > fewAddr || prefix > fewPrefix }

func (l *Lobby) remove(g *Guest) {
	if _, ok := l.guests[g]; !ok {
		return
	}
	delete(l.guests, g)
	l.of.Add(g.from, -1)
}

// Is says what the guest is doing now.
func (g *Guest) Is(s State) {
	g.lobby.mu.Lock()
	defer g.lobby.mu.Unlock()
	if g.state != s {
		g.state, g.since = s, time.Now()
	}
}

// State returns what the guest is doing.
func (g *Guest) State() State {
	g.lobby.mu.Lock()
	defer g.lobby.mu.Unlock()
	return g.state
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
