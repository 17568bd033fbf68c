package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// dialBackTime bounds a dial-back and its echo, and dialBackWait the wait for what came of it: the
// connection, and the same again.
const (
	dialBackTime = tree.ProbeTime
	// dialBacksMost is how many are dialled back at a time: strangers may ask, and must not keep
	// the node from trying its own children.
	dialBacksMost = 4
	dialBackWait  = handshakeTime + dialBackTime + 2*time.Second
)

// ErrOldNode means that the node that was asked is of a version that cannot dial back.
var ErrOldNode = errors.New("it is of an older version, and cannot dial back")

var errOtherDialled = errors.New("it tells of an address that it was not asked to dial")

// dialBack answers a machine that wants to know whether it can be reached. Only the address is
// dialled from which it asks, and only its own node counts; so nobody can have somebody else's
// machine dialled, but for the households that share the address.
func (n *Node) dialBack(ctx context.Context, conn *tls.Conn, f wire.DialMe, peer tree.ID, v *visitor, proof wire.Frame) error {
	c := n.named(f.Channel, proof, conn)
	if c == nil {
		sayBye(conn, tree.ReasonChannel)
		return refuse(doorChannel, tree.ReasonChannel)
	}
	seen := remoteAddr(conn.NetConn()).Addr()
	if !n.mayTrial(n.callbacks, seen) {
		sayBye(conn, tree.ReasonBusy)
		return refuse(doorBusy, tree.ReasonBusy)
	}
	defer func() { <-n.callbacks }()
	n.door.know(v)
	if err := conn.SetDeadline(time.Now().Add(dialBackWait)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, dialBackTime)
	defer cancel()
	a := wire.Dialled{Addr: netip.AddrPortFrom(seen, f.Port), TCP: wire.Nothing}
	udp := make(chan wire.Answer, 1)
	go func() { // ends with ctx
		switch {
		case n.cfg.Packet == nil:
			udp <- wire.NotAsked
		case n.echoed(ctx, a.Addr):
			udp <- wire.Answered
		default:
			udp <- wire.Nothing
		}
	}()
	if d, err := n.dialAddr(ctx, n.linkTLS, a.Addr, peer); err == nil {
		d.conn.NetConn().Close()
		a.TCP = wire.Answered
		c.proved(peer, a.Addr)
	}
	a.UDP = <-udp
	if err := c.proveBack(conn); err != nil {
		return err
	}
	if _, err := conn.Write(wire.Append(nil, a)); err != nil {
		return err
	}
	return conn.Close()
}

// AskDialBack asks the node at an address, which carries the channel, to dial back: the address
// from which it sees this machine, at that port, where this node or another process with its key
// must listen. The error of a node that does not carry the channel, or that is busy, is a
// [tree.Reason].
func (n *Node) AskDialBack(ctx context.Context, id stream.ChannelID, at netip.AddrPort, port uint16) (wire.Dialled, error) {
	return n.askDialBack(ctx, id, pass{}, at, port)
}

func (n *Node) askDialBack(ctx context.Context, id stream.ChannelID, pass pass, at netip.AddrPort, port uint16) (wire.Dialled, error) {
	ctx, cancel := context.WithTimeout(ctx, dialBackWait)
	defer cancel()
	reaching, reached := context.WithTimeout(ctx, handshakeTime) // behind a firewall nobody answers for ever
	d, err := n.dialAddr(reaching, n.linkTLS, at, tree.ID{})
	reached()
	if err != nil {
		return wire.Dialled{}, err
	}
	defer d.conn.NetConn().Close()
	defer context.AfterFunc(ctx, func() { d.conn.NetConn().Close() })()
	if d.peer == n.ident.id {
		return wire.Dialled{}, tree.ReasonSelf
	}
	if !knows2(d.conn) {
		return wire.Dialled{}, ErrOldNode
	}
	if err := pass.begin(d.conn, wire.DialMe{Channel: id, Port: port}); err != nil {
		return wire.Dialled{}, err
	}
	f, err := pass.answer(d.conn, wire.NewReader(d.conn, wire.Parent))
	switch f := f.(type) {
	case wire.Dialled:
		if f.Addr.Port() != port || f.Addr.Addr().Is4() != at.Addr().Unmap().Is4() {
			return wire.Dialled{}, errOtherDialled
		}
		return f, nil
	case tree.Bye:
		return wire.Dialled{}, f.Reason
	case nil:
		return wire.Dialled{}, fmt.Errorf("no answer: %w", err)
	}
	return wire.Dialled{}, wire.ErrNotDue
}
