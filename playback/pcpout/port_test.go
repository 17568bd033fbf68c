package pcpout_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"relay/playback/pcpout"
	"relay/relay/pcp"
	"relay/relay/pcp/pcptest"
	"relay/relay/refusal"
)

// ports notes what is dialled, and has everything answer as a session.
type ports struct {
	mu      sync.Mutex
	dialled []string
	sent    int // bytes to all of them
	as      func(addr string) pcp.ID
}

func (p *ports) dial(_ context.Context, _, addr string) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dialled = append(p.dialled, addr)
	ours, theirs := net.Pipe()
	go p.answer(theirs, p.as(addr)) // ends with ours
	return ours, nil
}

func (p *ports) answer(conn net.Conn, as pcp.ID) {
	defer conn.Close()
	r := pcp.NewReader(conn)
	for size := 0; ; size = 0 {
		a, err := r.Next()
		if err != nil {
			return
		}
		switch a.Name {
		case pcp.NameConnect:
			size = len(pcp.AppendConnect(nil, pcp.Over4))
		case pcp.NameHelo:
			h, _ := pcp.ParseHelo(a)
			size = len(h.Append(nil))
			conn.Write(pcp.Oleh{Agent: "PeerCast", Session: as, Version: 1218, Remote: netip.IPv4Unspecified()}.Append(nil))
		case pcp.NameQuit:
			size = len(pcp.AppendQuit(nil, pcp.QuitOffAir))
		}
		p.mu.Lock()
		p.sent += size
		p.mu.Unlock()
	}
}

func (p *ports) all() (dialled []string, sent int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.dialled), p.sent
}

// seen is a connection whose other end is seen at an address.
type seen struct {
	*net.TCPConn
	at netip.Addr
}

func (c seen) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.at, 50000))
}

// from is a PeerCast that is seen at an address.
func (s *source) from(addr string) *client {
	s.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	defer ln.Close()
	c := dial(s.t, ln.Addr().String())
	conn, err := ln.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	s.t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		s.server.Take(ctx, seen{conn.(*net.TCPConn), netip.MustParseAddr(addr)}, nil)
	}()
	return c
}

// own are the networks of the machine in these tests.
func own(a netip.Addr) bool {
	return netip.MustParsePrefix("192.168.1.0/24").Contains(a) || netip.MustParsePrefix("fd00:1::/64").Contains(a) || netip.MustParsePrefix("169.254.0.0/16").Contains(a)
}

