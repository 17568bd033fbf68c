package pcpout

import (
	"bufio"
	"context"
	"io"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/hostnet"
	"relay/relay/pcp"
)

const (
	// portTime is how long it may take until a port has answered.
	portTime = 5 * time.Second
	// portsAtOnce is how many ports are tried at a time.
	portsAtOnce = 16
	// portRate and portBurst bound how often ports of one address are tried, and portAddrs how many addresses are
	// remembered for that.
	portRate  = rate.Limit(0.2) // a second
	portBurst = 5
	portAddrs = 1024
	// lowestPort is the lowest port that is tried. Below are those of services which the system itself runs, as pcpin has it.
	lowestPort = 1024
	// answerMost bounds what is read of an answer, in bytes.
	answerMost = 1 << 10
)

// ports bounds how many ports are tried.
type ports struct {
	slots chan struct{}

	mu    sync.Mutex
	addrs map[netip.Prefix]*rate.Limiter
}

// allow reports whether a port of an address may be tried once more.
func (p *ports) allow(now time.Time, a netip.Addr) bool {
	at, _ := hostnet.Counted(a)
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.addrs[at]
	if l == nil {
		for k, l := range p.addrs {
			if l.TokensAt(now) >= portBurst {
				delete(p.addrs, k)
			}
		}
		if len(p.addrs) >= portAddrs {
			return false
		}
		if p.addrs == nil {
			p.addrs = make(map[netip.Prefix]*rate.Limiter)
		}
		l = rate.NewLimiter(portRate, portBurst)
		p.addrs[at] = l
	}
	return l.AllowN(now, 1)
}

// dialled reports whether a port is one that a stranger may have dialled, at the address at which he himself is seen. An
// address that means something in one network alone is dialled only in this machine's own: anywhere else it is another machine's
// than the one that asks, as behind a carrier's NAT or a VPN.
func (s *Server) dialled(to netip.AddrPort) bool {
	if to.Port() < lowestPort || hostnet.Nowhere(to.Addr()) {
		return false
	}
	_, inside := hostnet.Inside(to.Addr())
	return !inside || s.own(to.Addr())
}

// try dials a port at the address from which a peer has come, and at no other, and reports whether the
// peer of that session answers there. It sends no more than came bytes, which the peer has sent itself: nobody gains
// by having another dialled.
func (s *Server) try(ctx context.Context, to netip.AddrPort, session pcp.ID, came int) bool {
	if !s.dialled(to) {
		s.refused.Add(RefusedPlace)
		return false
	}
	if len(s.question(to)) > came || !s.ports.allow(time.Now(), to.Addr()) {
		s.refused.Add(RefusedPort)
		return false
	}
	select {
	case s.ports.slots <- struct{}{}:
		defer func() { <-s.ports.slots }()
	default:
		s.refused.Add(RefusedPort)
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, portTime)
	defer cancel()
	o, ok := s.greet(ctx, to)
	return ok && o.Session == session
}

// question is what is said to a PeerCast to find out that it is there, the goodbye included.
func (s *Server) question(to netip.AddrPort) []byte {
	ask := pcp.AppendConnect(nil, pcp.Over(to.Addr()))
	ask = pcp.Helo{Agent: s.config.Agent, Version: pcp.Version, Session: s.config.Session}.Append(ask)
	return pcp.AppendQuit(ask, pcp.QuitOffAir)
}

// greet dials a PeerCast, and returns what it says of itself; false if there is none.
func (s *Server) greet(ctx context.Context, to netip.AddrPort) (o pcp.Oleh, ok bool) {
	conn, err := s.config.Dial(ctx, "tcp", to.String())
	if err != nil {
		return o, false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	ask, quit := s.question(to), len(pcp.AppendQuit(nil, pcp.QuitOffAir))
	if _, err := conn.Write(ask[:len(ask)-quit]); err != nil {
		return o, false
	}
	a, err := pcp.NewReader(bufio.NewReaderSize(io.LimitReader(conn, answerMost), answerMost)).Next()
	if err != nil {
		return o, false
	}
	o, err = pcp.ParseOleh(a)
	conn.Write(ask[len(ask)-quit:]) // as good as said if it fails
	return o, err == nil
}
