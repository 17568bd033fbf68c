//go:build !linux

package socket

import (
	"net"
	"net/netip"
)

// Receiver receives datagrams from a UDP socket. One goroutine at a time may use it. It ends when the socket is closed.
type Receiver struct{ conn *net.UDPConn }

// ReceiverOf returns what receives from conn.
func ReceiverOf(conn *net.UDPConn) (*Receiver, error) { return &Receiver{conn}, nil }

// Receive is [net.UDPConn.ReadFromUDPAddrPort].
func (r *Receiver) Receive(b []byte) (int, netip.AddrPort, error) {
	return r.conn.ReadFromUDPAddrPort(b)
}