// TestAPortIsTriedOnlyWhereWhoAsksIs has strangers want ports tried. What is dialled is counted at the dialler itself.
func TestAPortIsTriedOnlyWhereWhoAsksIs(t *testing.T) {
	for _, c := range []struct {
		what, from string
		port       uint16
		want       string // that is dialled; "" for nothing
		why        refusal.Reason
	}{
		{"on the Internet", "198.51.100.7", 7144, "198.51.100.7:7144", ""},
		{"over IPv6", "2001:db8::7", 7144, "[2001:db8::7]:7144", ""},
		{"in this machine's network", "192.168.1.5", 7144, "192.168.1.5:7144", ""},
		{"in this machine's network over IPv6", "fd00:1::5", 7144, "[fd00:1::5]:7144", ""},
		{"on this machine", "127.0.0.1", 7144, "127.0.0.1:7144", ""},
		{"in a private network elsewhere", "192.168.2.5", 7144, "", pcpout.RefusedPlace},
		{"in a private network elsewhere, of another block", "10.0.0.5", 7144, "", pcpout.RefusedPlace},
		{"in a private network elsewhere over IPv6", "fd00:2::5", 7144, "", pcpout.RefusedPlace},
		{"behind a carrier's NAT", "100.64.0.5", 7144, "", pcpout.RefusedPlace},
		{"on a link elsewhere", "fe80::5", 7144, "", pcpout.RefusedPlace},
		{"a data centre's service for its machines", "169.254.169.254", 7144, "", pcpout.RefusedPlace},
		{"a service of the system's", "198.51.100.7", 25, "", pcpout.RefusedPlace},
		{"the last of the system's ports", "198.51.100.7", 1023, "", pcpout.RefusedPlace},
		{"the first that is not", "198.51.100.7", 1024, "198.51.100.7:1024", ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			p := ports{as: func(string) pcp.ID { return theirs }}
			s := start(t, func(cfg *pcpout.Config) { cfg.Dial, cfg.Own = p.dial, own })
			s.group()
			var want []string
			if c.want != "" {
				want = []string{c.want}
			}
			// It wants it at once, on a connection without a channel.
			g := s.from(c.from)
			g.send(pcp.AppendConnect(nil, pcp.Over4))
			g.helo.Ping = c.port
			o := g.meet()
			if open := c.want != ""; (o.Port == c.port) != open || o.Remote.String() != c.from {
				t.Errorf("it is told %+v", o)
			}
			g.quit()
			if got, _ := p.all(); !slices.Equal(got, want) {
				t.Errorf("dialled %v, want %v", got, want)
			}
			if c.why != "" {
				s.refused(c.why, 1)
			}
			// And as a peer that says its port, which is tried before it is named to anybody.
			g = s.from(c.from)
			g.helo.Port = c.port
			g.join(s)
			g.chunk()
			if want = append(want, want...); c.why != "" {
				s.refused(c.why, 2)
			}
			s.until("tried", func() bool { got, _ := p.all(); return len(got) == len(want) })
			if got, _ := p.all(); !slices.Equal(got, want) {
				t.Errorf("dialled %v, want %v", got, want)
			}
		})
	}
}

// TestNobodyHasAThirdDialled has a stranger say addresses of somebody else wherever there is one to say.
func TestNobodyHasAThirdDialled(t *testing.T) {
	p := ports{as: func(string) pcp.ID { return theirs }}
	s := start(t, func(cfg *pcpout.Config) { cfg.Dial, cfg.Own = p.dial, own })
	third := pcptest.IP("ip", netip.MustParseAddr("192.168.1.1"))
	c := s.from("198.51.100.7")
	c.send(pcp.AppendConnect(nil, pcp.Over4))
	c.send(pcptest.Of("helo", third, pcptest.IP("rip", netip.MustParseAddr("192.168.1.1")), pcptest.Text("agnt", "PeerCast/0.1218 (YT50)"), pcptest.Int("ver", 1218),
		pcptest.Raw("sid", theirs[:]), pcptest.Short("ping", 8080), pcptest.Short("port", 8080), pcptest.Of("host", third, pcptest.Short("port", 8080))).Bytes())
	if o, err := pcp.ParseOleh(c.next()); err != nil || o.Port != 8080 {
		t.Errorf("%+v, %v", o, err)
	}
	c.quit()
	if got, _ := p.all(); !slices.Equal(got, []string{"198.51.100.7:8080"}) {
		t.Errorf("dialled %v", got)
	}
}

// TestNoMoreIsSentToAPortThanWhoAsksHasSent goes to the byte at which a test is paid for.
func TestNoMoreIsSentToAPortThanWhoAsksHasSent(t *testing.T) {
	const agent = "relay/test" // the server's
	// What is sent to a port is pcp\n, a helo without a port, and a quit.
	cost := len(pcp.Helo{Agent: agent, Version: pcp.Version, Session: ours}.Append(pcp.AppendQuit(pcp.AppendConnect(nil, pcp.Over4), pcp.QuitOffAir)))
	helo := func(more int) []byte {
		kids := []pcptest.Atom{pcptest.Int("ver", 1218), pcptest.Raw("sid", theirs[:]), pcptest.Short("ping", 7144)}
		if more > 0 {
			kids = append(kids, pcptest.Raw("agnt", make([]byte, more-8)))
		}
		return pcptest.Of("helo", kids...).Bytes()
	}
	short := len(pcp.AppendConnect(helo(0), pcp.Over4))
	for _, more := range []int{0, cost - short - 1, cost - short} {
		t.Run(fmt.Sprintf("%d of %d bytes", short+more, cost), func(t *testing.T) {
			p := ports{as: func(string) pcp.ID { return theirs }}
			s := start(t, func(cfg *pcpout.Config) { cfg.Dial = p.dial })
			c := s.from("198.51.100.7")
			c.send(pcp.AppendConnect(nil, pcp.Over4))
			c.send(helo(more))
			o, err := pcp.ParseOleh(c.next())
			if err != nil {
				t.Fatal(err)
			}
			c.quit()
			if short+more < cost {
				if got, _ := p.all(); o.Port != 0 || len(got) > 0 {
					t.Errorf("it is told of port %d, after dialling %v", o.Port, got)
				}
				s.refused(pcpout.RefusedPort, 1)
				return
			}
			s.until("the last word", func() bool { _, sent := p.all(); return sent >= cost })
			if got, sent := p.all(); o.Port != 7144 || len(got) != 1 || sent != short+more {
				t.Errorf("it is told of port %d, after %d bytes to %v", o.Port, sent, got)
			}
		})
	}
}

