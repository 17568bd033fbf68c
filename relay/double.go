package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"go.uber.org/zap"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// tellMost bounds the nodes that the finder of a proof tells over connections of their own, and
	// tellTime how long that may take: its channel has ended by then, but for that.
	tellMost = 8
	tellTime = time.Second
)

// StolenError ends a channel whose key is used by two: it has signed two different chunks for one
// position, which no source does. Nobody can tell which of them is meant.
type StolenError struct{ Proof stream.Double }

func (e *StolenError) Error() string {
	return fmt.Sprintf("the channel's key is in two hands: it has signed two different chunks for one place in the stream (number %d of the run that began at %s)",
		e.Proof.Position().Seq, began(e.Proof.Position().Epoch))
}

// repeated looks at a chunk whose position the ring is at or past. It fails if the ring has another
// chunk there: with a [StolenError] if the channel's key has signed both, and else as of a forged one.
func (in *intake) repeated(c *stream.Chunk, u *uplink) error {
	have := in.ring.At(c.Position())
	if have == nil || have.Same(c) {
		in.ring.Duplicate()
		return nil
	}
	if err := u.sums.verify(in.id, c); err != nil {
		return fmt.Errorf("chunk %d, once more: %w", c.Seq(), err)
	}
	return in.differ(have, c, u)
}

// differ fails with a [StolenError] if the signatures of two chunks that this node would take prove that
// they are two. They prove nothing if the key's owner has signed sums over a chunk without a signature of
// its own. That is no fault of who passes it on, but counts as repeated.
func (in *intake) differ(have, c *stream.Chunk, u *uplink) error {
	d := stream.DoubleOf(have, c)
	if d.Verify(in.id) == nil {
		return &StolenError{d}
	}
	in.ring.Duplicate()
	return u.repeat("chunk")
}

// stolen has the channel end if err is a [StolenError]. Whoever finds the proof tells not only those
// it has links with: of two sources each may have a part of the nodes, and no link leads across.
func (c *Channel) stolen(err error) {
	e, ok := errors.AsType[*StolenError](err)
	if !ok {
		return
	}
	f := wire.Double{Proof: e.Proof}
	c.query(func(n *tree.Node) {
		if c.theft == nil {
			c.tellFar(n.Info(), f)
			c.endStolen(f)
		}
	})
}

// takeDouble takes a proof that the channel's key is used twice. Who sends what proves nothing loses
// its link. The channel ends, so that there is one proof to check and to pass on, and no more.
func (c *Channel) takeDouble(f wire.Double) error {
	if err := f.Proof.Verify(c.id); err != nil {
		return fmt.Errorf("double: %w", err)
	}
	c.query(func(*tree.Node) {
		if c.theft == nil {
			c.endStolen(f)
		}
	})
	return nil
}

// endStolen tells all with whom there is a link, and ends the channel. The node goes on telling those
// who come and ask for it: see [thefts]. It runs on the channel's goroutine.
func (c *Channel) endStolen(f wire.Double) {
	c.theft = &StolenError{f.Proof}
	c.log.Warn("the channel's key is used twice", zap.Uint64("chunk", f.Proof.Position().Seq))
	c.node.thefts.note(time.Now(), c.id, theft{c.pass, f})
	for _, u := range c.up {
		if u.knows3() {
			u.send(f)
		}
	}
	for _, d := range c.down {
		if d.knows3() {
			d.send(f)
		}
	}
	c.left = true
}

// tellFar tells nodes with which there is no link, over connections of their own: those of the invite,
// the root, and others that are known. It runs on the channel's goroutine.
func (c *Channel) tellFar(i tree.Info, f wire.Double) {
	ps := slices.Clone(c.peers.invited)
	ps = append(ps, i.Path[:min(len(i.Path), 1)]...)
	ps = append(ps, placesOf(c.peers.known(tree.ID{}))...)
	told := make(map[string]bool) // addresses
	for _, p := range ps {
		if len(told) >= tellMost || len(p.Addrs) == 0 || p.ID == c.node.ID() || told[p.Addrs[0].String()] || c.linkTo(p.ID) != nil {
			continue
		}
		told[p.Addrs[0].String()] = true
		c.wg.Go(func() { // ends with tellTime
			ctx, cancel := context.WithTimeout(context.Background(), tellTime)
			defer cancel()
			if err := c.node.tellTheft(ctx, c, p, f); err != nil {
				c.log.Debug("not told that the key is used twice", zap.Stringers("node", p.Addrs), zap.Error(err))
			}
		})
	}
}

// tellTheft tells a node over a connection of its own. It asks there for a link that is kept ready, as
// any node may, and says it over that.
func (n *Node) tellTheft(ctx context.Context, c *Channel, p tree.Place, f wire.Double) error {
	conn, done, err := n.visit(ctx, c, p, wire.Hello{Channel: c.id, Join: tree.Join{Standby: true}}, f)
	if err != nil {
		return err
	}
	defer done()
	_, err = io.Copy(io.Discard, io.LimitReader(conn, handshakeBytes)) // until it has closed
	return err
}
