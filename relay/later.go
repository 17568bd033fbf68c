package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// laterPatience is how long a node waits, once it has heard of a later epoch by a beat, until it tells
	// its parent: a source that was started again is heard of from the parent itself in that time.
	laterPatience = 300 * time.Millisecond
	// compareMost bounds the comparisons of epochs that a channel has under way, and compareAgain is
	// how long a node is not asked again.
	compareMost  = 8
	compareAgain = 10 * time.Second
	// maxCompared bounds those that are remembered for that.
	maxCompared = 256
	// aloneAfter is how long a node relies on its parent alone for the root's beats, before it asks
	// another node for one. As a rule a link is ready to another one by then.
	aloneAfter = 1500 * time.Millisecond
	// inviteAgain is how often those hosts of the invite are asked that have not been heard of in this run:
	// as a rule they are gone.
	inviteAgain = time.Minute
	// maxRoots bounds the roots of gossip that are looked at, at a time: anybody may say that it is one.
	maxRoots = 4
)

// ReplacedError ends the channel of a source that has heard of a later run of the same channel.
type ReplacedError struct {
	Own, By stream.Epoch
	At      tree.Place // a node that has the later one, as far as is known
}

func (e *ReplacedError) Error() string {
	return fmt.Sprintf("replaced elsewhere: another source with the key of this channel began later (at %s, this one at %s)",
		began(e.By), began(e.Own))
}

// began is when an epoch began, by the source's clock.
func began(e stream.Epoch) string {
	return time.UnixMilli(int64(min(e.Ms, 1<<53))).Format("2006-01-02 15:04:05")
}

// epochs is what a channel knows of the source's runs besides the stream itself. There are two at a
// time when two sources have one key, each with a part of the nodes. The later one wins: all who hear
// of it tell their parents, up to the root, which ends. Its children are then sent to the other part.
type epochs struct {
	// Owned by the channel's goroutine.
	newest   stream.Epoch
	seen     stream.Epoch                    // the latest that the store keeps
	since    time.Time                       // when that was heard of
	told     *link                           // the parent that was told of it
	compared map[string]time.Time            // nodes that were asked, by ID or address
	inviteAt time.Time                       // when the invite's hosts are asked next
	agreed   map[netip.AddrPort]stream.Epoch // what epochs were compared with each of them, by its first address
	asking   chan struct{}                   // holds one for each comparison that is under way
	replaced *ReplacedError                  // why the source ends; nil if it does not
}

func newEpochs() epochs {
	return epochs{
		compared: make(map[string]time.Time), asking: make(chan struct{}, compareMost),
		agreed: make(map[netip.AddrPort]stream.Epoch),
	}
}

// epoch is the latest that the node knows of.
func (c *Channel) epoch() stream.Epoch {
	if b := c.intake.beat.Load(); b != nil {
		return b.Epoch()
	}
	return stream.Epoch{}
}

// takeLater takes what another node says of a later epoch, if it is one. The root's signature proves
// it. The error is the end of the link over which it came.
func (c *Channel) takeLater(f wire.Later) error {
	if f.Channel != c.id {
		return fmt.Errorf("later, of another channel: %w", wire.ErrNotDue)
	}
	old := c.intake.beat.Load()
	if old != nil && f.Beat.Epoch().Compare(old.Epoch()) <= 0 {
		return nil
	}
	if err := f.Beat.Verify(c.id); err != nil {
		return fmt.Errorf("later: %w", err)
	}
	if err := f.Beat.Epoch().Check(c.intake.wall()); err != nil {
		c.log.Debug("another epoch is not believed", zap.Error(err)) // who tells may have a clock that is right
		return nil
	}
	if err := c.intake.present(f.Beat.Epoch(), f.Beat.Ms(), recordingAfter); err != nil {
		return err
	}
	if c.writer == nil && !c.intake.beat.CompareAndSwap(old, f.Beat) {
		return nil // another link was quicker
	}
	c.query(func(*tree.Node) { c.heardLater(f) })
	return nil
}

