package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// controlQueue bounds frames of the tree that wait for a link's writer: three
	// seconds of heartbeats. A link that lets more pile up is dead or too slow.
	controlQueue = 64
	// unsentMost is how many bytes may wait in the kernel beyond what is under way: a
	// chunk, so that the next is ready when this one goes. What waits in the ring
	// instead can be measured, and overtaken by a heartbeat. On a link that carries 0.7
	// of 3 Mb/s, beats were 190 to 360 ms late with this, 280 to 390 with twice as much,
	// 480 to 620 without; 160 of it are the router's queue.
	unsentMost = 16 << 10
	// stuckAfter cuts a peer that takes nothing for so long.
	stuckAfter = 10 * time.Second
	// closeTime bounds the last words on a link.
	closeTime = time.Second
	// heardEvery bounds how often arriving bytes are reported to the tree.
	heardEvery = 20 * time.Millisecond
	// controlRate bounds the frames of the tree that a peer may send, per second:
	// twice what an honest one sends at its busiest. One that sends more is cut,
	// for each keeps the channel's goroutine from its work.
	controlRate = 200
)

// link is one connection between a child and a parent.
type link struct {
	num  tree.Link
	peer tree.ID
	ch   *Channel
	conn *tls.Conn
	near bool // the peer is in one of this machine's own subnets

	// A link ends by cancelling ctx with what endOf takes; the first cause wins.
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	out   chan wire.Frame     // from the channel's goroutine to the writer
	serve chan *stream.Cursor // likewise, once, for a child that pulls

	// Parent links only.
	feeding atomic.Bool  // chunks are welcome
	brought atomic.Bool  // one has come that the ring did not have
	gap     atomic.Int64 // how long none had come then, nanoseconds; see Change.Gap

	// Child links only, owned by the channel's goroutine.
	served bool // it takes the stream
	needy  bool // it has no parent to fall back on

	// Owned by the writer, read by the channel's goroutine.
	missed  atomic.Uint64
	moves   atomic.Uint64
	past    atomic.Uint64                // chunks of the ring that the child has or cannot use
	sent    atomic.Uint64                // payload bytes
	last    atomic.Pointer[stream.Chunk] // the newest written
	pulled  atomic.Int64                 // when the child asked for the stream, by Channel.sinceStart
	drained atomic.Int64                 // when it was last owed nothing, likewise; 0 if never
}

// closing is queued behind what a link still has to say.
type closing struct{ end tree.End }

// newLink makes a link; start begins it. Its context outlives the channel's, so
// that a channel that ends can say good-bye.
func (c *Channel) newLink(num tree.Link, peer tree.ID, conn *tls.Conn) *link {
	l := &link{
		num:   num,
		peer:  peer,
		ch:    c,
		conn:  conn,
		out:   make(chan wire.Frame, controlQueue),
		serve: make(chan *stream.Cursor, 1),
	}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	return l
}

// start runs the link's two goroutines; both end with l.ctx. When they have, the
// channel hears of it.
func (l *link) start(g *guardedConn, r *wire.Reader) {
	var last time.Time // only the reader uses it
	g.open(func() {
		if now := time.Now(); now.Sub(last) >= heardEvery {
			last = now
			l.ch.hear(l.num)
		}
	})
	context.AfterFunc(l.ctx, func() { l.conn.NetConn().Close() })
	l.wg.Go(func() { l.cancel(l.read(r)) })
	l.wg.Go(func() { l.cancel(l.write()) })
	l.ch.wg.Go(func() {
		l.wg.Wait()
		l.ch.facts.drop(l)
		l.ch.tell(tree.Down{Link: l.num, End: endOf(context.Cause(l.ctx))})
	})
}

// send queues a frame. It never blocks: a link whose queue is full ends.
func (l *link) send(f wire.Frame) {
	select {
	case l.out <- f:
	default:
		l.cancel(tree.ByUs(tree.ReasonSlow))
	}
}

// close ends the link after what was sent before.
func (l *link) close(e tree.End) {
	time.AfterFunc(closeTime, func() { l.cancel(e) }) // should the writer be stuck
	l.send(closing{e})
}

