package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"relay/relay/membership"
	"relay/relay/refusal"
	"relay/relay/seal"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// packetRate and packetBurst bound packets from one address, per second. A member
	// is sent a few a second; the burst is for those behind one router who join at once.
	packetRate  = 50
	packetBurst = 200
	// gossipBytes bounds what a stream of gossip may bring, TLS included.
	gossipBytes = 600 << 10
	// gossipLeave is how long Run waits for the last packets of its channels.
	gossipLeave = time.Second
	// packetPause is how long no packet is read after reading one has failed.
	packetPause = 10 * time.Millisecond
)

// Why packets were refused before any channel's gossip saw them.
const (
	packetShort    refusal.Reason = "malformed"
	packetTooOften refusal.Reason = "too_often" // more than one address may send
	packetChannel  refusal.Reason = "channel"   // no such channel takes part in gossip here
	packetSealed   refusal.Reason = "sealed"    // a private channel, whose secret its sender does not have
)

var errNotHere = errors.New("others tell of an address that means nothing in this network")

var errNoGossip = errors.New("no such channel takes part in gossip here")

// clusterCount counts the clusters that may still send packets.
type clusterCount struct {
	mu   sync.Mutex
	n    int
	gone chan struct{} // closed when n falls to 0; nil while nobody waits for that
}

func (c *clusterCount) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n += n; c.n == 0 && c.gone != nil {
		close(c.gone)
		c.gone = nil
	}
}

// none returns a channel that is closed once no cluster may send any more.
func (c *clusterCount) none() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	gone := c.gone
	if gone == nil {
		gone = make(chan struct{})
	}
	if c.n == 0 {
		close(gone)
	} else {
		c.gone = gone
	}
	return gone
}

// readPackets hands packets to the channels, until ctx has ended and their clusters have
// sent their last ones.
func (n *Node) readPackets(ctx context.Context) {
	defer context.AfterFunc(ctx, func() { // ends at the latest after gossipLeave
		select {
		case <-n.gossips.none():
		case <-time.After(gossipLeave):
		}
		n.cfg.Packet.Close()
	})()
	b := make([]byte, membership.LabelLen+seal.PacketOverhead+membership.MaxPacket+1) // one more shows what is too long
	for {
		k, addr, err := n.cfg.Packet.ReadFrom(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // some systems report here that an earlier packet did not arrive
			n.log.Debug("read packet", zap.Error(err))
			time.Sleep(packetPause)
			continue
		}
		n.packet(time.Now(), b[:k], addr)
	}
}

func (n *Node) packet(now time.Time, b []byte, addr net.Addr) {
	from := addrPort(addr)
	switch {
	case len(b) < membership.LabelLen || !from.IsValid():
		n.gossipRefused.Add(packetShort)
		return
	case !lets(&n.packets, now, from.Addr()):
		n.gossipRefused.Add(packetTooOften)
		return
	case n.echo(b, from):
		return
	}
	c := n.cluster(membership.Label(b))
	if c == nil {
		n.gossipRefused.Add(packetChannel)
		return
	}
	opened, err := c.openPacket(b)
	if err != nil {
		n.gossipRefused.Add(packetSealed)
		return
	}
	c.peers.gossip.Packet(opened, from)
}

// cluster returns the channel that takes part in gossip under a label, nil if there is none.
func (n *Node) cluster(l membership.Label) *Channel {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.clusters[l]
}

// greetGossip hands a stranger's stream to the channel it names.
func (n *Node) greetGossip(g *guardedConn, conn *tls.Conn, v *visitor) error {
	var l membership.Label
	if _, err := io.ReadFull(conn, l[:]); err != nil {
		return refuse(doorHello, fmt.Errorf("read label: %w", err))
	}
	c := n.cluster(l)
	if c == nil {
		return refuse(doorChannel, errNoGossip)
	}
	g.allow(gossipBytes)
	if err := c.pass.greetGossip(conn); err != nil {
		return refuse(doorChannel, err)
	}
	n.door.know(v)
	c.peers.gossip.Stream(conn)
	return nil
}

