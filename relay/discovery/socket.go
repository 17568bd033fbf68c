package discovery

import (
	"errors"
	"net"
	"net/netip"

	"relay/relay/multicast"
)

// DefaultPort is the UDP port that is asked.
const DefaultPort = 7146

// The groups that are asked: of the range for use within one's own walls (RFC 2365),
// and one that ends with the link and is in nobody's registry (RFC 4291, RFC 3307).
var (
	group4 = netip.MustParseAddr("239.255.71.46")
	group6 = netip.MustParseAddr("ff12::8000:7146")
)

// groups are those that a responder listens to.
var groups = []netip.Addr{group4, group6}

// querySocket is a socket to ask with, bound to one address of one interface.
type querySocket struct {
	conn *net.UDPConn
	to   []netip.AddrPort // whom it asks
}

// openQuerySocket opens a socket that asks from an interface's address.
func openQuerySocket(i multicast.Interface, p netip.Prefix, port uint16) (*querySocket, error) {
	from := p.Addr()
	conn, ask, err := multicast.From(i, from)
	if err != nil {
		return nil, err
	}
	m := &querySocket{conn: conn}
	switch {
	case ask != nil:
	case from.Is4():
		m.to = append(m.to, netip.AddrPortFrom(group4, port))
	default:
		m.to = append(m.to, netip.AddrPortFrom(group6.WithZone(i.Name), port))
	}
	if b, ok := broadcast(p); ok && i.Flags&net.FlagPointToPoint == 0 {
		m.to = append(m.to, netip.AddrPortFrom(b, port))
	}
	if len(m.to) == 0 {
		conn.Close()
		return nil, errors.Join(errors.New("nobody to ask from "+from.String()), ask)
	}
	return m, nil
}

// ask sends to all; it fails if nothing could be sent.
func (m *querySocket) ask(b []byte) error {
	var errs []error
	for _, to := range m.to {
		if _, err := m.conn.WriteToUDPAddrPort(b, to); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) < len(m.to) {
		return nil
	}
	return errors.Join(errs...)
}
