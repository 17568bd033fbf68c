package relay

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// eventQueue bounds the events that wait for the channel's goroutine; links wait when
	// it is full.
	eventQueue = 256
	// gaugeInterval is how often the room for children is measured.
	gaugeInterval = 500 * time.Millisecond
)

// setClock has the root's clock follow a wall clock that was set ahead, or went on while the machine slept. What was
// proved until now has expired by it.
func (c *Channel) setClock(now time.Time) {
	if c.writer.Follow(now, c.intake.wall()) {
		c.log.Info("the root's clock was set ahead to the wall clock", zap.Duration("shows", c.writer.Clock(now)))
		c.handle(c.progress(now))
		c.descent.renewed = time.Time{}
	}
}

// drive is the channel's goroutine: the only one that touches c.tree. It never blocks
// outside this select.
func (c *Channel) drive(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	gauge := time.NewTicker(gaugeInterval)
	defer gauge.Stop()
	var measured time.Time // when the tree was last told of the stream
	beat := time.NewTicker(stream.BeatInterval)
	defer beat.Stop()
	resolve := time.NewTicker(resolveInterval)
	defer resolve.Stop()
	leave := ctx.Done()
	c.handle(c.capacity(time.Now()))
	c.renew(time.Now())
	for !c.left {
		select {
		case ev := <-c.events:
			c.handle(ev)
		case <-timer.C:
			c.listen()
			c.tree.Advance(time.Now())
		case f := <-c.ask:
			f(c.tree)
		case <-c.relocated:
			c.relocate()
		case <-gauge.C:
			if c.writer != nil {
				c.handle(c.progress(time.Now()))
			}
			c.handle(c.capacity(time.Now()))
			c.handle(tree.Calls{Can: c.node.calls()})
			c.handle(tree.Shut{Is: c.peers.shut(c.writer != nil)})
			c.report(time.Now())
			c.updatePeers(ctx, time.Now())
			c.checkSpeed(time.Now())
		case <-c.intake.switched: // noticed below
		case <-c.intake.abouts:
			c.tellChildren()
		case <-c.intake.first:
			c.handle(c.progress(time.Now()))
		case <-beat.C:
			if c.writer != nil {
				c.setClock(time.Now())
				c.fanOut(c.writer.Beat())
				c.renew(time.Now())
			}
		case b := <-c.intake.beats:
			c.fanOut(b)
		case <-resolve.C:
			c.resolveAgain(ctx)
		case <-leave:
			leave = nil
			c.remember(time.Now(), c.tree.Info()) // gossip forgets while the node leaves
			c.handle(tree.Leave{})
		}
		if now := time.Now(); c.writer == nil && now.Sub(measured) >= lagInterval {
			measured = now
			if c.intake.giveUp(now) {
				signal(c.sweeper.prod)
			}
			c.tellDelivered()
			c.handle(c.progress(now))
			c.watchEpoch(now)
		}
		c.listen()
		for a, ok := c.tree.Poll(); ok; a, ok = c.tree.Poll() {
			c.carryOut(a)
		}
		c.noticeChange()
		now := time.Now()
		c.endOverlaps(now, tree.ID{})
		if t, ok := c.tree.RootClock(now); ok {
			c.intake.clock.Store(&rootClock{when: now, beat: t, epoch: stream.Epoch(c.tree.RootEpoch())})
		}
		if c.prove(now) {
			timer.Reset(0)
			continue
		}
		timer.Reset(c.rest(now))
	}
}

// tellDelivered tells the tree of links that have delivered what had to wait first.
func (c *Channel) tellDelivered() {
	for num, u := range c.up { // in any order
		if u.proved.Load() && !u.told.Swap(true) {
			c.handle(tree.Delivered{Link: num})
		}
	}
}

