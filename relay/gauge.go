package relay

import (
	"time"

	"relay/tree"
)

// progress is what the tree is told of the stream at now. It runs on the channel's
// goroutine.
func (c *Channel) progress(now time.Time) tree.Progress {
	st := c.ring.Stats()
	p := tree.Progress{Lost: st.Lost}
	if c.writer != nil {
		return p
	}
	s := sight{Head: st.Head, HeadMs: st.Beat}
	s.Clock, s.ClockKnown = c.tree.RootClock(now)
	if b := c.beat.Load(); b != nil {
		s.BeatEpoch, s.BeatHead, s.BeatMs = b.Epoch(), b.Head(), b.Ms()
		p.Barren = b.Head() > 0 && st.Head.Seq == 0
	}
	p.Lag, _ = c.lag.measure(now, s)
	c.lagging = p.Lag
	return p
}

// capacity is how many children there may be, as the links of those there are show.
// It runs on the channel's goroutine.
func (c *Channel) capacity(now time.Time) tree.Capacity {
	var loads []childLoad
	for _, l := range c.links {
		if l.pulled.Load() != 0 {
			loads = append(loads, l.load())
		}
	}
	return tree.Capacity{Slots: c.room.Slots, Far: c.room.measure(now, c.ring.Stats().BitRate, loads)}
}

// load is how a child's link does.
func (l *link) load() childLoad {
	now, pulled, drained := l.ch.sinceStart(), time.Duration(l.pulled.Load()), time.Duration(l.drained.Load())
	c := childLoad{
		Link:   uint64(l.num),
		Near:   l.near,
		Age:    now - pulled,
		Caught: drained >= pulled && drained > 0,
		Sent:   l.sent.Load(),
	}
	// Each of the two may be too much: media that pauses, a link that is never idle.
	if b := l.ch.ring.Backlog(l.last.Load()); b.Chunks > 0 {
		c.Busy = now - max(pulled, drained)
		c.Backlog = min(b.Span, c.Busy)
	}
	return c
}

// status describes a child's link, given how many chunks the ring has received.
func (l *link) status(received uint64) LinkStatus {
	s := LinkStatus{Sent: l.sent.Load(), Missed: l.missed.Load(), Moves: l.moves.Load(), Near: l.near}
	s.Owed = received - min(received, l.past.Load())
	if c := l.last.Load(); c != nil {
		s.Seq = c.Seq()
	}
	if l.pulled.Load() != 0 {
		s.Behind = l.ch.ring.Backlog(l.last.Load())
	}
	return s
}
