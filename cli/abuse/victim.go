package abuse

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// third is what came of naming somebody: bytes to the node, and bytes, dials and answers from it to him.
type third struct{ told, got, dials, answers int }

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