// TestWhomAnAskerIsNamed has peers wherever there are networks, more than are named, and askers from everywhere.
func TestWhomAnAskerIsNamed(t *testing.T) {
	peers := []string{"127.0.0.1", "192.168.1.1", "fd00:1::1"}
	for i := range 12 {
		peers = append(peers, fmt.Sprintf("198.51.%d.9", 100+i))
	}
	at := make(map[string]pcp.ID)
	p := ports{as: func(addr string) pcp.ID { return at[addr] }}
	s := start(t, func(cfg *pcpout.Config) { cfg.Dial, cfg.Own, cfg.Most = p.dial, own, len(peers) })
	s.group()
	ch := pcp.ChannelID(s.id)
	for i, addr := range peers {
		session := id(byte(i + 1))
		p.mu.Lock()
		at[netip.AddrPortFrom(netip.MustParseAddr(addr), 7144).String()] = session
		p.mu.Unlock()
		c := s.from(addr)
		c.helo.Session, c.helo.Ping = session, 7144
		if o := c.join(s); o.Port != 7144 {
			t.Fatalf("%s: %+v", addr, o)
		}
		c.send(receiving(ch, session, pcp.Receiving|pcp.RelayFree).Append(nil))
	}
	s.until("all have told", func() bool { return s.server.Counts(s.id).Listeners == 2*len(peers) })

	for _, c := range []struct {
		from  string
		inner []string // that may be named, of those that are not public
	}{
		{"203.0.113.5", nil},
		{"2001:db8::5", nil},
		{"127.0.0.1", peers[:1]},
		{"192.168.1.5", peers[1:2]},
		{"10.0.0.5", nil},
		{"100.64.0.5", nil},
		{"fd00:1::5", peers[2:3]},
		{"fd00:2::5", nil},
	} {
		named := make(map[string]bool)
		for range 40 { // they are drawn by lot
			a := s.from(c.from)
			a.helo.Session = id(0x99)
			if got := a.ask(ch); got.Status != 503 {
				t.Fatalf("%+v", got)
			}
			a.meet()
			n := 0
			for next := a.next(); next.Name != pcp.NameQuit; next = a.next() {
				if next.Name == pcp.NameHost {
					h, err := pcp.ParseHost(next)
					if err != nil || h.Local != h.Global {
						t.Fatalf("%+v, %v", h, err)
					}
					named[h.Global.Addr().String()] = true
					n++
				}
			}
			if n != 8 {
				t.Errorf("to %s %d hosts are named, want 8", c.from, n)
			}
			a.conn.Close()
		}
		for _, inner := range peers[:3] {
			if named[inner] && !slices.Contains(c.inner, inner) {
				t.Errorf("to %s %s is named", c.from, inner)
			}
			if !named[inner] && slices.Contains(c.inner, inner) { // 1 in 10^15 by lot: 8 of 13 are named, 40 times
				t.Errorf("to %s %s is not named", c.from, inner)
			}
		}
	}
}