// heardLater passes on what was heard of a later epoch: down, up, and to the search for a parent. A
// source ends. It runs on the channel's goroutine.
func (c *Channel) heardLater(f wire.Later) {
	if c.writer != nil {
		c.replace(f)
		return
	}
	c.fanOut(f.Beat)
	c.intake.news.Store(&f)
	c.epochs.newest, c.epochs.since, c.epochs.told = f.Beat.Epoch(), time.Now(), nil
	if f.At.ID != c.node.ID() && len(f.At.Addrs) > 0 {
		c.handle(tree.Candidates{Of: []tree.Candidate{{Place: f.At, Depth: -1, Free: -1, Slots: -1}}})
	}
	c.tellParent(f)
}

// replace ends the source for another one's sake: the children learn of it, and where to go.
func (c *Channel) replace(f wire.Later) {
	if c.epochs.replaced != nil || f.Beat.Epoch().Compare(c.writer.Epoch()) <= 0 {
		return
	}
	c.log.Info("replaced elsewhere", zap.Stringer("by", f.Beat.Epoch()), zap.Stringer("own", c.writer.Epoch()))
	c.epochs.replaced = &ReplacedError{Own: c.writer.Epoch(), By: f.Beat.Epoch(), At: f.At}
	c.intake.news.Store(&f)
	c.fanOut(f.Beat)
	bye := tree.Bye{Reason: tree.ReasonEpoch}
	if f.At.ID != c.node.ID() && len(f.At.Addrs) > 0 {
		bye.Places = []tree.Place{f.At}
	}
	for _, d := range c.down {
		d.send(bye)
	}
	c.left = true
}

// watchEpoch tells the parent of a later epoch that it has not shown by itself, and compares epochs
// with another root of which gossip tells. The channel's goroutine calls it every lagInterval.
func (c *Channel) watchEpoch(now time.Time) {
	e := &c.epochs
	b := c.intake.beat.Load()
	if c.writer == nil && b != nil && b.Epoch().Compare(c.epochs.seen) > 0 {
		c.keepEpoch(b.Epoch())
	}
	if c.writer == nil && b != nil && b.Epoch().Compare(e.newest) > 0 {
		e.newest, e.since, e.told = b.Epoch(), now, nil
		c.intake.news.Store(&wire.Later{Channel: c.id, Beat: b, At: c.showed(b.Epoch())})
	}
	if f := c.intake.news.Load(); c.writer == nil && f != nil && now.Sub(e.since) >= laterPatience {
		c.tellParent(*f)
	}
}

// keepEpoch has the store keep the latest epoch, for the next time that the channel is watched.
func (c *Channel) keepEpoch(e stream.Epoch) {
	c.epochs.seen = e
	if s := c.node.cfg.Store; s != nil && !c.isBrought() {
		if err := s.SawEpoch(c.id, e); err != nil {
			c.log.Warn("remember the channel's epoch", zap.Error(err))
		}
	}
}

// seenBefore is the latest epoch of the channel that the store keeps; zero for none.
func (c *Channel) seenBefore() stream.Epoch {
	if c.node.cfg.Store == nil || c.writer != nil {
		return stream.Epoch{}
	}
	e, err := c.node.cfg.Store.SeenEpoch(c.id)
	if err == nil && e.Check(c.intake.wall()) != nil { // this machine's clock was wrong then, or is now
		e = stream.Epoch{}
	}
	if err != nil {
		c.log.Warn("the epoch of the last run cannot be read; going on without it", zap.Error(err))
	}
	return e
}

// showed is a node that has shown a beat of the epoch, zero if there is none any more.
func (c *Channel) showed(e stream.Epoch) tree.Place {
	for _, u := range c.up {
		if s := u.showed.Load(); s != nil && s.Epoch() == e {
			return tree.Place{ID: u.peer, Addrs: u.place.Addrs}
		}
	}
	return tree.Place{}
}