// rest is how long nothing is due. To be woken costs more than what is done then: a source to which
// nobody has a link has no heartbeats to send.
func (c *Channel) rest(now time.Time) time.Duration {
	d := c.tree.Deadline().Sub(now) + c.tree.Slack()
	if c.writer != nil && len(c.up)+len(c.down)+len(c.dials) == 0 {
		return max(d, gaugeInterval)
	}
	return d
}

// handle tells the tree of an event, and does what else follows from it.
func (c *Channel) handle(ev tree.Event) {
	c.listen()
	switch ev := ev.(type) {
	case tree.Down:
		c.forget(ev)
	case tree.Uncalled:
		delete(c.dials, ev.Link)
	case tree.Received:
		c.received(ev)
		return
	case tree.Proven:
		defer c.inherit(ev.Link)
	}
	c.tree.Handle(time.Now(), ev)
}

// received looks at a message before the tree does.
func (c *Channel) received(ev tree.Received) {
	if ps := placesIn(ev.Msg); len(ps) > 0 {
		if l := c.link(ev.Link); l != nil {
			c.node.hearsay.told(l.peer, ps)
		}
	}
	switch m := ev.Msg.(type) {
	case tree.Welcome:
		c.heardSeen(ev.Link, m.Seen)
		m.Label = c.intake.vouched(m.Label)
		ev.Msg = m
		// The beat that came ahead of it says what there is to have.
		c.tree.Handle(time.Now(), c.progress(time.Now()))
	case tree.Heartbeat:
		m.Label = c.intake.vouched(m.Label)
		ev.Msg = m
	case tree.Refer:
		if l := c.link(ev.Link); l != nil {
			l.carries = m.Called != 0
		}
		if len(m.Places) == 0 {
			c.noticeRefusal(ev.Link, m.Reason)
		} else {
			c.heedRefusal(ev.Link, m.Reason)
		}
	case tree.Bye:
		c.noticeRefusal(ev.Link, m.Reason)
	}
	c.tree.Handle(time.Now(), ev)
}

// link returns the link with that number, or nil if it is gone.
func (c *Channel) link(num tree.Link) *link {
	if u := c.up[num]; u != nil {
		return &u.link
	}
	if d := c.down[num]; d != nil {
		return &d.link
	}
	return nil
}

// forget takes a link that ended, or a dial that failed, out of the channel.
func (c *Channel) forget(ev tree.Down) {
	if l := c.link(ev.Link); l != nil {
		if l.lingers {
			c.lingering--
		}
		c.log.Debug("link ended", zap.String("peer", l.peer.Short()), zap.Stringer("reason", ev.End.Reason),
			zap.Stringer("by", ev.End.By), zap.NamedError("cause", context.Cause(l.ctx)))
		if n, ok := errors.AsType[*NotLive](context.Cause(l.ctx)); ok {
			c.notices(*n)
		}
	}
	if d := c.down[ev.Link]; d != nil && d.served {
		c.notices(ChildLeft{d.child(), ev.End})
	}
	if c.up[ev.Link] != nil {
		c.leftPeers.note(ev.End)
	}
	delete(c.up, ev.Link)
	delete(c.down, ev.Link)
	delete(c.dials, ev.Link)
}

// tell gives the channel's goroutine an event, and waits if it is behind.
func (c *Channel) tell(ev tree.Event) {
	select {
	case c.events <- ev:
	case <-c.done:
	}
}

// query runs f on the channel's goroutine and waits for it. It reports false if the
// channel has ended.
func (c *Channel) query(f func(*tree.Node)) bool {
	ran := make(chan struct{})
	select {
	case c.ask <- func(n *tree.Node) { f(n); close(ran) }:
		<-ran
		return true
	case <-c.done:
		return false
	}
}

