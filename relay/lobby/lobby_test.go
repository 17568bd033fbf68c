package lobby

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// conn is a connection from an address.
type conn struct {
	net.Conn
	from   string
	closed bool
}

func (c *conn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from))
}

func (c *conn) Close() error {
	c.closed = true
	return nil
}

// enter has so many connections come from addresses that format makes of a number.
func enter(l *Lobby, n int, format string) (conns []*conn, guests []*Guest) {
	for i := range n {
		from := format
		if strings.Contains(format, "%") {
			from = fmt.Sprintf(format, i)
		}
		c := &conn{from: from}
		conns = append(conns, c)
		guests = append(guests, l.Enter(c))
	}
	return conns, guests
}

func open(conns []*conn) (n int) {
	for _, c := range conns {
		if !c.closed {
			n++
		}
	}
	return n
}

func TestWhoComesIsTakenInAndACrowdGivesWay(t *testing.T) {
	const one = "203.0.113.7:1"
	for name, c := range map[string]struct {
		flood string // addresses of those who fill it
		n     int
	}{
		"one address":  {one, 500},
		"one prefix":   {"203.0.113.%d:2", 250},
		"one /64":      {"[2001:db8:1::%x]:2", 500},
		"one /48":      {"[2001:db8:1:%x::1]:2", 500},
		"many of them": {"203.0.%d.7:2", 250},
	} {
		t.Run(name, func(t *testing.T) {
			l := New(40, nil)
			flood, _ := enter(l, c.n, c.flood)
			others, _ := enter(l, 10, "198.51.%d.1:2")
			if n := open(others); n != 10 {
				t.Errorf("%d of 10 others are in", n)
			}
			if n := open(flood); n > 30 {
				t.Errorf("%d of the flood are in", n)
			}
			if len(l.guests) > 40 {
				t.Errorf("%d guests", len(l.guests))
			}
		})
	}
}

func TestWhoGivesWayFirst(t *testing.T) {
	own := func(a netip.Addr) bool { return a.IsPrivate() }
	l := New(4, own)
	at := func(from string, s State) (*conn, *Guest) {
		c := &conn{from: from}
		g := l.Enter(c)
		g.Is(s)
		return c, g
	}
	here, _ := at("127.0.0.1:1", Silent)
	lan, _ := at("192.168.1.5:1", Silent)
	served, _ := at("198.51.100.1:1", Served)
	spoken, _ := at("198.51.101.1:1", Spoken)
	silent, _ := at("198.51.102.1:1", Silent) // in the place of the one who spoke
	if !spoken.closed || silent.closed || served.closed {
		t.Fatalf("spoken %v, silent %v, served %v", spoken.closed, silent.closed, served.closed)
	}
	next, g := at("198.51.103.1:1", Spoken)
	if !silent.closed || served.closed || next.closed || g.Turned() {
		t.Error("who is silent gives way to who comes")
	}
	at("192.168.1.6:1", Silent)
	at("192.168.1.7:1", Silent)
	if !next.closed || !served.closed || !g.Turned() || here.closed || lan.closed {
		t.Error("strangers give way to the own network")
	}
	at("192.168.1.8:1", Silent)
	if !here.closed && !lan.closed {
		t.Error("nobody has given way among ourselves")
	}
}

func TestTheLargerCrowdGivesWayWhateverItsAddresses(t *testing.T) {
	l := New(80, nil)
	household, _ := enter(l, fewAddr+2, "198.51.100.7:1")
	enter(l, 59, "192.0.2.%d:2") // one prefix, and one of each address
	enter(l, 30, "203.0.%d.7:2")
	if n := open(household); n != len(household) {
		t.Errorf("%d of a household are in", n)
	}
}

func TestNobodyIsCountedWhoHasLeft(t *testing.T) {
	l := New(10, nil)
	_, guests := enter(l, 30, "203.0.113.7:1")
	for _, g := range guests {
		g.Leave()
		g.Leave()
	}
	if one, all := l.of.Of(netip.MustParseAddr("203.0.113.7")); len(l.guests) != 0 || one != 0 || all != 0 {
		t.Errorf("%d guests, %d and %d counted", len(l.guests), one, all)
	}
	if AddrOf(nil).IsValid() {
		t.Error("who has no address has one")
	}
}
