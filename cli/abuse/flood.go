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

// flood sends packets from many addresses until ctx ends.
func (a *attack) flood(ctx context.Context, to netip.AddrPort, packet func(i int) []byte) (sent int) {
	var from []*net.UDPConn
	for i := range 20 {
		conn, err := net.ListenUDP("udp", a.from.udp(i))
		if err != nil {
			break // fewer do as well
		}
		defer conn.Close()
		from = append(from, conn)
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

func pings(ctx context.Context, a *attack) int {
	b := hostile.Ping(a.target.Channel)
	return a.flood(ctx, a.target.Links, func(int) []byte { return b })
}

func queries(ctx context.Context, a *attack) int {
	return a.flood(ctx, a.target.Discovery, func(i int) []byte {
		return hostile.Query(uint64(i))
	})
}

// ghostPackets is how many members that are not there are told of, each signed with a key of its own.
const ghostPackets = 640

// ghosts tells of members at the address of somebody who has asked for nothing, and counts what he
// gets: more than it took to have it sent would make the node a weapon.
func (a *attack) ghosts(ctx context.Context) (sent int) {
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

// third is what came of naming somebody: bytes to the node, and bytes and dials from it to him.
type third struct{ told, got, dials int }

// victim is somebody who has asked for nothing: one of the attacker's own addresses.
type victim struct {
	addr  netip.AddrPort
	bytes atomic.Int64 // with 28 for each packet's headers
	dials atomic.Int64
	udp   *net.UDPConn
	tcp   net.Listener
	wg    sync.WaitGroup
}

func newVictim(from sources) *victim {
	v := &victim{addr: netip.MustParseAddrPort("127.0.0.1:9")}
	ln, err := net.Listen("tcp", netip.AddrPortFrom(orLoopback(from.at(77)), 0).String())
	if err != nil {
		return v
	}
	v.tcp = ln
	v.addr = ln.Addr().(*net.TCPAddr).AddrPort()
	if v.udp, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(v.addr)); err != nil {
		v.udp = nil
	}
	v.wg.Go(func() { // ends with the listener
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			v.dials.Add(1)
			conn.Close()
		}
	})
	if v.udp != nil {
		v.wg.Go(func() { // ends with the socket
			b := make([]byte, 2048)
			for {
				n, err := v.udp.Read(b)
				if err != nil {
					return
				}
				v.bytes.Add(int64(n) + 28)
			}
		})
	}
	return v
}

func orLoopback(a netip.Addr) netip.Addr {
	if !a.IsValid() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return a
}

func (v *victim) close() {
	if v.tcp != nil {
		v.tcp.Close()
	}
	if v.udp != nil {
		v.udp.Close()
	}
	v.wg.Wait()
}
