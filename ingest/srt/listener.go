//go:build !lean

package srt

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/datarhei/gosrt/packet"
	"go.uber.org/zap"

	"relay/relay/oneline"
	"relay/relay/socket"
)

const (
	// deciding is how many callers it may be decided about at a time. They wait for an encoder's
	// silence, for 2 s.
	deciding = 16
	// decideTime bounds that. A caller gives up after 3 s.
	decideTime = 5 * time.Second
	// refusedFor is for how long a refusal is repeated for a caller that asks again.
	refusedFor = 2 * time.Second
	// maxRefusals is how many are kept for that.
	maxRefusals = 256
	// readBuffer is what the system is asked to hold of datagrams that wait, in bytes.
	readBuffer = 4 << 20
	// silence is how long an encoder may send no media.
	silence = 10 * time.Second
	// readAgain is the pause after an error of one datagram, as Windows tells of its own.
	readAgain = 10 * time.Millisecond
)

// caller names a caller: its address and its own number for the connection.
type caller struct {
	netip.AddrPort
	socket uint32
}

// answer is what a caller gets whose question comes again; nil until it is decided.
type answer struct {
	said  []byte
	conn  *conn     // nil for a refusal, and before
	until time.Time // of a refusal; zero for others
}

// turned is an answer that says no.
type turned struct {
	caller
	*answer
}

// listener is a running Server.
type listener struct {
	*Server
	ctx     context.Context
	write   func([]byte, netip.AddrPort) (int, error)
	cookies cookies
	gate    *turnstile
	tasks   sync.WaitGroup

	mu       sync.Mutex
	conns    map[uint32]*conn // by our number
	answers  map[caller]*answer
	refusals []turned // in answers, the oldest first
	deciding int
	players  int
}

// Run serves until ctx ends, and then returns nil, with every connection closed. That the socket fails
// is an error.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	udp := s.Socket.(*net.UDPConn)
	l := newListener(ctx, s, udp.WriteToUDPAddrPort)
	defer udp.Close()
	defer l.tasks.Wait() // they say goodbye
	defer cancel()
	defer context.AfterFunc(ctx, func() { udp.SetReadDeadline(time.Unix(0, 1)) })() // unblocks the read
	_ = udp.SetReadBuffer(readBuffer)                                               // what the system allows
	r, err := socket.ReceiverOf(udp)
	if err != nil {
		return err
	}
	b := make([]byte, maxDatagram+1)
	for {
		n, from, err := r.Receive(b)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			time.Sleep(readAgain)
			continue
		}
		l.take(b[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), time.Now())
	}
}

func newListener(ctx context.Context, s *Server, write func([]byte, netip.AddrPort) (int, error)) *listener {
	return &listener{Server: s, ctx: ctx, write: write, cookies: newCookies(), gate: newTurnstile(s.Own), conns: make(map[uint32]*conn), answers: make(map[caller]*answer)}
}

// take takes a datagram.
func (l *listener) take(b []byte, from netip.AddrPort, now time.Time) {
	if len(b) < headLen || len(b) > maxDatagram {
		l.Refusals.Add(RefusedGarbage)
		return
	}
	id := destination(b)
	if id == 0 {
		l.greeted(b, from, now)
		return
	}
	l.mu.Lock()
	c := l.conns[id]
	l.mu.Unlock()
	if c == nil || c.remote != from {
		l.Refusals.Add(RefusedStray)
		return
	}
	c.handle(b, now)
}

// greeted takes a handshake.
func (l *listener) greeted(b []byte, from netip.AddrPort, now time.Time) {
	g, ok := readGreeting(b)
	switch { // who forges addresses is not to be answered
	case !ok:
		l.Refusals.Add(RefusedGarbage)
	case g.HandshakeType == packet.HSTYPE_INDUCTION:
		l.to(from, l.induct(g, from, now))
	case g.HandshakeType != packet.HSTYPE_CONCLUSION:
		l.Refusals.Add(RefusedGarbage)
	case !l.cookies.good(g.SynCookie, from, now):
		l.Refusals.Add(RefusedCookie)
	default:
		l.asked(g, from, now)
	}
}

func (l *listener) to(a netip.AddrPort, b []byte) { l.write(b, a) } // lost if it fails

