package multicast

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// Socket listens on a port, which other programs of this machine may have open too: what goes
// to a group or to all reaches each of them.
type Socket struct {
	*net.UDPConn
	Group netip.Addr
	p4    *ipv4.PacketConn // one of the two
	p6    *ipv6.PacketConn

	member map[int][]netip.Prefix // interface index: its addresses when the group was joined
}

// Listen opens a socket for what is sent to a group at a port. It joins nothing; [Socket.Follow] does.
func Listen(ctx context.Context, group netip.Addr, port uint16) (*Socket, error) {
	network, wildcard := "udp4", netip.IPv4Unspecified()
	if group.Is6() {
		network, wildcard = "udp6", netip.IPv6Unspecified()
	}
	lc := net.ListenConfig{Control: shared}
	pc, err := lc.ListenPacket(ctx, network, netip.AddrPortFrom(wildcard, port).String())
	if err != nil {
		return nil, err
	}
	s := &Socket{UDPConn: pc.(*net.UDPConn), Group: group, member: make(map[int][]netip.Prefix)}
	// Where these flags cannot be had (on Windows), the interface is told by the
	// asker's address alone.
	if group.Is4() {
		s.p4 = ipv4.NewPacketConn(s.UDPConn)
		_ = s.p4.SetControlMessage(ipv4.FlagInterface, true)
	} else {
		s.p6 = ipv6.NewPacketConn(s.UDPConn)
		_ = s.p6.SetControlMessage(ipv6.FlagInterface, true)
	}
	return s, nil
}

// Follow joins the group on those interfaces that are new, or have other addresses: they may have been
// away, and the system has then forgotten that we were in. It returns these, and one error for each that
// has failed. It is for one goroutine at a time.
func (s *Socket) Follow(ifs []Interface) (joined []Interface, failed []error) {
	for k := range s.member {
		if !slices.ContainsFunc(ifs, func(i Interface) bool { return i.Index == k }) {
			delete(s.member, k)
		}
	}
	for _, i := range ifs {
		if was, ok := s.member[i.Index]; ok && slices.Equal(was, i.Prefixes) {
			continue
		}
		s.member[i.Index] = i.Prefixes
		if !slices.ContainsFunc(i.Prefixes, func(p netip.Prefix) bool { return p.Addr().Is4() == s.Group.Is4() }) {
			continue
		}
		if err := s.join(&i.Interface); err != nil {
			failed = append(failed, errors.Join(errors.New(i.Name), err))
			continue
		}
		joined = append(joined, i)
	}
	return joined, failed
}

// join makes the socket a member of its group on an interface, anew if it is one.
func (s *Socket) join(i *net.Interface) error {
	g := net.UDPAddrFromAddrPort(netip.AddrPortFrom(s.Group, 0))
	if s.p4 != nil {
		_ = s.p4.LeaveGroup(i, g) // an error says that it is no member
		return s.p4.JoinGroup(i, g)
	}
	_ = s.p6.LeaveGroup(i, g)
	return s.p6.JoinGroup(i, g)
}

// ControlSize is how many bytes of control messages [Socket.Read] needs room for.
const ControlSize = 128

// Read reads a packet, and tells the index of the interface that it came in by, 0 if that is not known.
// oob is room for ControlSize bytes.
func (s *Socket) Read(b, oob []byte) (n int, from netip.AddrPort, index int, err error) {
	n, k, _, from, err := s.ReadMsgUDPAddrPort(b, oob)
	if err != nil {
		return 0, from, 0, err
	}
	if s.p4 != nil {
		var cm ipv4.ControlMessage
		if cm.Parse(oob[:k]) == nil {
			index = cm.IfIndex
		}
	} else {
		var cm ipv6.ControlMessage
		if cm.Parse(oob[:k]) == nil {
			index = cm.IfIndex
		}
	}
	return n, from, index, nil
}

// Reply sends an answer by the interface that the query came in by, from the address
// that this machine has there.
func (s *Socket) Reply(b []byte, to netip.AddrPort, index int, from netip.Addr) error {
	var oob []byte
	if index != 0 {
		if s.p4 != nil {
			oob = (&ipv4.ControlMessage{IfIndex: index, Src: from.AsSlice()}).Marshal()
		} else {
			oob = (&ipv6.ControlMessage{IfIndex: index, Src: from.AsSlice()}).Marshal()
		}
	}
	_, _, err := s.WriteMsgUDPAddrPort(b, oob, to)
	return err
}

// From opens a socket from which groups are asked on an interface, bound to an address of it. An error of ask
// says that groups cannot be asked there; others, such as a broadcast address, can.
func From(i Interface, from netip.Addr) (conn *net.UDPConn, ask, err error) {
	if from.Is4() {
		if conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0))); err != nil {
			return nil, nil, err
		}
		return conn, ipv4.NewPacketConn(conn).SetMulticastInterface(&i.Interface), nil
	}
	if from.IsLinkLocalUnicast() {
		from = from.WithZone(i.Name)
	}
	if conn, err = net.ListenUDP("udp6", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0))); err != nil {
		return nil, nil, err
	}
	return conn, ipv6.NewPacketConn(conn).SetMulticastInterface(&i.Interface), nil
}
