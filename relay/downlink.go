package relay

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// downlink is a link that came in: of a child, or of a node that asks to be one.
type downlink struct {
	link
	ring    *stream.Ring
	started time.Time      // pulled and drained are counted from here
	total   *atomic.Uint64 // payload bytes to all children
	facts   *factBook
	calls   func(wire.Frame) // what has to do with calls
	later   func(wire.Later) error
	double  func(wire.Double) error
	arrival arrival
	listens netip.AddrPort // where it says it does, at the address from which it comes; not valid for nowhere

	cursors chan *stream.Cursor // from the channel's goroutine to the writer, once

	// Owned by the channel's goroutine.
	served bool // it takes the stream
	needy  bool // it has no parent to fall back on
	proof  proof

	told    *rate.Limiter // of facts; owned by the reader
	calling *rate.Limiter // of calls; likewise

	// Owned by the writer, read by the channel's goroutine.
	missed  atomic.Uint64
	moves   atomic.Uint64
	past    atomic.Uint64                // chunks of the ring that the child has or cannot use
	sent    atomic.Uint64                // payload bytes
	last    atomic.Pointer[stream.Chunk] // the newest written
	pulled  atomic.Int64                 // when the child asked for the stream, nanoseconds
	drained atomic.Int64                 // when it was last owed nothing, likewise; 0 if never
}

// serve gives the child what the cursor reads, from now on. It is called once.
func (d *downlink) serve(from *stream.Cursor) {
	d.served = true
	d.cursors <- from
}

func (d *downlink) take(f wire.Frame) error {
	switch f := f.(type) {
	case wire.Double:
		return d.double(f)
	case wire.Later:
		if err := d.allow(); err != nil {
			return err
		}
		return d.later(f)
	case wire.Call, wire.Meet, wire.Ready:
		if err := d.allow(); err != nil {
			return err
		}
		d.calls(f)
		return nil
	}
	facts, ok := f.(wire.Facts)
	switch {
	case !ok:
		return fmt.Errorf("%T: %w", f, wire.ErrNotDue)
	case !d.told.Allow():
		return fmt.Errorf("more than %d facts a second: %w", factsFrames, wire.ErrNotDue)
	}
	d.facts.put(&d.link, facts.View)
	return nil
}

// write sends what the cursor has, and between any two chunks what is queued: on a
// slow connection a heartbeat must not wait for more than one of them.
func (d *downlink) write() error {
	var (
		cursor *stream.Cursor
		wait   <-chan struct{}
		header *stream.Header // the one the child has
	)
	for {
		if err := d.say(nil); err != nil {
			return err
		}
		if cursor != nil {
			it, w, err := cursor.Poll()
			if err != nil {
				return tree.ByUs(tree.ReasonLeaving)
			}
			if w == nil {
				if err := d.pass(it, &header); err != nil {
					return err
				}
				missed, moves := cursor.Gap()
				d.missed.Store(missed)
				d.moves.Store(moves)
				d.past.Store(cursor.Past())
				continue
			}
			wait = w
			d.past.Store(cursor.Past())
			d.drained.Store(int64(d.now()))
		}
		select {
		case f := <-d.out:
			if err := d.say(f); err != nil {
				return err
			}
		case cursor = <-d.cursors:
			d.pulled.Store(int64(d.now()))
		case <-wait:
		case <-d.ctx.Done():
			return context.Cause(d.ctx)
		}
	}
}

// pass sends one chunk, and before it the header that it needs, if that is new.
func (d *downlink) pass(it stream.Item, header **stream.Header) error {
	if it.Header != *header {
		*header = it.Header
		if err := d.flush(it.Header.Frame(), stuckAfter); err != nil {
			return err
		}
	}
	if err := d.flush(it.Chunk.Frame(), stuckAfter); err != nil {
		return err
	}
	d.sent.Add(uint64(len(it.Chunk.Payload())))
	d.total.Add(uint64(len(it.Chunk.Payload())))
	d.last.Store(it.Chunk)
	return nil
}

// ended forgets what the child has told.
func (d *downlink) ended() { d.facts.drop(&d.link) }

func (d *downlink) now() time.Duration { return time.Since(d.started) }

// load is how the child's link keeps up.
func (d *downlink) load() childLoad {
	now, pulled, drained := d.now(), time.Duration(d.pulled.Load()), time.Duration(d.drained.Load())
	c := childLoad{
		Link:   uint64(d.num),
		Near:   d.near,
		Age:    now - pulled,
		Caught: drained >= pulled && drained > 0,
		Sent:   d.sent.Load(),
	}
	// Either may be too much: the span when the media pauses, the time when the link is never
	// idle.
	if b := d.ring.Backlog(d.last.Load()); b.Chunks > 0 {
		c.Busy = now - max(pulled, drained)
		c.Backlog = min(b.Span, c.Busy)
	}
	return c
}

// status describes a child's link, given how many chunks the ring has received.
func (d *downlink) status(received uint64) LinkStatus {
	s := LinkStatus{Sent: d.sent.Load(), Missed: d.missed.Load(), Moves: d.moves.Load(), Near: d.near, CameIn: d.arrival == cameIn, Unacked: unacked(d.conn.NetConn())}
	s.Owed = received - min(received, d.past.Load())
	if c := d.last.Load(); c != nil {
		s.Seq = c.Seq()
	}
	if d.pulled.Load() != 0 {
		s.Behind = d.ring.Backlog(d.last.Load())
	}
	return s
}