// induct is the answer to the first question: the cookie. It is no longer than the question.
func (l *listener) induct(g *greeting, from netip.AddrPort, now time.Time) []byte {
	socket := g.SRTSocketId
	cif := g.CIFHandshake
	cif.Version, cif.EncryptionField, cif.ExtensionField, cif.SynCookie = 5, 0, magic, l.cookies.of(from, now)
	cif.HasHS, cif.HasKM, cif.HasSID, cif.HasCongestionCtl = false, false, false, false
	return marshal(control(packet.CTRLTYPE_HANDSHAKE, 0, socket, &cif))
}

// asked takes the second question, of a caller that is where it says it is.
func (l *listener) asked(g *greeting, from netip.AddrPort, now time.Time) {
	who := caller{from, g.SRTSocketId}
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.answers[who]; a != nil && (a.until.IsZero() || now.Before(a.until)) {
		if a.said != nil {
			l.to(from, a.said) // it was lost
		}
		return
	}
	if l.deciding >= deciding || g.SRTKM != nil && !l.gate.allow(from.Addr(), now) {
		l.Refusals.Add(RefusedCrowd)
		return
	}
	a := &answer{}
	l.answers[who] = a
	l.deciding++
	l.tasks.Go(func() { // ends with ctx, or with the connection
		l.serve(g, who, a, now)
	})
}

// keep keeps a refusal for a caller that asks again, in place of the oldest if there are many. It is
// called with mu held.
func (l *listener) keep(who caller, a *answer) {
	l.refusals = append(l.refusals, turned{who, a})
	if len(l.refusals) <= maxRefusals {
		return
	}
	if old := l.refusals[0]; l.answers[old.caller] == old.answer {
		delete(l.answers, old.caller)
	}
	l.refusals = slices.Delete(l.refusals, 0, 1)
}

// serve decides about a caller, and serves the one that it takes.
func (l *listener) serve(g *greeting, who caller, a *answer, came time.Time) {
	ctx, cancel := context.WithTimeout(l.ctx, decideTime)
	sink, viewing, key, err := l.decide(ctx, g, who)
	cancel()
	if err != nil {
		l.turnAway(g, who, a, err)
		return
	}
	c := l.accept(g, who, a, key, sink == nil, came)
	defer l.leave(c, who)
	log := l.log().With(zap.String("addr", who.AddrPort.String()))
	if viewing != nil {
		var running sync.WaitGroup
		running.Go(c.run) // ends with the connection
		err = c.play(viewing)
		c.end(errStopped)
		running.Wait()
		log.Debug("player over SRT has gone", zap.String("reason", oneline.Clean(err.Error(), 200)))
		l.cut(err)
		return
	}
	log.Info("encoder is sending over SRT", zap.Duration("latency", c.hold))
	defer sink.Close()
	err = c.feed(sink)
	log.Info("encoder over SRT has gone", zap.String("reason", oneline.Clean(err.Error(), 200)), zap.Uint64("overflow", c.overflowed()))
}

// cut counts players that were cut.
func (l *listener) cut(err error) {
	switch {
	case errors.Is(err, errSlow):
		l.Refusals.Add(RefusedSlow)
	case errors.Is(err, errNoise):
		l.Refusals.Add(RefusedNoise)
	}
}

// decide takes a caller, or says why not.
func (l *listener) decide(ctx context.Context, g *greeting, who caller) (Sink, Viewing, *key, error) {
	if err := g.suits(); err != nil {
		return nil, nil, nil, err
	}
	id := ParseStreamID(g.StreamId)
	if id.Mode == Any {
		if id.Mode = Publish; l.Publish == nil {
			id.Mode = Request
		}
	}
	switch {
	case id.Mode == Publish && l.Publish != nil:
		sink, key, err := l.publish(ctx, g, who)
		return sink, nil, key, err
	case id.Mode == Request && l.Play != nil:
		viewing, err := l.play(g, who, id.Name)
		return nil, viewing, nil, err
	}
	return nil, nil, nil, errMode
}

func (l *listener) publish(ctx context.Context, g *greeting, who caller) (Sink, *key, error) {
	if g.SRTKM == nil {
		return nil, nil, ErrPlain
	}
	key, err := g.unlock(l.Key)
	if err != nil {
		l.gate.failed(who.Addr(), time.Now())
		return nil, nil, ErrDenied
	}
	sink, err := l.Publish(ctx)
	return sink, key, err
}

