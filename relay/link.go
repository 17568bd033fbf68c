package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/hostnet"
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
	// 480 to 620 without; 160 ms of that are the router's queue.
	unsentMost = 16 << 10
	// stuckAfter is how long a peer may take nothing before it is cut.
	stuckAfter = 10 * time.Second
	// closeTime bounds the last words on a link, and the wait for those of the other side.
	closeTime = time.Second
	// controlRate bounds the frames of the tree that a peer may send, per second: twice what
	// an honest one sends at its busiest. One that sends more is cut, because every frame
	// keeps the channel's goroutine from its work.
	controlRate = 200
)

// link is one connection of a channel: who is at its other end, and how it is read and
// written. What is said over it depends on which side this node is: see uplink and
// downlink.
type link struct {
	num  tree.Link
	peer tree.ID
	conn *tls.Conn
	near bool // the peer is in one of this machine's own subnets
	home bool // and its address means nothing beyond them
	// knows4 is set if the peer knows the frames of relay/4; it is looked at for each chunk.
	knows4 bool

	// A link ends by cancelling ctx with what endOf takes; the first cause wins.
	ctx    context.Context
	cancel context.CancelCauseFunc

	// proves is set on a link of a private channel as long as the other side still has to show that it
	// has the secret: whether a frame does. Owned by the reader.
	proves func(wire.Frame) bool

	// Owned by the channel's goroutine.
	said    said
	carries bool // the child was sent to nodes that it has to call through the parent
	lingers bool // the tree has closed it
	asked   int  // meetings that the other side was asked for and has not answered

	out  chan wire.Frame // from the channel's goroutine to the writer
	prod chan struct{}   // takes one when there is something in out; nil if nobody else looks

	control *rate.Limiter // of frames of the tree; owned by the reader
	meets   *rate.Limiter // of those that ask to meet somebody; likewise
	beside  beside        // likewise
	buf     []byte        // owned by the writer
	waits   bool          // a write waits until the connection takes it; likewise
}

// side is what a link is to this node: an *uplink or a *downlink.
type side interface {
	common() *link
	// take handles a frame that is not the tree's. It runs on the link's reader.
	take(wire.Frame) error
	// write is the link's writer. It returns when the link has to end.
	write() error
	// ended is called when both have returned, with how the link ended.
	ended(tree.End)
}

// closing is queued behind what a link still has to say.
type closing struct{ end tree.End }

// newLink makes a link. Its context outlives the channel's, so that a channel that ends
// can say good-bye.
func newLink(num tree.Link, peer tree.ID, conn *tls.Conn, near bool) link {
	l := link{
		num:     num,
		peer:    peer,
		conn:    conn,
		near:    near,
		out:     make(chan wire.Frame, controlQueue),
		control: rate.NewLimiter(controlRate, controlRate),
		meets:   rate.NewLimiter(meetRate, meetBurst),
		waits:   true,
		knows4:  conn != nil && knows4(conn), // a test's has no connection
	}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	return l
}

func (l *link) common() *link { return l }

// begin starts a link's two goroutines; both end with its context. When they have, the
// channel hears of it.
func (c *Channel) begin(s side, g *guardedConn, r *wire.Reader) {
	l := s.common()
	if u, ok := s.(*uplink); ok {
		g.open(func() { u.pulse.beat(c.events) })
	} else {
		g.open(nil) // of a child, its messages are signs enough
	}
	context.AfterFunc(l.ctx, func() { l.conn.NetConn().Close() })
	var both sync.WaitGroup
	both.Go(func() {
		err := l.read(r, s.take, c.tell)
		if errors.Is(err, stream.ErrClosed) { // the channel has ended, and the writer has last words
			l.await()
		}
		l.cancel(err)
	})
	both.Go(func() {
		err := s.write()
		if hostnet.Hungup(err) { // the other side has ended it, and its last words are on their way
			l.await()
		}
		l.cancel(err)
	})
	c.wg.Go(func() {
		both.Wait()
		end := endOf(context.Cause(l.ctx))
		s.ended(end)
		c.tell(tree.Down{Link: l.num, End: end})
	})
}

// knows2 reports whether the peer knows the frames of relay/2.
func (l *link) knows2() bool { return knows2(l.conn) }

// knows3 reports whether the peer knows the frames of relay/3.
func (l *link) knows3() bool { return knows3(l.conn) }

// knows5 reports whether the peer knows the frames of relay/5.
func (l *link) knows5() bool { return knows5(l.conn) }

// knows6 reports whether the peer knows the frames of relay/6.
func (l *link) knows6() bool { return knows6(l.conn) }