// tellParent tells the parent, once, if it has not shown that it knows.
func (c *Channel) tellParent(f wire.Later) {
	u := c.parentLink(c.tree.Info())
	if u == nil || c.epochs.told == &u.link || !u.knows3() {
		return
	}
	if s := u.showed.Load(); s != nil && s.Epoch().Compare(f.Beat.Epoch()) >= 0 {
		return
	}
	c.epochs.told = &u.link
	u.send(f)
}

// compareWithRoots asks the other roots of which gossip tells. The root does, and its children do for
// one that takes no part in gossip. It runs on the channel's goroutine.
func (c *Channel) compareWithRoots(now time.Time, i tree.Info) {
	if c.peers.gossip == nil || i.Depth > 1 || len(i.Path) == 0 && !i.Root {
		return
	}
	roots := c.peers.gossip.Roots() // in any order
	for _, m := range roots[:min(len(roots), maxRoots)] {
		if m.ID != c.node.ID() && (i.Root || m.ID != i.Path[0].ID) {
			c.compare(now, m)
		}
	}
}

// compareWithInvited asks each host of the invite until it has been heard of in this run: people make one
// link of two, and then it has nodes of both sources. It runs on the channel's goroutine.
func (c *Channel) compareWithInvited(now time.Time, i tree.Info) {
	e, b := &c.epochs, c.intake.beat.Load()
	if c.writer != nil || b == nil || !i.Attached || now.Before(e.inviteAt) {
		return
	}
	e.inviteAt = now.Add(inviteAgain*3/4 + rand.N(inviteAgain/2))
	for _, p := range c.peers.invited {
		if len(p.Addrs) > 0 && e.agreed[p.Addrs[0]] != b.Epoch() && !c.isWithUs(p, i) {
			c.compare(now, p)
		}
	}
}

// isWithUs reports whether a place without an ID is that of this node, of one above it, or of one with a link to it.
func (c *Channel) isWithUs(p tree.Place, i tree.Info) bool {
	ours := slices.Clone(c.node.Addrs())
	for _, above := range i.Path {
		ours = append(ours, above.Addrs...)
	}
	for _, u := range c.up { // in any order
		ours = append(ours, addrPort(u.conn.RemoteAddr()))
	}
	return slices.ContainsFunc(p.Addrs, func(a netip.AddrPort) bool { return slices.Contains(ours, a) })
}

// secondOpinion asks another node for the root's newest beat if none but the parent shows any: a
// parent that delays all could not be told from a source that began later. It runs on the channel's goroutine.
func (c *Channel) secondOpinion(now time.Time, i tree.Info) {
	u := c.up[c.change.to]
	if c.writer != nil || u == nil || now.Sub(u.begun) < aloneAfter {
		return
	}
	ps := slices.Clone(i.Path[:max(0, len(i.Path)-1)])
	ps = append(append(ps, placesOf(c.peers.known(u.peer))...), c.peers.invited...)
	for _, o := range c.up {
		if o != u && o.showed.Load() != nil && o.ctx.Err() == nil {
			return
		}
	}
	ps = slices.DeleteFunc(ps, func(p tree.Place) bool {
		atParent := func(a netip.AddrPort) bool { return a == addrPort(u.conn.RemoteAddr()) }
		return p.ID == u.peer || p.ID == c.node.ID() || len(p.Addrs) == 0 || slices.ContainsFunc(p.Addrs, atParent)
	})
	if len(ps) > 0 {
		c.compare(now, ps[rand.IntN(len(ps))])
	}
}

// compare asks a node for the latest epoch that it knows of, and tells it of this node's. It runs on
// the channel's goroutine.
func (c *Channel) compare(now time.Time, p tree.Place) {
	key := p.ID.String()
	if p.ID.IsZero() {
		key = fmt.Sprint(p.Addrs)
	}
	e := &c.epochs
	for k, at := range e.compared {
		if now.Sub(at) >= compareAgain {
			delete(e.compared, k)
		}
	}
	if _, asked := e.compared[key]; asked || len(e.compared) >= maxCompared || c.intake.beat.Load() == nil {
		return
	}
	select {
	case e.asking <- struct{}{}:
	default:
		return // it is named again
	}
	e.compared[key] = now
	f := c.ownLater()
	c.wg.Go(func() { // ends with the dial, or with its own deadline
		defer func() { <-e.asking }()
		ctx, cancel := c.within(dialTime)
		defer cancel()
		if err := c.node.compare(ctx, c, p, f); err != nil {
			c.log.Debug("epochs not compared", zap.Stringers("with", p.Addrs), zap.Error(err))
			return
		}
		if c.writer == nil && p.ID.IsZero() {
			c.query(func(*tree.Node) { e.agreed[p.Addrs[0]] = f.Beat.Epoch() })
		}
	})
}

