package pcpout

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"relay/playback"
	"relay/relay/pcp"
	"relay/relay/refusal"
)

const (
	// atomRate and atomBurst bound what a peer may say: it passes on what all behind it say, each every
	// 120 s.
	atomRate  = rate.Limit(20) // a second
	atomBurst = 200
)

// own reports whether an address is this machine's, or of its own networks.
func (s *Server) own(a netip.Addr) bool { return a.IsLoopback() || s.config.Own(a) }

// seat takes a place for a peer, or says why there is none. Who has got one must leave.
func (s *Server) seat(a netip.Addr) (leave func(), why refusal.Reason) {
	own := s.own(a)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch one, _ := s.of.Of(a); {
	case s.peers >= s.config.Most:
		return nil, RefusedFull
	case !own && one >= max(2, s.config.Most/2):
		return nil, RefusedShare
	}
	s.peers++
	s.of.Add(a, 1)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.peers--
		s.of.Add(a, -1)
	}, ""
}

// play greets a peer that has a place, and plays for it until it leaves or the channel ends.
func (g *guest) play(ctx context.Context, ch *channel, in *playback.Admission) error {
	greeted, h, port, err := g.greet(ctx)
	if err != nil {
		in.Leave()
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := &peer{addr: g.addr(), session: h.Session, end: cancel}
	if h.Ping != 0 {
		p.port = port // it has answered
	}
	ch.add(p)
	defer ch.remove(p)
	came := g.in.came
	g.in.most = 0
	g.begin()
	in.Last = lastWords
	var wg sync.WaitGroup
	wg.Go(func() { cancel(g.listen(ch, p)) }) // ends with conn
	if h.Ping == 0 && h.Port != 0 {
		wg.Go(func() { // within portTime
			if g.server.try(ctx, netip.AddrPortFrom(p.addr, h.Port), h.Session, came) {
				ch.reached(p, h.Port)
			}
		})
	}
	if in.Play(ctx, g.conn, greeted, nil) == nil {
		g.farewell(nil, pcp.QuitOffAir)
	}
	g.conn.Close()
	why := context.Cause(ctx)
	cancel(nil)
	wg.Wait()
	if t, ok := errors.AsType[*turnedAway](why); ok && t.why != "" {
		return t
	}
	return nil
}

// greet goes through the dialogue that comes in front of the stream. The peer still has to be sent the end of it.
func (g *guest) greet(ctx context.Context) (b []byte, h pcp.Helo, port uint16, err error) {
	if err := g.write(g.answer(200, true)); err != nil {
		return nil, h, 0, err
	}
	if h, port, err = g.meet(ctx, false); err != nil {
		return nil, h, 0, err
	}
	return pcp.AppendOK(g.oleh(port)), h, port, nil
}

// lastWords is what a peer is told at the end.
func lastWords(why error) []byte {
	quit := pcp.QuitShutdown
	if t, ok := errors.AsType[*turnedAway](why); ok {
		quit = t.quit
	}
	return pcp.AppendQuit(nil, quit)
}

// listen reads what a peer says until it leaves, and returns why it is cut, or net.ErrClosed.
func (g *guest) listen(ch *channel, p *peer) error {
	often := rate.NewLimiter(atomRate, atomBurst)
	for {
		a, err := g.atoms.Next()
		if t := asRefused(err); t != nil {
			return t
		}
		if err != nil {
			return net.ErrClosed
		}
		if !often.Allow() {
			return &turnedAway{RefusedOften, pcp.QuitBadResponse}
		}
		leaves, err := g.said(ch, p, a)
		switch t := asRefused(err); {
		case t != nil:
			return t
		case leaves:
			return net.ErrClosed
		}
	}
}

// said takes an atom. It reports true if the peer says that it leaves.
func (g *guest) said(ch *channel, p *peer, a pcp.Atom) (leaves bool, err error) {
	switch a.Name {
	case pcp.NameBcst:
		m, err := pcp.ParseBcst(a)
		if err != nil {
			return false, err
		}
		if m.Host != nil {
			g.heard(ch, p, *m.Host)
		}
		return false, nil
	case pcp.NameHost:
		h, err := pcp.ParseHost(a)
		if err == nil {
			g.heard(ch, p, h)
		}
		return false, err
	case pcp.NameQuit:
		_, err := pcp.ParseQuit(a)
		return true, err
	case pcp.NameOK, pcp.NameMesg, pcp.NamePush:
		return false, nil
	}
	return false, &turnedAway{RefusedDue, pcp.QuitBadResponse}
}

// heard counts a host that a peer tells of. It costs the peer nothing if that cannot be.
func (g *guest) heard(ch *channel, p *peer, h pcp.Host) {
	if h.Channel != ch.id || h.Session == g.server.config.Session || !ch.heard(p, h, time.Now()) {
		g.server.refused.Add(RefusedHosts)
	}
}