func (l *listener) play(g *greeting, who caller, name string) (Viewing, error) {
	if g.SRTKM != nil {
		return nil, ErrSecret
	}
	l.mu.Lock()
	full := l.players >= maxPlayers
	l.mu.Unlock()
	if full {
		return nil, errPlayers
	}
	return l.Play(net.UDPAddrFromAddrPort(who.AddrPort), name)
}

// turnAway says why.
func (l *listener) turnAway(g *greeting, who caller, a *answer, err error) {
	code, why := refused(err)
	cif := g.CIFHandshake
	cif.HandshakeType = packet.HandshakeType(code)
	cif.HasHS, cif.HasKM, cif.HasSID, cif.HasCongestionCtl = false, false, false, false
	said := marshal(control(packet.CTRLTYPE_HANDSHAKE, 0, who.socket, &cif))
	l.log().Info("SRT caller not taken", zap.String("addr", who.AddrPort.String()), zap.String("reason", oneline.Clean(err.Error(), 200)))
	l.mu.Lock()
	l.deciding--
	a.said, a.until = said, time.Now().Add(refusedFor)
	l.keep(who, a)
	l.to(who.AddrPort, said)
	l.mu.Unlock()
	if l.ctx.Err() == nil {
		l.refuse(err, why)
	}
}

// accept makes the connection and says so.
func (l *listener) accept(g *greeting, who caller, a *answer, key *key, player bool, came time.Time) *conn {
	now := time.Now()
	hold := max(MinLatency, time.Duration(g.SRTHS.SendTSBPDDelay)*time.Millisecond)
	keep := max(MinLatency, time.Duration(g.SRTHS.RecvTSBPDDelay)*time.Millisecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	id := rand.Uint32() // nobody else learns it, and it is not what keeps others out
	for id == 0 || l.conns[id] != nil {
		id = rand.Uint32()
	}
	remote := who.AddrPort
	c := newConn(l.ctx, connConfig{
		write: func(b []byte) { l.to(remote, b) }, remote: remote, id: id, peer: who.socket, first: g.InitialPacketSequenceNumber,
		clock: newPeerClock(g.stamp, came), begun: now, hold: hold, keep: keep, key: key, passphrase: l.Key, player: player,
	}, now)
	cif := g.CIFHandshake
	cif.IsRequest, cif.SRTSocketId, cif.SynCookie = false, id, 0
	cif.MaxTransmissionUnitSize, cif.MaxFlowWindowSize = maxDatagram, flowWindow
	cif.HasSID, cif.HasCongestionCtl = false, false
	cif.SRTHS = ourExtension(uint16(hold.Milliseconds()), uint16(keep.Milliseconds()))
	if a := remote.Addr(); a.Is4() {
		cif.PeerIP.FromNetAddr(net.UDPAddrFromAddrPort(remote))
	}
	l.deciding--
	if player {
		l.players++
	}
	l.conns[id] = c
	a.conn, a.said = c, marshal(control(packet.CTRLTYPE_HANDSHAKE, 0, who.socket, &cif))
	l.to(remote, a.said)
	return c
}

// leave forgets a connection.
func (l *listener) leave(c *conn, who caller) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c.id)
	delete(l.answers, who)
	if c.player {
		l.players--
	}
}

// feed looks at the clock and hands over what an encoder sends, in one goroutine, until the connection ends, and says
// why.
func (c *conn) feed(to Sink) error {
	defer c.goodbye()
	t := time.NewTicker(tick)
	defer t.Stop()
	for heard := time.Now(); ; {
		select {
		case now := <-t.C:
			c.tick(now)
			to.Heard(c.newest())
			n, err := c.drain(to)
			switch {
			case err != nil:
				c.end(err)
			case n > 0:
				to.Flush()
				heard = now
			case now.Sub(heard) > silence:
				c.end(errSilence)
			}
		case <-c.ctx.Done():
			if why := context.Cause(c.ctx); why != errStopped {
				return why
			}
			_, _ = c.drain(to) // the rest, whether it is wanted or not
			return errStopped
		}
	}
}

// drain hands over what is ripe, and returns how many packets that was.
func (c *conn) drain(to Sink) (n int, err error) {
	for err == nil {
		select {
		case p := <-c.in:
			n++
			err = to.Take(p.Data())
			p.Decommission()
		default:
			return n, nil
		}
	}
	return n, err
}

// newest is when the newest data came; zero before any.
func (c *conn) newest() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.came
}

func (c *conn) overflowed() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.overflow
}