func (l *link) read(r *wire.Reader) error {
	control := rate.NewLimiter(controlRate, controlRate)
	facts := rate.NewLimiter(factsFrames, factsFrames)
	var bye tree.Reason // of a child
	for {
		f, err := r.Next()
		if err != nil {
			if bye != tree.ReasonNone && endOf(err).By == tree.Them {
				return tree.ByThem(bye)
			}
			return err
		}
		switch f := f.(type) {
		case *stream.Chunk:
			err = l.takeChunk(f)
		case *stream.Header:
			err = l.takeHeader(f)
		case *stream.Beat:
			err = l.ch.takeBeat(f)
		case wire.Gap:
			// The ring counts what is missing by the numbers that the root has signed.
		case wire.Facts:
			if !facts.Allow() {
				return fmt.Errorf("more than %d facts a second: %w", factsFrames, wire.ErrNotDue)
			}
			l.ch.facts.put(l, f.View)
		case wire.Sample:
			if !l.feeding.Load() || !control.Allow() {
				return fmt.Errorf("sample: %w", wire.ErrNotDue)
			}
			l.ch.takeSample(f)
		case tree.Message:
			if !control.Allow() {
				return fmt.Errorf("more than %d frames a second: %w", controlRate, wire.ErrNotDue)
			}
			if b, ok := f.(tree.Bye); ok && l.num.Inbound() {
				bye = b.Reason // it may close before the tree has looked at this
			}
			l.ch.tell(tree.Received{Link: l.num, Msg: f})
		default:
			err = fmt.Errorf("%T: %w", f, wire.ErrNotDue)
		}
		if err != nil {
			return err
		}
	}
}

// write sends what the cursor has, and between any two chunks what is queued: on a
// slow connection a heartbeat must not wait for more than one of them.
func (l *link) write() error {
	var (
		cursor *stream.Cursor
		wait   <-chan struct{}
		header *stream.Header // the one the child has
		buf    []byte
	)
	for {
		for queued := true; queued; {
			select {
			case f := <-l.out:
				if c, ok := f.(closing); ok {
					_ = l.flush(buf, closeTime) // the link ends either way
					return c.end
				}
				buf = wire.Append(buf, f)
			default:
				queued = false
			}
		}
		if len(buf) > 0 {
			if err := l.flush(buf, stuckAfter); err != nil {
				return err
			}
			buf = buf[:0]
		}
		if cursor != nil {
			it, w, err := cursor.Poll()
			if err != nil {
				return tree.ByUs(tree.ReasonLeaving)
			}
			if w == nil {
				if err := l.pass(it, &header); err != nil {
					return err
				}
				missed, moves := cursor.Gap()
				l.missed.Store(missed)
				l.moves.Store(moves)
				l.past.Store(cursor.Past())
				continue
			}
			wait = w
			l.past.Store(cursor.Past())
			l.drained.Store(int64(l.ch.sinceStart()))
		}
		select {
		case f := <-l.out:
			if c, ok := f.(closing); ok {
				return c.end
			}
			buf = wire.Append(buf, f)
		case cursor = <-l.serve:
			l.pulled.Store(int64(l.ch.sinceStart()))
		case <-wait:
		case <-l.ctx.Done():
			return context.Cause(l.ctx)
		}
	}
}

// pass sends one chunk, and before it what the child needs to use it.
func (l *link) pass(it stream.Item, header **stream.Header) error {
	if it.Header != *header {
		*header = it.Header
		if err := l.flush(it.Header.Frame(), stuckAfter); err != nil {
			return err
		}
	}
	if err := l.flush(it.Chunk.Frame(), stuckAfter); err != nil {
		return err
	}
	l.sent.Add(uint64(len(it.Chunk.Payload())))
	l.ch.sent.Add(uint64(len(it.Chunk.Payload())))
	l.last.Store(it.Chunk)
	return nil
}

func (l *link) flush(b []byte, within time.Duration) error {
	if err := l.conn.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	_, err := l.conn.Write(b)
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		return tree.ByUs(tree.ReasonSlow)
	}
	return err
}

// endOf says how a link ended that was cancelled with err. What this node holds
// against what came is its own decision. The end of the connection is the other
// node's, be it that its process is gone, and every other error is the network's.
func endOf(err error) tree.End {
	var end tree.End
	switch {
	case err == nil:
		return end
	case errors.As(err, &end):
		return end
	case errors.Is(err, stream.ErrSignature):
		return tree.ByUs(tree.ReasonForged)
	case errors.Is(err, stream.ErrEpoch), errors.Is(err, stream.ErrClock):
		return tree.ByUs(tree.ReasonEpoch)
	case errors.Is(err, wire.ErrVersion), errors.Is(err, stream.ErrVersion):
		return tree.ByUs(tree.ReasonVersion)
	case errors.Is(err, wire.ErrFrame), errors.Is(err, wire.ErrNotDue), errors.Is(err, stream.ErrFrame),
		errors.Is(err, stream.ErrGap), errors.Is(err, stream.ErrHeader):
		return tree.ByUs(tree.ReasonProtocol)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return tree.ByThem(tree.ReasonClosed)
	}
	return tree.Lost(tree.ReasonClosed)
}
