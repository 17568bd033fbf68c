package relay

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"relay/relay/hostnet"
)

// localPort is the one port of this machine that its links into the Internet leave from. Routers
// keep to one port outside for it, if they are of the sort that calls get through to; and the ports
// that two parents see tell whether they do. Connections that are made for a call leave from it too.
type localPort struct {
	mu   sync.Mutex
	port uint16 // 0 before the first connection
}

// dial connects from that port. If it cannot be used, as for a second connection to one address, it
// takes any.
func (p *localPort) dial(ctx context.Context, control controller, addr string) (net.Conn, error) {
	p.mu.Lock()
	port := p.port
	p.mu.Unlock()
	d := net.Dialer{Control: control}
	if port != 0 {
		d.LocalAddr = &net.TCPAddr{Port: int(port)}
	}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if port != 0 && hostnet.PairInUse(err) {
		d.LocalAddr = nil
		return d.DialContext(ctx, "tcp", addr)
	}
	if err == nil && port == 0 {
		p.mu.Lock()
		if p.port == 0 {
			p.port = localAddr(conn).Port()
		}
		p.mu.Unlock()
	}
	return conn, err
}

// controller sets options of a socket before it connects.
type controller = func(network, address string, c syscall.RawConn) error

// both sets the options of two.
func both(a, b controller) controller {
	return func(network, address string, c syscall.RawConn) error {
		if err := a(network, address, c); err != nil {
			return err
		}
		return b(network, address, c)
	}
}

func localAddr(conn net.Conn) netip.AddrPort { return addrPort(conn.LocalAddr()) }
