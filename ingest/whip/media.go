//go:build !lean

package whip

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/pion/ice/v4"
	"go.uber.org/zap"

	"relay/relay/hostnet"
)

// Able says whether this program takes media over WebRTC.
const Able = true

// mediaBuffer is what the system is asked to hold of packets that wait to be read, in bytes: half a second at 20 Mb/s.
const mediaBuffer = 1 << 20

// Config says where media comes in.
type Config struct {
	// Listener takes HTTP; checks of ICE over TCP come to it as well, and packets to the same port of UDP. Nil is for
	// a call of this machine alone, at any port.
	Listener net.Listener
	// Addresses are further ones at which others reach the port, as those of a router that forwards it.
	Addresses []netip.Addr
	// Stranger is told of packets and connections that belong to no call. It may be nil.
	Stranger func()
	Log      *zap.Logger // nil for none
}

// Media is where media comes in: a UDP socket at each of this machine's addresses, so that what is answered comes from where
// it was sent to, and the port's TCP connections. It is safe for concurrent use.
type Media struct {
	config  Config
	at      netip.AddrPort // where to listen; of no port for any
	tcp     *ice.TCPMuxDefault
	door    *door // nil without a listener
	callers *callers

	mu      sync.Mutex
	sockets map[netip.Addr]*ice.UDPMuxDefault
	closed  bool
}

// Open opens the port. The caller closes it.
func Open(c Config) (*Media, error) {
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.Stranger == nil {
		c.Stranger = func() {}
	}
	m := &Media{config: c, callers: newCallers(c.Stranger), sockets: make(map[netip.Addr]*ice.UDPMuxDefault), at: netip.AddrPortFrom(netip.IPv6Unspecified(), 0)}
	if c.Listener != nil {
		m.at = c.Listener.Addr().(*net.TCPAddr).AddrPort()
		m.door = newDoor(c.Listener, m.callers)
		m.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
			Listener: m.door.checks, Logger: quiet, ReadBufferSize: 64, WriteBufferSize: 64 << 10,
			FirstStunBindTimeout: reachMost, AliveDurationForConnFromStun: reachMost,
		})
	}
	if _, err := m.listen(); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// Listener is what HTTP comes by, in the place of the one in [Config].
func (m *Media) Listener() net.Listener { return m.door }

// Close closes the port. Calls end.
func (m *Media) Close() {
	m.mu.Lock()
	m.closed = true
	for _, s := range m.sockets {
		s.Close()
	}
	m.mu.Unlock()
	if m.tcp != nil {
		m.door.checks.Close()
		m.tcp.Close()
	}
}

// listen has a socket at each of this machine's addresses as they are now, and returns all. That none can be had is an error.
func (m *Media) listen() (*ice.MultiUDPMuxDefault, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, net.ErrClosed
	}
	addrs := addresses(m.at.Addr().Unmap())
	for a, s := range m.sockets {
		if !slices.Contains(addrs, a) || s.IsClosed() {
			s.Close()
			delete(m.sockets, a)
		}
	}
	var all []ice.UDPMux
	var failed error
	for _, a := range addrs {
		if m.sockets[a] == nil {
			s, err := m.socket(a, addrs)
			if err != nil {
				failed = errors.Join(failed, err)
				continue
			}
			m.sockets[a] = s
		}
		all = append(all, m.sockets[a])
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("open a port for packets: %w", failed)
	}
	if failed != nil {
		m.config.Log.Info("not all addresses take packets", zap.Error(failed))
	}
	return ice.NewMultiUDPMuxDefault(all...), nil
}

// socket opens one at an address; own are all of this machine's.
func (m *Media) socket(a netip.Addr, own []netip.Addr) (*ice.UDPMuxDefault, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, m.at.Port())))
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(mediaBuffer) // what the system allows
	if m.config.Listener != nil {
		own = nil
	}
	return ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: &packets{conn, m.callers, own}, Logger: quiet}), nil
}

// addresses are those of this machine, or the one at which to listen. Those of a link alone are left out: a description cannot
// say of which.
func addresses(at netip.Addr) (all []netip.Addr) {
	if !at.IsUnspecified() {
		return []netip.Addr{at}
	}
	devices, err := hostnet.Devices()
	if err != nil {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	for _, d := range devices {
		for _, p := range d.Prefixes {
			if a := p.Addr().Unmap(); !a.IsLinkLocalUnicast() && !a.IsMulticast() && !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}