func knows2(conn *tls.Conn) bool {
	return conn.ConnectionState().NegotiatedProtocol == alpn2 || knows3(conn)
}

// knows4 reports whether the other side knows the frames of relay/4.
func knows4(conn *tls.Conn) bool {
	return conn.ConnectionState().NegotiatedProtocol == alpn4 || knows5(conn)
}

// knows5 reports whether the other side knows the frames of relay/5.
func knows5(conn *tls.Conn) bool {
	return conn.ConnectionState().NegotiatedProtocol == alpn5 || knows6(conn)
}

// knows6 reports whether the other side knows the frames of relay/6.
func knows6(conn *tls.Conn) bool { return conn.ConnectionState().NegotiatedProtocol == alpn }

// sendSeen tells the other side from where its connection comes.
func (l *link) sendSeen() {
	if from := remoteAddr(l.conn.NetConn()); wire.Dialable(from) {
		l.send(wire.Seen{Addr: from})
	}
}

// send queues a frame. It never blocks: a link whose queue is full ends.
func (l *link) send(f wire.Frame) { l.queue(f, true) }

// queue queues a frame, and says so to who looks only when asked to.
func (l *link) queue(f wire.Frame, prod bool) {
	select {
	case l.out <- f:
		if prod {
			signal(l.prod)
		}
	default:
		l.cancel(tree.ByUs(tree.ReasonSlow))
	}
}

// close ends the link after what was sent before.
func (l *link) close(e tree.End) {
	time.AfterFunc(closeTime, func() { l.cancel(e) }) // should the writer be stuck
	l.send(closing{e})
}

// read passes on what comes: the tree's messages to tell, the rest to take.
func (l *link) read(r *wire.Reader, take func(wire.Frame) error, tell func(tree.Event)) error {
	var bye tree.Reason // of a child
	for {
		f, err := r.Next()
		if err != nil {
			if bye != tree.ReasonNone && endOf(err).By == tree.Them {
				return tree.ByThem(bye)
			}
			return err
		}
		if l.proves != nil {
			if _, ok := f.(tree.Bye); !ok && !l.proves(f) { // as if it did not carry the channel: it may not
				tell(tree.Received{Link: l.num, Msg: tree.Bye{Reason: tree.ReasonChannel}})
				return tree.ByUs(tree.ReasonChannel)
			} else if !ok {
				l.proves = nil
				continue
			}
		}
		if l.beside.take(f) {
			if err := l.allow(); err != nil {
				return err
			}
			continue
		}
		m, ok := f.(tree.Message)
		if !ok {
			if err := take(f); err != nil {
				return err
			}
			continue
		}
		if err := l.allow(); err != nil {
			return err
		}
		if b, ok := m.(tree.Bye); ok && l.num.Inbound() {
			bye = b.Reason // it may close before the tree has looked at this
		}
		tell(tree.Received{Link: l.num, Msg: l.beside.complete(m)})
	}
}

// await leaves it to the link's other goroutine to end it.
func (l *link) await() {
	late := time.NewTimer(closeTime)
	defer late.Stop()
	select {
	case <-l.ctx.Done():
	case <-late.C:
	}
}

// allow counts a frame of the tree, and fails if there are too many.
func (l *link) allow() error {
	if !l.control.Allow() {
		return fmt.Errorf("more than %d frames a second: %w", controlRate, wire.ErrNotDue)
	}
	return nil
}

// say sends a frame, nil for none, and those that wait behind it. An error is the end
// of the link, which may be what the channel asked for.
func (l *link) say(f wire.Frame) error {
	b := l.buf[:0]
	for {
		switch f := f.(type) {
		case nil:
		case closing:
			_ = l.flush(b, closeTime) // the link ends either way
			return f.end
		case heldBeat:
			b = wire.Append(b, f.now())
		default:
			b = wire.Append(b, f)
		}
		select {
		case f = <-l.out:
			continue
		default:
		}
		l.buf = b
		if len(b) == 0 {
			return nil
		}
		return l.flush(b, stuckAfter)
	}
}

func (l *link) flush(b []byte, within time.Duration) error {
	if l.waits {
		if err := l.conn.SetWriteDeadline(time.Now().Add(within)); err != nil {
			return err
		}
	}
	_, err := l.conn.Write(b)
	return tooSlow(err)
}

// tooSlow tells of a write that was given up that the peer is too slow.
func tooSlow(err error) error {
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		return tree.ByUs(tree.ReasonSlow)
	}
	return err
}
