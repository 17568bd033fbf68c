package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"relay/relay/wire"
	"relay/tree"
)

const (
	// offerFirst is how long after a connection is used, or has failed, another is made, and
	// offerMost how long at most: the time doubles while nothing comes of them.
	offerFirst = 500 * time.Millisecond
	offerMost  = 10 * time.Second
	// maxOffers bounds the connections that wait to be used, one for each node.
	maxOffers = 8
)

var errNoHelper = errors.New("it is no helper")

// offers are connections over which nodes that nobody can dial would be this one's parent, the
// oldest first. They take the place of a dial.
type offers struct {
	mu     sync.Mutex
	kept   []dialed
	closed bool
}

// put keeps a connection, in place of an older one from the same node. If there are too many the
// oldest has to go: strangers may make offers too, and must not keep out the source, which makes
// another when one has ended. It reports false if the channel has ended.
func (o *offers) put(d dialed) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	o.drop(func(old dialed) bool { return old.peer == d.peer })
	if len(o.kept) == maxOffers {
		o.drop(func(old dialed) bool { return old.peer == o.kept[0].peer })
	}
	o.kept = append(o.kept, d)
	return true
}

// drop closes some. It is called with mu held.
func (o *offers) drop(which func(dialed) bool) {
	var rest []dialed
	for _, d := range o.kept {
		if which(d) {
			d.conn.NetConn().Close()
		} else {
			rest = append(rest, d)
		}
	}
	o.kept = rest
}

// take returns the connection from a node, once.
func (o *offers) take(id tree.ID) (dialed, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.IndexFunc(o.kept, func(d dialed) bool { return d.peer == id })
	if i < 0 {
		return dialed{}, false
	}
	d := o.kept[i]
	o.kept = slices.Delete(o.kept, i, i+1)
	return d, true
}

// giveUp closes a connection that was not used.
func (o *offers) giveUp(d dialed) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop(func(old dialed) bool { return old.conn == d.conn })
}

func (o *offers) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop(func(dialed) bool { return true })
	o.closed = true
}

// takeOffer keeps an offer until the tree of its channel has a use for it.
func (n *Node) takeOffer(o wire.Offer, d dialed, proof wire.Frame) error {
	c := n.named(o.Channel, proof, d.conn)
	switch {
	case c == nil:
		sayBye(d.conn, tree.ReasonChannel)
		return tree.ReasonChannel
	case c.calls.awaits(d.peer): // it was called, and has dialled
		if err := d.conn.SetDeadline(time.Time{}); err != nil {
			return err
		}
		if !c.calls.offered(d) {
			sayBye(d.conn, tree.ReasonNotNeeded)
			return tree.ReasonNotNeeded
		}
		return nil
	case c.writer != nil || !n.cfg.Helper && !c.lost(d.peer):
		sayBye(d.conn, tree.ReasonNotNeeded)
		return errNoHelper
	}
	if err := d.conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	if !c.offers.put(d) {
		sayBye(d.conn, tree.ReasonLeaving)
		return tree.ReasonLeaving
	}
	if !n.cfg.Helper { // who calls because it has lost its address does not wait for longer
		time.AfterFunc(comeBackTime, func() { c.offers.giveUp(d) })
	}
	c.tell(tree.Offered{ID: d.peer})
	return nil
}

// lost reports whether the node was above this one, which has no parent that is well now. It may
// come from another address, and say so by an offer; nobody else can show its ID.
func (c *Channel) lost(id tree.ID) (is bool) {
	c.query(func(n *tree.Node) {
		i := n.Info()
		is = !i.Attached && slices.ContainsFunc(i.Path, func(p tree.Place) bool { return p.ID == id })
	})
	return is
}

// Offer has a helper take this channel from here, and keeps a connection to it ready, until ctx
// ends. It is for a source that nobody can dial. failed is told of each time that it does not work,
// and why.
func (c *Channel) Offer(ctx context.Context, to Helper, failed func(error)) {
	c.peers.offers()
	for pause := offerFirst; ctx.Err() == nil; {
		taken, err := c.offer1(ctx, to)
		switch {
		case taken:
			pause = offerFirst
		case err != nil && ctx.Err() == nil:
			c.log.Info("helper does not take the channel", zap.Stringer("helper", to), zap.Error(err))
			failed(err)
			pause = min(2*pause, offerMost)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// offer1 makes one connection to a helper, and waits until it is used or has failed.
func (c *Channel) offer1(ctx context.Context, to Helper) (taken bool, err error) {
	addrs, err := lookup(ctx, to.HostPort) // each time: a home's address changes
	if err != nil {
		return false, err
	}
	return c.offerTo(ctx, tree.Place{ID: to.ID, Addrs: addrs}, to.Token)
}

// offerTo makes one connection, and waits until it is used or has failed. t is the other side's token,
// zero if it has none.
func (c *Channel) offerTo(ctx context.Context, to tree.Place, t Token) (taken bool, err error) {
	d, err := c.node.dial(ctx, to)
	if err != nil {
		return false, err
	}
	defer context.AfterFunc(ctx, func() { d.conn.NetConn().Close() })()
	fail := func(err error) (bool, error) {
		d.conn.NetConn().Close()
		return false, err
	}
	if !knows2(d.conn) {
		return fail(fmt.Errorf("it is of an older version: %w", errNoHelper))
	}
	if err := boundUnsent(d.guard.Conn); err != nil {
		c.log.Debug("connection may hide what waits", zap.Error(err)) // it works all the same
	}
	frames := []wire.Frame{c.offerOf(to.ID, t)}
	if c.pass.private && !t.IsZero() { // whoever has the token may carry the channel, and cannot read it
		frames = slices.Insert(frames, 0, wire.Frame(wire.Entrust{JoinPart: c.access.JoinPart(c.id)}))
	}
	if err := c.pass.begin(d.conn, frames...); err != nil {
		return fail(err)
	}
	r := wire.NewReader(d.conn, wire.Stranger)
	f, err := c.pass.answer(d.conn, r)
	if err != nil {
		return fail(err)
	}
	f, shown, err := afterLineage(f, r)
	if err != nil {
		return fail(err)
	}
	switch f := f.(type) {
	case wire.Hello:
		if f.Channel == c.id && c.accept(d.guard, d.conn, r, d.peer, f.Join, shown, dialledTo) {
			return true, nil
		}
	case tree.Bye:
		return fail(f.Reason)
	}
	return fail(wire.ErrNotDue)
}
