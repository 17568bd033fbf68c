package relay

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/nameplate"
	"relay/relay/refusal"
	"relay/relay/socket"
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
	refused *refusal.Counts  // at the node's port
	calls   func(wire.Frame) // what has to do with calls
	later   func(wire.Later) error
	double  func(wire.Double) error
	named   func([]nameplate.Plate) error
	recall  func(wire.Recall) error
	seek    func(wire.Seek) error
	sought  atomic.Bool // it has asked for nodes of the DHT
	recalls atomic.Bool // it has asked for what was, and is being answered
	arrival arrival
	listens netip.AddrPort // where it says it does, at the address from which it comes; not valid for nowhere

	cursors chan *stream.Cursor // from the channel's goroutine to the writer, once
	guard   *guardedConn        // nil if the connection is a test's
	socket  putter              // nil if it cannot be swept
	sweeper *sweeper
	back    chan error // from the sweeper to the writer; see [sweeper.wait]

	// Owned by the channel's goroutine.
	served bool   // it takes the stream
	came   moment // since when it is known to be in the tree
	needy  bool   // it has no parent to fall back on
	proof  proof

	told    *rate.Limiter // of facts; owned by the reader
	naming  *rate.Limiter // of names; likewise
	calling *rate.Limiter // of calls; likewise

	// Owned by the writer, or by the sweeper while that has the child.
	cursor *stream.Cursor
	header *stream.Header  // the one the child has
	sums   stream.Position // of the first chunk that the newest sums cover which the child has
	newest *stream.Chunk   // sent
	bytes  uint64          // of payload, likewise, which written has not told of
	caught bool            // nothing is owed
	room   int             // bytes that may be gathered before they are written

	watching atomic.Int64 // how many it says watch at it and below; untold if it has not

	// Owned by the writer or the sweeper, and read by the channel's goroutine.
	missed  atomic.Uint64
	moves   atomic.Uint64
	past    atomic.Uint64                // chunks of the ring that the child has or cannot use
	sent    atomic.Uint64                // payload bytes
	last    atomic.Pointer[stream.Chunk] // the newest written
	pulled  atomic.Int64                 // when the child asked for the stream, nanoseconds
	drained atomic.Int64                 // when it was last owed nothing, likewise; 0 if never
	fed     atomic.Int64                 // when the last chunk was written, likewise
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
	switch f := f.(type) {
	case wire.Audience:
		if err := d.allow(); err != nil {
			return err
		}
		d.watching.Store(int64(f.Watching))
		return nil
	case wire.Names:
		return d.named(f.Of)
	case wire.Seek:
		return d.seek(f)
	case wire.Recall:
		if err := d.allow(); err != nil {
			return err
		}
		return d.recall(f)
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
// slow connection a heartbeat must not wait for more than one of them. What comes when
// nothing is owed is left to the sweeper, where there can be one.
func (d *downlink) write() error {
	for {
		wait, err := d.step()
		if err != nil {
			return err
		}
		d.written()
		if d.cursor != nil {
			if wait == nil {
				continue
			}
			if d.socket != nil {
				if err := d.sweep(); err != nil {
					return err
				}
				continue
			}
		}
		select {
		case f := <-d.out:
			if err := d.say(f); err != nil {
				return err
			}
		case d.cursor = <-d.cursors:
			d.pulled.Store(int64(d.now()))
		case <-wait:
		case <-d.ctx.Done():
			return context.Cause(d.ctx)
		}
	}
}

// sweepable has the child swept, if its connection can be.
func (d *downlink) sweepable(g *guardedConn) {
	d.guard = g
	if s := socket.Of(g.Conn); s != nil {
		d.socket = s
		d.prod = d.sweeper.prod
	}
}

// sweep leaves the child to the sweeper until that hands it back, and writes what it has left.
func (d *downlink) sweep() error {
	if err := d.conn.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	d.guard.out.begin()
	d.waits, d.room = false, unsentMost
	err := d.sweeper.wait(d)
	d.waits = true
	within := stuckAfter
	if err != nil {
		within = closeTime
	}
	left := d.conn.SetWriteDeadline(time.Now().Add(within))
	if left == nil {
		left = d.guard.out.end(d.guard.Conn)
	}
	switch {
	case err != nil:
		return err
	case left != nil:
		return tooSlow(left)
	}
	d.written()
	return nil
}

// step sends what is queued, and then one chunk. It returns a channel that is closed when there may
// be another if there is none, nil without a cursor.
func (d *downlink) step() (wait <-chan struct{}, err error) {
	if err := d.say(nil); err != nil || d.cursor == nil {
		return nil, err
	}
	it, wait, err := d.cursor.Poll()
	if err != nil { // the channel has ended; what it had to say then is queued
		if err := d.say(nil); err != nil {
			return nil, err
		}
		return nil, tree.ByUs(tree.ReasonLeaving)
	}
	if wait != nil {
		d.caught = true
		return wait, nil
	}
	d.caught = false
	return nil, d.pass(it)
}

// pass sends one chunk, and before it the header that it needs and the sums that cover it, if they are new.
func (d *downlink) pass(it stream.Item) error {
	if it.Header != d.header {
		d.header = it.Header
		if err := d.flush(it.Header.Frame(), stuckAfter); err != nil {
			return err
		}
	}
	if s := it.Chunk.Sums(); s != nil && d.knows4 && s.First() != d.sums {
		d.sums = s.First()
		if err := d.flush(s.Frame(), stuckAfter); err != nil {
			return err
		}
	}
	if err := d.flush(it.Chunk.Frame(), stuckAfter); err != nil {
		return err
	}
	d.newest = it.Chunk
	d.bytes += uint64(len(it.Chunk.Payload()))
	return nil
}

// written tells the channel's goroutine what the connection has taken: all that was sent.
func (d *downlink) written() {
	if d.cursor == nil {
		return
	}
	if d.bytes > 0 {
		d.sent.Add(d.bytes)
		d.total.Add(d.bytes)
		d.last.Store(d.newest)
		d.fed.Store(int64(d.now()))
		d.bytes = 0
	}
	missed, moves := d.cursor.Gap()
	d.missed.Store(missed)
	d.moves.Store(moves)
	d.past.Store(d.cursor.Past())
	if d.caught {
		d.drained.Store(int64(d.now()))
	}
}

// refusedChildren is why this node ended a link that it had let in, if that was the other side's fault.
// Where the tree has no place for somebody, it refers him to others.
var refusedChildren = map[tree.Reason]refusal.Reason{
	tree.ReasonProtocol: doorProtocol,
	tree.ReasonForged:   doorForged,
	tree.ReasonEpoch:    doorForged,
	tree.ReasonVersion:  doorVersion,
	tree.ReasonSilent:   doorSilent,
	tree.ReasonSlow:     doorStuck,
}

// ended forgets what the child has told, and counts it if it was refused.
func (d *downlink) ended(e tree.End) {
	d.facts.drop(&d.link)
	if why, ok := refusedChildren[e.Reason]; ok && e.By == tree.Us {
		d.refused.Add(why)
	}
}

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

// unacked is how many bytes were sent that the child has not acknowledged, as far as that is known.
func (d *downlink) unacked() int {
	n := unacked(d.conn.NetConn())
	if d.guard != nil {
		n += int(d.guard.out.waits.Load())
	}
	return n
}

// status describes a child's link, given how many chunks the ring has received.
func (d *downlink) status(received uint64) LinkStatus {
	s := LinkStatus{Sent: d.sent.Load(), Missed: d.missed.Load(), Moves: d.moves.Load(), Near: d.near, CameIn: d.arrival == cameIn, Unacked: d.unacked()}
	s.Owed = received - min(received, d.past.Load())
	if c := d.last.Load(); c != nil {
		s.Seq = c.Seq()
	}
	if d.pulled.Load() != 0 {
		s.Behind = d.ring.Backlog(d.last.Load())
	}
	return s
}
