package relay

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// sweepMost bounds what is written to a child in one go, bytes: what one segment of the loopback or
// of an offloading card carries. It begins with unsentMost and doubles with each such write that the
// connection has taken whole, for what it does not take is in a heartbeat's way.
const sweepMost = 64 << 10

// sweeper writes to all children who have had all before, one after the other and without waiting
// for any: to wake a goroutine for each costs more than many a write. What is ready for a child goes
// out in one write. The reader that has brought a chunk sweeps by itself, where there is one. A child
// whose connection does not take all at once gets the rest from its link's own goroutine, and comes
// back when it has caught up.
type sweeper struct {
	prod chan struct{} // holds one when there is something to say, or a child comes or leaves

	mu     sync.Mutex
	coming []*downlink

	due atomic.Bool // there may be something to write

	turn     sync.Mutex // who sweeps holds it, and owns the rest
	children []*downlink
	scratch  []byte // what is written to one child
}

func newSweeper() sweeper { return sweeper{prod: make(chan struct{}, 1)} }

// wait leaves a child to the sweeper. It returns when the link's own goroutine has to write: what
// waits in the outbox, and nothing more if there is an error.
func (s *sweeper) wait(d *downlink) error {
	s.mu.Lock()
	s.coming = append(s.coming, d)
	s.mu.Unlock()
	signal(s.prod)
	select {
	case err := <-d.back:
		return err
	case <-d.ctx.Done():
		signal(s.prod)
		return <-d.back
	}
}

// run sweeps when there is something to say, and at the source when the ring has more: elsewhere
// readers do that. It ends with ctx, by when no child waits any more.
func (s *sweeper) run(ctx context.Context, source bool) {
	for {
		wait := s.now()
		if !source {
			wait = nil
		}
		select {
		case <-wait:
		case <-s.prod:
		case <-ctx.Done():
			return
		}
	}
}

// now writes to all children until there is nothing more for them, and returns a channel that is
// closed when there may be more. If somebody is at it already, it leaves that to him.
func (s *sweeper) now() (wait <-chan struct{}) {
	s.due.Store(true)
	for s.due.Load() && s.turn.TryLock() {
		s.due.Store(false)
		s.admit()
		for more := true; more; {
			wait, more = s.sweep()
		}
		s.turn.Unlock()
	}
	return wait
}

func (s *sweeper) admit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.children = append(s.children, s.coming...)
	clear(s.coming)
	s.coming = s.coming[:0]
}

// sweep writes to each child once. It reports whether some have to get more, and else returns a
// channel that is closed when there may be more, nil without children.
func (s *sweeper) sweep() (wait <-chan struct{}, more bool) {
	s.children = slices.DeleteFunc(s.children, func(d *downlink) bool {
		w, stays, err := s.write(d)
		switch {
		case !stays:
			d.back <- err
			return true
		case w == nil:
			more = true
		case wait == nil: // the first knows least of the ring
			wait = w
		}
		return false
	})
	return wait, more
}

// write writes to one child. It reports whether the child stays here, and returns a channel that is
// closed when there may be more for it, nil if there is.
func (s *sweeper) write(d *downlink) (wait <-chan struct{}, stays bool, err error) {
	if d.ctx.Err() != nil {
		return nil, false, context.Cause(d.ctx)
	}
	out := &d.guard.out
	out.lend(s.scratch)
	for wait == nil && err == nil && out.len() < d.room {
		wait, err = d.step()
	}
	n := out.len()
	lent, werr := out.send(d.socket)
	s.scratch = lent
	switch {
	case werr != nil:
		return nil, false, werr
	case err != nil, out.waits.Load() > 0:
		return nil, false, err
	}
	d.written()
	if n >= d.room {
		d.room = min(2*d.room, sweepMost)
	}
	return wait, true, nil
}