// gossipLabel stands for the channel in front of its gossip. Who knows nothing but a private channel's
// ID cannot tell it.
func (c *Channel) gossipLabel() membership.Label {
	if c.pass.private {
		return membership.Label(c.pass.join.Label())
	}
	return membership.LabelOf(c.id)
}

// sealPacket returns a packet as it is sent.
func (c *Channel) sealPacket(b []byte) []byte {
	label := c.gossipLabel()
	if c.pass.private {
		return c.pass.join.SealPacket(label[:], b, label[:])
	}
	return append(label[:], b...)
}

// openPacket returns the packet that was sent so.
func (c *Channel) openPacket(b []byte) ([]byte, error) {
	label, b := b[:membership.LabelLen], b[membership.LabelLen:]
	if c.pass.private {
		return c.pass.join.OpenPacket(b, label)
	}
	return b, nil
}

// newCluster returns the channel's part in gossip, or nil if the node cannot take part.
func (c *Channel) newCluster() *membership.Cluster {
	n := c.node
	if n.cfg.Listener == nil || n.cfg.Packet == nil {
		return nil
	}
	label := c.gossipLabel()
	return membership.New(membership.Config{
		Key:     n.cfg.Key,
		Channel: c.id,
		Root:    c.writer != nil,
		Max:     n.cfg.Members,
		Send: func(b []byte, to netip.AddrPort) error {
			_, err := n.cfg.Packet.WriteTo(c.sealPacket(b), net.UDPAddrFromAddrPort(to))
			return err
		},
		Dial: func(ctx context.Context, id tree.ID, addr netip.AddrPort) (net.Conn, error) {
			if !n.hearsay.isGiven(addr) && !n.mayTell(addr.Addr()) {
				n.hearsay.refused.Add(toldAddress)
				return nil, errNotHere
			}
			d, err := n.dialAddr(ctx, n.gossipTLS, addr, id)
			if err != nil {
				return nil, err
			}
			d.guard.allow(gossipBytes)
			if deadline, ok := ctx.Deadline(); ok {
				err = d.conn.SetDeadline(deadline)
			}
			if err == nil {
				err = c.pass.beginGossip(d.conn, label[:])
			}
			if err != nil {
				d.conn.Close()
				return nil, err
			}
			return d.conn, nil
		},
		Seeds: c.gossipSeeds,

		MayTell: n.mayTell,
		Near:    n.Near,
		Linked:  c.peers.isLinkedWith,
		Refused: &n.gossipRefused,

		Log: c.log,
	})
}

// beginGossip says which channel a stream is of. For a private one, each side shows its proof, since
// the label is to be seen on every packet.
func (p pass) beginGossip(conn *tls.Conn, label []byte) error {
	if !p.private {
		_, err := conn.Write(label)
		return err
	}
	proof, err := p.prove(conn, seal.Client)
	if err != nil {
		return err
	}
	if _, err := conn.Write(append(label, proof.Proof[:]...)); err != nil {
		return err
	}
	return p.readProof(conn, seal.Server)
}

// greetGossip is the other side of beginGossip, behind the label.
func (p pass) greetGossip(conn *tls.Conn) error {
	if !p.private {
		return nil
	}
	if err := p.readProof(conn, seal.Client); err != nil {
		return err
	}
	proof, err := p.prove(conn, seal.Server)
	if err != nil {
		return err
	}
	_, err = conn.Write(proof.Proof[:])
	return err
}

func (p pass) readProof(conn *tls.Conn, by seal.Side) error {
	var f wire.Prove
	if _, err := io.ReadFull(conn, f.Proof[:]); err != nil {
		return fmt.Errorf("read proof: %w", err)
	}
	if !p.proves(f, conn, by) {
		return errUnproved
	}
	return nil
}
