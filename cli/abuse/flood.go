package abuse

import (
	"context"
	"crypto/ed25519"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"relay/cli/abuse/hostile"
)

// floodEvery is the pause between two bursts of a flood, and floodBurst how many packets one has:
// 5,000 a second, which is more than a node looks at from strangers.
const (
	floodEvery = 10 * time.Millisecond
	floodBurst = 50
)

// flood sends packets from many addresses until ctx ends. heard, unless it is nil, is told of each that comes back.
func (a *attack) flood(ctx context.Context, to netip.AddrPort, packet func(i int) []byte, heard func(bytes int)) (sent int) {
	var from []*net.UDPConn
	var wg sync.WaitGroup
	defer wg.Wait() // for the sockets, which are closed before
	for i := range 20 {
		conn, err := net.ListenUDP("udp", a.from.udp(i))
		if err != nil {
			break // fewer do as well
		}
		defer conn.Close()
		from = append(from, conn)
		if heard == nil {
			continue
		}
		wg.Go(func() { // ends with the socket
			b := make([]byte, 2048)
			for {
				n, err := conn.Read(b)
				if err != nil {
					return
				}
				heard(n)
			}
		})
	}
	tick := time.NewTicker(floodEvery)
	defer tick.Stop()
	for len(from) > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return sent
		}
		for range floodBurst {
			if _, err := from[sent%len(from)].WriteToUDPAddrPort(packet(sent), to); err == nil {
				sent++
			}
		}
	}
	return sent
}

// halfOpen asks for a connection over SRT again and again, and never goes on.
func halfOpen(ctx context.Context, a *attack) int {
	return a.flood(ctx, a.target.SRT, func(i int) []byte { return hostile.SRTHello(uint32(i + 1)) }, nil)
}

// badCallers go on, from where they say they are, with what breaks the rules or has a wrong passphrase.
func badCallers(ctx context.Context, a *attack) (sent int) {
	for i := 0; ctx.Err() == nil; i++ {
		conn, err := net.DialUDP("udp", a.from.udp(i), net.UDPAddrFromAddrPort(a.target.SRT))
		if err != nil {
			return sent
		}
		sent += badCaller(ctx, conn, i)
		conn.Close()
	}
	return sent
}

// badCaller asks the second question 64 times.
func badCaller(ctx context.Context, conn *net.UDPConn, i int) (sent int) {
	b := make([]byte, 2048)
	if _, err := conn.Write(hostile.SRTHello(uint32(i + 1))); err != nil {
		return 0
	}
	conn.SetReadDeadline(time.Now().Add(quietTime))
	n, err := conn.Read(b)
	if err != nil {
		return 1
	}
	cookie := hostile.SRTCookie(b[:n])
	for k := range 64 {
		if _, err := conn.Write(hostile.SRTConclusion(cookie, 64*i+k)); err != nil || ctx.Err() != nil {
			break
		}
		sent++
		time.Sleep(time.Millisecond)
	}
	return sent + 1
}

func pings(ctx context.Context, a *attack) int {
	b := hostile.Ping(a.target.Channel)
	return a.flood(ctx, a.target.Links, func(int) []byte { return b }, nil)
}

// queries asks from many addresses, as if their owners had, and counts what they get: a liar gives the
// address of somebody else as his own.
func queries(ctx context.Context, a *attack) int {
	var got, answers atomic.Int64
	sent := a.flood(ctx, a.target.Discovery, func(i int) []byte { return hostile.Query(uint64(i)) }, func(n int) {
		got.Add(int64(n))
		answers.Add(1)
	})
	a.third = third{told: sent * len(hostile.Query(0)), got: int(got.Load()), answers: int(answers.Load())}
	return sent
}

// searches asks from many addresses for servers, as TVs do, and counts what they get likewise: whoever can write another's
// address into a packet has the answers sent to him.
func searches(ctx context.Context, a *attack) int {
	var got, answers atomic.Int64
	all, told := hostile.Searches(), 0
	sent := a.flood(ctx, a.target.SSDP, func(i int) []byte { return all[i%len(all)] }, func(n int) {
		got.Add(int64(n))
		answers.Add(1)
	})
	for i := range sent {
		told += len(all[i%len(all)])
	}
	a.third = third{told: told, got: int(got.Load()), answers: int(answers.Load())}
	return sent
}

// ghostPackets is how many members that are not there are told of, each signed with a key of its own.
const ghostPackets = 640

// ghosts tells of members at the address of somebody who has asked for nothing, and counts what he
// gets: more than it took to have it sent would make the node a weapon.
func ghosts(ctx context.Context, a *attack) (sent int) {
	v := newVictim(a.from)
	defer v.close()
	conn, err := net.ListenUDP("udp", a.from.udp(0))
	if err != nil {
		return 0
	}
	defer conn.Close()
	bytes := 0
	for range ghostPackets {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			return sent
		}
		b := hostile.Ghost(key, a.target.Channel, uint64(time.Now().UnixMilli()), v.addr)
		if _, err := conn.WriteToUDPAddrPort(b, a.target.Links); err == nil {
			sent++
			bytes += len(b)
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
			return sent
		}
	}
	<-ctx.Done() // members ping each other
	a.third.told, a.third.got, a.third.dials = bytes, int(v.bytes.Load()), int(v.dials.Load())
	return sent
}
