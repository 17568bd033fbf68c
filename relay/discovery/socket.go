package discovery

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// DefaultPort is the UDP port that is asked.
const DefaultPort = 7146

// The groups that are asked: of the range for use within one's own walls (RFC 2365),
// and one that ends with the link and is in nobody's registry (RFC 4291, RFC 3307).
var (
	group4 = netip.MustParseAddr("239.255.71.46")
	group6 = netip.MustParseAddr("ff12::8000:7146")
)

// family is one of the two worlds a responder listens in.
type family struct {
	network string
	group   netip.Addr
}

var families = []family{{"udp4", group4}, {"udp6", group6}}

// ear is a socket on the discovery port, which other relays of this machine may have
// open too: a query to a group or to all reaches each of them.
type ear struct {
	family
	conn *net.UDPConn
	p4   *ipv4.PacketConn // one of the two
	p6   *ipv6.PacketConn
}

func (f family) listen(ctx context.Context, port uint16) (*ear, error) {
	wildcard := netip.IPv4Unspecified()
	if f.group.Is6() {
		wildcard = netip.IPv6Unspecified()
	}
	lc := net.ListenConfig{Control: shared}
	pc, err := lc.ListenPacket(ctx, f.network, netip.AddrPortFrom(wildcard, port).String())
	if err != nil {
		return nil, err
	}
	e := &ear{family: f, conn: pc.(*net.UDPConn)}
	// Where these flags cannot be had (on Windows), the interface is told by the
	// asker's address alone.
	if f.group.Is4() {
		e.p4 = ipv4.NewPacketConn(e.conn)
		_ = e.p4.SetControlMessage(ipv4.FlagInterface, true)
	} else {
		e.p6 = ipv6.NewPacketConn(e.conn)
		_ = e.p6.SetControlMessage(ipv6.FlagInterface, true)
	}
	return e, nil
}

// join makes the socket a member of its group on an interface, anew if it is one.
func (e *ear) join(i *net.Interface) error {
	g := net.UDPAddrFromAddrPort(netip.AddrPortFrom(e.group, 0))
	if e.p4 != nil {
		_ = e.p4.LeaveGroup(i, g) // an error says that it is no member
		return e.p4.JoinGroup(i, g)
	}
	_ = e.p6.LeaveGroup(i, g)
	return e.p6.JoinGroup(i, g)
}

// arrival is the index of the interface that a packet came in by, 0 if not known.
func (e *ear) arrival(oob []byte) int {
	if e.p4 != nil {
		var cm ipv4.ControlMessage
		if cm.Parse(oob) == nil {
			return cm.IfIndex
		}
		return 0
	}
	var cm ipv6.ControlMessage
	if cm.Parse(oob) == nil {
		return cm.IfIndex
	}
	return 0
}

// reply sends an answer by the interface that the query came in by, from the address
// that this machine has there.
func (e *ear) reply(b []byte, to netip.AddrPort, ifIndex int, from netip.Addr) error {
	var oob []byte
	if ifIndex != 0 {
		if e.p4 != nil {
			oob = (&ipv4.ControlMessage{IfIndex: ifIndex, Src: from.AsSlice()}).Marshal()
		} else {
			oob = (&ipv6.ControlMessage{IfIndex: ifIndex, Src: from.AsSlice()}).Marshal()
		}
	}
	_, _, err := e.conn.WriteMsgUDPAddrPort(b, oob, to)
	return err
}

// querySocket is a socket to ask with, bound to one address of one interface.
type querySocket struct {
	conn *net.UDPConn
	to   []netip.AddrPort // whom it asks
}

// openQuerySocket opens a socket that asks from an interface's address.
func openQuerySocket(i netIf, p netip.Prefix, port uint16) (*querySocket, error) {
	from := p.Addr()
	var m querySocket
	var err error
	if from.Is4() {
		m.conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)))
	} else {
		if from.IsLinkLocalUnicast() {
			from = from.WithZone(i.Name)
		}
		m.conn, err = net.ListenUDP("udp6", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)))
	}
	if err != nil {
		return nil, err
	}
	if from.Is4() {
		err = ipv4.NewPacketConn(m.conn).SetMulticastInterface(&i.Interface)
		if err == nil {
			m.to = append(m.to, netip.AddrPortFrom(group4, port))
		}
		if b, ok := broadcast(p); ok && i.Flags&net.FlagPointToPoint == 0 {
			m.to = append(m.to, netip.AddrPortFrom(b, port))
		}
	} else {
		err = ipv6.NewPacketConn(m.conn).SetMulticastInterface(&i.Interface)
		if err == nil {
			m.to = append(m.to, netip.AddrPortFrom(group6.WithZone(i.Name), port))
		}
	}
	if len(m.to) == 0 {
		m.conn.Close()
		return nil, errors.Join(errors.New("nobody to ask from "+from.String()), err)
	}
	return &m, nil
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
