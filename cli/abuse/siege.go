package abuse

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"relay/cli/abuse/hostile"
)

// siege is a crowd that wants nothing but to be in the way, or a flood.
type siege struct {
	name string
	port hostile.Port
	// conns are held at a time, from so many addresses; each that is cut comes again at once, but no
	// more than rate in a second come.
	conns, addresses, rate int
	// say is what each does, until its connection ends. nil for nothing.
	say func(ctx context.Context, conn net.Conn)
	// deaf says that they take nothing of what they are sent.
	deaf bool
	// aims is what each says to have somebody dialled who has asked for nothing, in place of say. Nobody may dial him.
	aims func(third netip.AddrPort) []byte
	// flood takes the place of all these.
	flood func(ctx context.Context, a *attack) (sent int)
	// perAddress says that each address is answered so often, and so no newcomer who has the flood's.
	perAddress bool
}

// sieges are those that have kept honest people out of servers.
func (a *attack) sieges() []siege {
	ask := hostile.Get("/" + a.target.Channel.String() + ".flv")
	hello := hostile.ClientHello()
	return []siege{
		{name: "100 connections that say nothing", port: hostile.RTMP, conns: 100, addresses: 20, rate: 200},
		{name: "100 connections that say a byte a second", port: hostile.RTMP, conns: 100, addresses: 20, rate: 200, say: drip(hostile.Shaken())},
		{name: "100 connections that stop after the handshake", port: hostile.RTMP, conns: 100, addresses: 20, rate: 200, say: first(hostile.Shaken())},
		{name: "a flood of half-open callers", port: hostile.SRT, flood: halfOpen},
		{name: "callers whose second question breaks the rules", port: hostile.SRT, flood: badCallers},
		{name: "500 connections that say nothing", port: hostile.HTTP, conns: 500, addresses: 50, rate: 500},
		{name: "300 connections that say a byte a second", port: hostile.HTTP, conns: 300, addresses: 30, rate: 500, say: drip(ask)},
		{name: "300 connections that have asked once", port: hostile.HTTP, conns: 300, addresses: 30, rate: 500, say: first(hostile.Get("/healthz"))},
		{name: "64 viewers that read nothing", port: hostile.HTTP, conns: 64, addresses: 16, rate: 100, say: first(ask), deaf: true},
		{name: "1,000 connections that say nothing", port: hostile.TLS, conns: 1000, addresses: 100, rate: 1000},
		{name: "5 silent connections a second from each of ten addresses", port: hostile.TLS, conns: 1000, addresses: 10, rate: 50},
		{name: "300 connections that say a byte a second", port: hostile.TLS, conns: 300, addresses: 30, rate: 300, say: drip(hello)},
		{name: "200 connections that stop in the middle of the handshake", port: hostile.TLS, conns: 200, addresses: 50, rate: 200, say: first(hello)},
		{name: "60 nodes that shake hands and say nothing", port: hostile.Link, conns: 60, addresses: 60, rate: 60},
		{name: "60 nodes that want a channel that is not there", port: hostile.Link, conns: 60, addresses: 60, rate: 60, say: first(hostile.Hello([32]byte{1}))},
		{name: "60 streams of gossip that say nothing", port: hostile.Stream, conns: 60, addresses: 60, rate: 60, say: first(hostile.GossipLabel(a.target.Channel))},
		{name: "100 connections that say nothing", port: hostile.WHIP, conns: 100, addresses: 20, rate: 200},
		{name: "100 connections that say a byte a second", port: hostile.WHIP, conns: 100, addresses: 20, rate: 200, say: drip(hostile.Get("/whip"))},
		{name: "100 connections with checks for nobody", port: hostile.WHIP, conns: 100, addresses: 20, rate: 200, say: first(hostile.StunCheck())},
		{name: "50 connections that tell of addresses without end", port: hostile.WHIP, conns: 50, addresses: 20, rate: 200, say: again(hostile.Patch())},
		{name: "100 connections that say nothing", port: hostile.TV, conns: 100, addresses: 20, rate: 200},
		{name: "100 connections that say a byte a second", port: hostile.TV, conns: 100, addresses: 20, rate: 200, say: drip(hostile.Get("/tv.xml"))},
		{name: "100 connections that call back though nobody has asked", port: hostile.PeerCast, conns: 100, addresses: 20, rate: 200, say: first(hostile.CallBack(a.target.Channel))},
		{name: "100 connections that want somebody else's port tried", port: hostile.PeerCast, conns: 100, addresses: 20, rate: 200, aims: hostile.PortTest},
		{name: "a flood of pings", port: hostile.Gossip, flood: pings},
		{name: "640 members that are not there", port: hostile.Gossip, flood: ghosts},
		{name: "a flood of queries", port: hostile.Discovery, flood: queries},
		{name: "a flood of searches", port: hostile.SSDP, flood: searches, perAddress: true},
	}
}

// first says some bytes and then nothing.
func first(b []byte) func(context.Context, net.Conn) {
	return func(_ context.Context, conn net.Conn) { _, _ = conn.Write(b) } // who was cut comes again
}

// again says some bytes 100 times a second, and takes what it is answered.
func again(b []byte) func(context.Context, net.Conn) {
	return func(ctx context.Context, conn net.Conn) {
		var answers sync.WaitGroup
		defer answers.Wait()
		answers.Go(func() { _, _ = io.Copy(io.Discard, conn); conn.Close() }) // ends with conn, at the latest with ctx
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			if _, err := conn.Write(b); err != nil {
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}
}

// drip says a byte a second.
func drip(b []byte) func(context.Context, net.Conn) {
	return func(ctx context.Context, conn net.Conn) {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for i := range b {
			if _, err := conn.Write(b[i : i+1]); err != nil {
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}
}

// aim lays a siege that has somebody else for its aim.
func (a *attack) aim(ctx context.Context, s siege) (came, cut int) {
	v := newVictim(a.from)
	defer v.close()
	b := s.aims(v.addr)
	s.aims, s.say = nil, first(b)
	came, cut = a.lay(ctx, s)
	a.third.told = came * len(b)
	if a.from.from.IsValid() { // else his address is that of those who ask
		a.third.dials = int(v.dials.Load())
	}
	return came, cut
}

// lay lays a siege until ctx ends, and returns how many connections there were, and how many of them
// the node has cut.
func (a *attack) lay(ctx context.Context, s siege) (came, cut int) {
	if s.flood != nil {
		return s.flood(ctx, a), 0
	}
	if s.aims != nil {
		return a.aim(ctx, s)
	}
	var conns, ended atomic.Int64
	pace := time.NewTicker(time.Second / time.Duration(s.rate))
	defer pace.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, s.conns)
	for i := 0; ; i++ {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return int(conns.Load()), int(ended.Load())
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return int(conns.Load()), int(ended.Load())
		}
		wg.Go(func() { // ends with ctx
			defer func() { <-slots }()
			conn, err := a.dial(ctx, s.port, i%s.addresses)
			if err != nil {
				if ctx.Err() == nil {
					ended.Add(1)
				}
				return
			}
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			conns.Add(1)
			if s.say != nil {
				s.say(ctx, conn)
			}
			if s.deaf {
				<-ctx.Done()
				return
			}
			if _, err := io.Copy(io.Discard, conn); err == nil || ctx.Err() == nil {
				ended.Add(1)
			}
		})
	}
}
