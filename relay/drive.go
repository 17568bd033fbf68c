package relay

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// eventQueue bounds what links have told the driving goroutine and it has not yet
	// looked at; links wait when it is full.
	eventQueue = 256
	// gaugeInterval is how often the room for children is measured.
	gaugeInterval = 500 * time.Millisecond
)

// drive is the one goroutine that touches c.tree. It never blocks but here.
func (c *Channel) drive(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	gauge := time.NewTicker(gaugeInterval)
	defer gauge.Stop()
	lag := time.NewTicker(lagInterval)
	defer lag.Stop()
	beat := time.NewTicker(stream.BeatInterval)
	defer beat.Stop()
	resolve := time.NewTicker(resolveInterval)
	defer resolve.Stop()
	leave := ctx.Done()
	c.handle(c.capacity(time.Now()))
	for !c.gone {
		select {
		case ev := <-c.events:
			c.handle(ev)
		case <-timer.C:
			c.tree.Advance(time.Now())
		case f := <-c.ask:
			f(c.tree)
		case <-gauge.C:
			c.handle(c.capacity(time.Now()))
			c.reportFacts()
			c.mingle(time.Now())
		case <-lag.C:
			c.handle(c.progress(time.Now()))
		case <-c.handed: // noticed below
		case <-c.first:
			c.handle(c.progress(time.Now()))
		case <-beat.C:
			if c.writer != nil {
				c.fanOut(c.writer.Beat())
			}
		case b := <-c.fan:
			c.fanOut(b)
		case <-resolve.C:
			c.resolveAgain(ctx)
		case <-leave:
			leave = nil
			c.remember(time.Now(), c.tree.Info()) // gossip forgets while the node leaves
			c.handle(tree.Leave{})
		}
		for a, ok := c.tree.Poll(); ok; a, ok = c.tree.Poll() {
			c.carryOut(a)
		}
		c.noticeChange()
		now := time.Now()
		if t, ok := c.tree.RootClock(now); ok {
			c.clock.Store(&rootClock{when: now, beat: t})
		}
		timer.Reset(time.Until(c.tree.Deadline()))
	}
}

func (c *Channel) handle(ev tree.Event) {
	if d, ok := ev.(tree.Down); ok {
		if l := c.links[d.Link]; l != nil {
			delete(c.links, d.Link)
			c.noticeGone(l, d.End)
			c.log.Debug("link ended", zap.String("peer", l.peer.Short()), zap.Stringer("reason", d.End.Reason),
				zap.Stringer("by", d.End.By), zap.NamedError("cause", context.Cause(l.ctx)))
		}
		delete(c.dials, d.Link)
	}
	if r, ok := ev.(tree.Received); ok {
		c.noticeRefusal(r)
		if w, ok := r.Msg.(tree.Welcome); ok {
			c.noticeSeen(w.Seen)
		}
		r.Msg = c.vouched(r.Msg)
		ev = r
	}
	c.tree.Handle(time.Now(), ev)
	if r, ok := ev.(tree.Received); ok {
		if _, ok := r.Msg.(tree.Welcome); ok { // with the beat ahead of it, which says what there is to have
			c.tree.Handle(time.Now(), c.progress(time.Now()))
		}
	}
}

// tell gives the driving goroutine an event, and waits if it is behind.
func (c *Channel) tell(ev tree.Event) {
	select {
	case c.events <- ev:
	case <-c.done:
	}
}

// hear reports that bytes came over a link, if there is room: the next ones will
// say the same.
func (c *Channel) hear(l tree.Link) {
	select {
	case c.events <- tree.Heard{Link: l}:
	default:
	}
}

// query runs f on the driving goroutine and waits for it. It reports false if the
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
		c.dialPlace(a)
	case tree.Send:
		if l := c.links[a.Link]; l != nil {
			if r, ok := a.Msg.(tree.Refer); ok {
				c.log.Debug("joiner referred", zap.String("peer", l.peer.Short()), zap.Stringer("reason", r.Reason))
				c.noticeTurned(l, r.Reason)
			}
			if j, ok := a.Msg.(tree.Join); ok {
				l.send(wire.Hello{Channel: c.id, Join: j})
				return
			}
			if _, ok := a.Msg.(tree.Welcome); ok { // what makes its label believable
				if b := c.beat.Load(); b != nil {
					l.send(b)
				}
			}
			l.send(a.Msg)
		}
	case tree.Close:
		if l := c.links[a.Link]; l != nil {
			l.close(a.End)
		}
		if cancel := c.dials[a.Link]; cancel != nil {
			cancel()
		}
	case tree.Feed:
		if l := c.links[a.Link]; l != nil {
			l.feeding.Store(true)
			h := c.ring.Head()
			l.send(tree.Pull{Have: tree.Position{Epoch: tree.Epoch(h.Epoch), Seq: h.Seq}})
		}
	case tree.Serve:
		if l := c.links[a.Link]; l != nil {
			l.serve <- c.ring.Resume(stream.Position{Epoch: stream.Epoch(a.Have.Epoch), Seq: a.Have.Seq}) // once per link
			l.send(c.sample(l.peer))
			c.noticeServed(l)
		}
	case tree.Attached:
		c.log.Info("attached", zap.String("parent", a.Parent.ID.Short()), zap.Int("depth", a.Depth))
		c.notices(Attached{a.Parent, a.Depth})
		c.handover.attached(a)
	case tree.Orphaned:
		c.log.Info("parent lost", zap.Stringer("reason", a.End.Reason), zap.Stringer("by", a.End.By))
		c.notices(Orphaned{a.End})
		c.offer()
	case tree.Left:
		c.gone = true
	}
}

// passBeat hands a beat to the driving goroutine; a newer one replaces one that
// still waits.
func (c *Channel) passBeat(b *stream.Beat) {
	for {
		select {
		case c.fan <- b:
			return
		default:
		}
		select {
		case <-c.fan:
		default:
		}
	}
}

func (c *Channel) fanOut(b *stream.Beat) {
	c.beat.Store(b)
	for _, num := range slices.Sorted(maps.Keys(c.links)) {
		if num.Inbound() {
			c.links[num].send(b)
		}
	}
}
