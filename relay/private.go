package relay

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"

	"go.uber.org/zap"

	"relay/relay/seal"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// ErrOldPrivate means that a node is of a version that knows no private channels.
var ErrOldPrivate = errors.New("it is of an older version, which knows no private channels")

// ErrPassphrase means that an invite lacks the passphrase that it asks for.
var ErrPassphrase = errors.New("the channel's passphrase is missing")

// errUnproved ends a conversation with a node that has not shown that it has the secret. It is told
// like a node that does not carry the channel: it may be one.
var errUnproved = fmt.Errorf("it does not know the channel's secret: %w", tree.ReasonChannel)

// pass is how a node shows on a connection that it may be in a private channel, and what it wants to
// be shown. On each connection for such a channel, a proof is the first frame of either side. The
// zero pass is that of a public channel, for which nothing is shown.
type pass struct {
	private bool
	join    seal.Join
}

func passOf(id stream.ChannelID, a seal.Access) pass {
	if !a.Private() {
		return pass{}
	}
	return pass{true, a.Join(id)}
}

// appendProof appends the proof of one side of a connection to b, if there is one to show.
func (p pass) appendProof(b []byte, conn *tls.Conn, by seal.Side) ([]byte, error) {
	if !p.private {
		return b, nil
	}
	f, err := p.prove(conn, by)
	if err != nil {
		return nil, err
	}
	return wire.Append(b, f), nil
}

func (p pass) prove(conn *tls.Conn, by seal.Side) (wire.Prove, error) {
	cs := conn.ConnectionState()
	proof, err := p.join.Proof(&cs, by)
	return wire.Prove{Proof: proof}, err
}

// proves reports whether a frame is the other side's proof.
func (p pass) proves(f wire.Frame, conn *tls.Conn, by seal.Side) bool {
	shown, ok := f.(wire.Prove)
	cs := conn.ConnectionState()
	return ok && p.join.Proves(shown.Proof, &cs, by)
}

// begin is what a node that has dialled says first: its proof, and then the frames.
func (p pass) begin(conn *tls.Conn, frames ...wire.Frame) error {
	if p.private && !knows3(conn) {
		return ErrOldPrivate
	}
	b, err := p.appendProof(nil, conn, seal.Client)
	if err != nil {
		return err
	}
	for _, f := range frames {
		b = wire.Append(b, f)
	}
	_, err = conn.Write(b)
	return err
}

// answer reads what the other side says to that, once it has shown its proof. A bye may come without
// one.
func (p pass) answer(conn *tls.Conn, r *wire.Reader) (wire.Frame, error) {
	f, err := r.Next()
	if err != nil || !p.private {
		return f, err
	}
	if _, bye := f.(tree.Bye); bye {
		return f, nil
	}
	if !p.proves(f, conn, seal.Server) {
		return nil, errUnproved
	}
	return r.Next()
}

// shown is what a stranger shows ahead of its first frame of another kind.
type shown struct {
	proof   wire.Frame    // nil for none
	access  seal.Access   // that it entrusts this node with, with an offer; zero for none
	lineage *wire.Lineage // with a hello; nil for none
}

// firstFrame reads the first frame of a connection, and what is shown ahead of it.
func firstFrame(r *wire.Reader) (f wire.Frame, with shown, err error) {
	if f, err = r.Next(); err != nil {
		return nil, with, err
	}
	if p, ok := f.(wire.Prove); ok {
		with.proof = p
		if f, err = r.Next(); err != nil {
			return nil, with, err
		}
	}
	if e, ok := f.(wire.Entrust); ok {
		with.access = seal.OfJoinPart(e.JoinPart)
		if f, err = r.Next(); err != nil {
			return nil, with, err
		}
		if _, ok := f.(wire.Offer); !ok {
			return nil, with, fmt.Errorf("%T with a join part: %w", f, wire.ErrNotDue)
		}
	}
	f, with.lineage, err = afterLineage(f, r)
	return f, with, err
}

// afterLineage reads on if a joiner shows its lineage ahead of its hello.
func afterLineage(f wire.Frame, r *wire.Reader) (wire.Frame, *wire.Lineage, error) {
	l, ok := f.(wire.Lineage)
	if !ok {
		return f, nil, nil
	}
	f, err := r.Next()
	if err != nil {
		return nil, nil, err
	}
	if _, ok := f.(wire.Hello); !ok {
		return nil, nil, fmt.Errorf("%T with a lineage: %w", f, wire.ErrNotDue)
	}
	return f, &l, nil
}

// named returns the channel that a stranger has named, nil if there is none, or it is private and
// what the stranger has shown is no proof. The two take the same time.
func (n *Node) named(id stream.ChannelID, proof wire.Frame, conn *tls.Conn) *Channel {
	c := n.Channel(id)
	p := n.nobody
	if c != nil && c.pass.private {
		p = c.pass
	}
	if proof == nil {
		proof = wire.Prove{}
	}
	if proved := p.proves(proof, conn, seal.Client); c != nil && c.pass.private && !proved {
		return nil
	}
	return c
}

// proveBack shows the channel's proof to a stranger that has shown it.
func (c *Channel) proveBack(conn *tls.Conn) error {
	b, err := c.pass.appendProof(nil, conn, seal.Server)
	if err != nil || len(b) == 0 {
		return err
	}
	_, err = conn.Write(b)
	return err
}

// knows3 reports whether the other side knows the frames of relay/3.
func knows3(conn *tls.Conn) bool {
	return conn.ConnectionState().NegotiatedProtocol == alpn3 || knows4(conn)
}

// Private reports whether the channel is a private one.
func (c *Channel) Private() bool { return c.pass.private }

// CanRead reports whether this node can play the channel: false for one that has the join part of its
// secret alone, and passes it on unread.
func (c *Channel) CanRead() bool { return !c.pass.private || c.access.CanRead() }

// Unsealer returns what opens the chunks of a private channel that this node can read, for one goroutine.
func (c *Channel) Unsealer() *stream.Unsealer { return stream.NewUnsealer(c.access.Content(c.id)) }

// Invite returns the invite to the channel at the hosts, with what this node has of the secret.
func (c *Channel) Invite(hosts []HostPort) Invite {
	return Invite{Channel: c.id, Hosts: slices.Clone(hosts), Access: c.access}
}

// open fills the ring for players, where that is another than the ring of what crosses links, until
// the latter is closed.
func (c *Channel) open() {
	if c.plain == c.ring {
		return
	}
	if c.opener == nil {
		c.wg.Go(func() { // ends with the channel
			<-c.done
			c.plain.Close()
		})
		return
	}
	told := false
	failed := func(err error) {
		if !told { // it would be told with each chunk
			c.log.Warn("cannot be opened", zap.Error(err))
		}
		told = true
	}
	c.wg.Go(func() { // ends when the ring is closed
		c.opener.Run(failed)
	})
}
