package relay

import (
	"time"

	"relay/relay/stream"
	"relay/tree"
)

// flowsFor is how long a stream counts as flowing after its newest chunk. Sound and pictures
// come far more often.
const flowsFor = 500 * time.Millisecond

// progress is what the tree is told of the stream at now. It runs on the channel's
// goroutine.
func (c *Channel) progress(now time.Time) tree.Progress {
	st := c.ring.Stats()
	p := tree.Progress{Lost: st.Lost, Flows: now.Sub(st.Came) < flowsFor}
	if c.writer != nil {
		p.Clock = c.writer.Clock(now)
		return p
	}
	s := observation{Head: st.Head, HeadMs: st.Beat}
	s.Clock, s.ClockKnown = c.tree.RootClock(now)
	if b := c.intake.beat.Load(); b != nil {
		s.BeatEpoch, s.BeatHead, s.BeatMs = b.Epoch(), b.Head(), b.Ms()
		p.Barren = b.Head() > 0 && st.Head.Seq == 0
		p.Clock = c.intake.signed.least(now, b.Epoch())
		s.ParentBeat = c.parentBeat(now, s.Clock, b.Epoch())
	}
	p.Lag, _ = c.lag.measure(now, s)
	c.behind = p.Lag
	return p
}

// parentBeat is observation.ParentBeat of that epoch, given the root's clock.
func (c *Channel) parentBeat(now time.Time, clock time.Duration, e stream.Epoch) time.Duration {
	u := c.up[c.change.to]
	if u == nil || u.ctx.Err() != nil {
		return 0
	}
	if b := u.showed.Load(); b != nil && b.Epoch() == e {
		return ms(b.Ms())
	}
	return clock - now.Sub(u.begun)
}

// capacity is how many children there may be, as the links of those there are show.
// It runs on the channel's goroutine.
func (c *Channel) capacity(now time.Time) tree.Capacity {
	var loads []childLoad
	far, rate := 0, c.ring.Stats().BitRate
	for _, d := range c.down {
		if d.pulled.Load() != 0 {
			loads = append(loads, d.load())
			if !d.near {
				far++
			}
		}
	}
	if all := c.node.cfg.Upload; all > 0 {
		c.room.Upload = c.node.uploads.of(c.id, far*rate, all)
	}
	c.history.lend(now.Sub(c.started), rate, c.room.Upload, loads)
	return tree.Capacity{Slots: c.room.Slots, Far: c.room.measure(now, rate, loads)}
}