func (c *Channel) carryOut(a tree.Action) {
	switch a := a.(type) {
	case tree.Dial:
		c.endOverlaps(time.Now(), a.Place.ID)
		c.log.Debug("asks a node", zap.String("peer", a.Place.ID.Short()), zap.Bool("by a call", !a.Through.IsZero()))
		c.dialPlace(a)
	case tree.Probe:
		c.probe(a)
	case tree.Send:
		c.sendMessage(a)
	case tree.Close:
		if c.overlaps(time.Now(), a.Link, a.End) {
			break
		}
		if l := c.link(a.Link); l != nil {
			c.closeLink(l, a.End)
		}
		if cancel := c.dials[a.Link]; cancel != nil {
			cancel()
		}
	case tree.Feed:
		if u := c.up[a.Link]; u != nil {
			c.log.Debug("asks for the stream", zap.String("peer", u.peer.Short()))
			u.pull(c.ring.Head())
		}
	case tree.Serve:
		if d := c.down[a.Link]; d != nil {
			d.serve(c.ring.Resume(stream.Position{Epoch: stream.Epoch(a.Have.Epoch), Seq: a.Have.Seq}))
			d.send(c.peers.sample(d.peer, c.tree.Info()))
			c.tellChildren()
			c.notices(ChildJoined{d.child()})
		}
	case tree.Attached:
		c.log.Info("attached", zap.String("parent", a.Parent.ID.Short()), zap.Int("depth", a.Depth))
		c.notices(Attached{a.Parent, a.Depth})
		c.change.attached(a)
		c.inherit(a.Link)
		c.seek(c.up[a.Link])
		if a.Before.Reason == tree.ReasonSlow || a.Before.Reason == tree.ReasonLied {
			c.leftPeers.note(a.Before)
		}
	case tree.Orphaned:
		c.log.Info("parent lost", zap.Stringer("reason", a.End.Reason), zap.Stringer("by", a.End.By))
		if a.End == tree.ByThem(tree.ReasonLeaving) && c.tree.Info().Depth == 1 {
			c.answers.sourceLeft()
		}
		c.notices(Orphaned{a.End})
		c.hint()
	case tree.Left:
		c.left = true
	}
}

// sendMessage sends one of the tree's messages, and ahead of it what the other side needs
// to believe it.
func (c *Channel) sendMessage(a tree.Send) {
	l := c.link(a.Link)
	if l == nil {
		return
	}
	switch m := a.Msg.(type) {
	case tree.Join:
		m.NoCalls = m.NoCalls && l.knows2() // an older node knows nothing of that
		if own := c.descent.own; own != nil && l.knows3() {
			l.send(*own)
		}
		l.send(wire.Hello{Channel: c.id, Join: m})
		return
	case tree.Bye:
		if m.Reason == tree.ReasonMoved && c.overlaps(time.Now(), a.Link, tree.ByUs(m.Reason)) {
			return // it is said when the link ends
		}
	case tree.Welcome:
		if b := c.intake.beat.Load(); b != nil { // it makes the label believable
			l.send(b)
		}
		if d := c.down[a.Link]; d != nil {
			c.place(time.Now(), d)
		}
	case tree.Refer:
		c.log.Debug("joiner referred", zap.String("peer", l.peer.Short()), zap.Stringer("reason", m.Reason))
		if d := c.down[a.Link]; d != nil {
			d.carries = m.Called != 0
			c.noticeRefused(d, m.Reason)
		}
	}
	if l.knows2() {
		for _, f := range l.said.before(a.Msg, l.knows5()) {
			l.send(f)
		}
		if _, ok := a.Msg.(tree.Welcome); ok {
			defer l.sendSeen()
		}
	}
	if hb, ok := a.Msg.(tree.Heartbeat); ok && c.down[a.Link] != nil {
		c.down[a.Link].beat(hb)
		return
	}
	l.send(a.Msg)
}

// fanOut passes a beat on to the children.
func (c *Channel) fanOut(b *stream.Beat) {
	c.intake.beat.Store(b)
	for _, num := range slices.Sorted(maps.Keys(c.down)) {
		c.down[num].send(b)
	}
}