// ownLater is what this node tells another: it knows of the epoch, and if it is not in it, who is.
func (c *Channel) ownLater() wire.Later {
	b := c.intake.beat.Load()
	if n := c.intake.news.Load(); n != nil && n.Beat.Epoch() == b.Epoch() && len(n.At.Addrs) > 0 {
		return wire.Later{Channel: c.id, Beat: b, At: n.At}
	}
	return wire.Later{Channel: c.id, Beat: b, At: tree.Place{ID: c.node.ID(), Addrs: c.node.Addrs()}}
}

// visit says something to a node over a connection of its own, which ends with ctx or by done.
func (n *Node) visit(ctx context.Context, c *Channel, p tree.Place, frames ...wire.Frame) (conn *tls.Conn, done func(), err error) {
	p = n.believed(p)
	d, err := n.dial(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	n.answered(p, d)
	stop := context.AfterFunc(ctx, func() { d.conn.NetConn().Close() })
	done = func() { stop(); d.conn.NetConn().Close() }
	switch {
	case d.peer == n.ID():
		err = tree.ReasonSelf
	case !knows3(d.conn):
		err = ErrOldNode
	default:
		err = c.pass.begin(d.conn, frames...)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return d.conn, done, nil
}

// compare exchanges epochs with a node over a connection of its own.
func (n *Node) compare(ctx context.Context, c *Channel, p tree.Place, own wire.Later) error {
	conn, done, err := n.visit(ctx, c, p, own)
	if err != nil {
		return err
	}
	defer done()
	f, err := c.pass.answer(conn, wire.NewReader(conn, wire.Parent))
	if err != nil {
		return err
	}
	switch f := f.(type) {
	case wire.Later:
		if f.At.ID == n.ID() { // it has just heard of it from here
			return nil
		}
		if err := c.takeLater(f); err != nil || c.writer != nil {
			return err
		}
		return c.intake.takeBeat(f.Beat) // it tells of the clock as well
	case wire.Double:
		return c.takeDouble(f)
	case tree.Bye:
		return f.Reason
	}
	return fmt.Errorf("%T: %w", f, wire.ErrNotDue)
}

// answerLater compares epochs with a stranger, and ends the connection.
func (n *Node) answerLater(conn *tls.Conn, f wire.Later, proof wire.Frame) error {
	c := n.named(f.Channel, proof, conn)
	if c == nil {
		return n.notCarried(conn, f.Channel, proof)
	}
	if err := c.takeLater(f); err != nil {
		return refuse(doorForged, err)
	}
	if err := c.proveBack(conn); err != nil {
		return err
	}
	if c.intake.beat.Load() == nil {
		sayBye(conn, tree.ReasonOrphan)
		return refuse(doorChannel, tree.ReasonOrphan)
	}
	if _, err := conn.Write(wire.Append(nil, c.ownLater())); err != nil { // greet has set the deadline
		return fmt.Errorf("answer to later: %w", err)
	}
	return conn.Close()
}

// meetOthers compares epochs with nodes that may belong to another source of the channel.
func (c *Channel) meetOthers(ps []tree.Place) {
	c.query(func(*tree.Node) {
		for _, p := range ps {
			own := func(a netip.AddrPort) bool { return slices.Contains(c.node.Addrs(), a) }
			if p.ID != c.node.ID() && !slices.ContainsFunc(p.Addrs, own) {
				c.compare(time.Now(), p)
			}
		}
	})
}
