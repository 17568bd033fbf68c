//go:build linux

package relay

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"testing"
	"time"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// sweeping is a source whose children are swept, as they are when a channel runs.
type sweeping struct {
	*Channel
	writer *stream.Writer
	number int
}

func newSweeping(t *testing.T) *sweeping {
	t.Helper()
	node, err := New(Config{Key: newKey(t)})
	if err != nil {
		t.Fatal(err)
	}
	s := &sweeping{}
	s.Channel, s.writer, err = node.Source(newKey(t), stream.NextEpoch(stream.Epoch{}, time.Now(), 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.writer.SetHeader([]byte("header")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { // ends with ctx
		defer close(done)
		s.sweeper.run(ctx, true)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return s
}

// sweptChild is a child of it, whose end the test reads.
type sweptChild struct {
	*downlink
	conn   *tls.Conn
	reader *wire.Reader
	ended  chan error
	seq    uint64 // of the newest chunk read
}

func (s *sweeping) child(t *testing.T) *sweptChild {
	t.Helper()
	d, conn := newSwept(t, s.Channel)
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	c := &sweptChild{downlink: d, conn: conn, reader: wire.NewReader(conn, wire.Parent), ended: make(chan error, 1)}
	context.AfterFunc(d.ctx, func() { d.conn.NetConn().Close() })
	d.serve(s.ring.Ahead())
	go func() { c.ended <- d.write() }() // ends with the link
	t.Cleanup(func() { d.cancel(tree.ByUs(tree.ReasonClosed)) })
	s.waits(t, d, true)
	return c
}

// waits checks that a child is in the sweeper, or not.
func (s *sweeping) waits(t *testing.T, d *downlink, want bool) {
	t.Helper()
	eventually(t, "the child is in the sweeper, or has left it", func() bool {
		s.sweeper.turn.Lock()
		defer s.sweeper.turn.Unlock()
		for _, c := range s.sweeper.children {
			if c == d {
				return want
			}
		}
		return !want
	})
}

func (s *sweeping) tag(t *testing.T, size int) {
	t.Helper()
	s.number++
	if err := s.writer.WriteTag(bytes.Repeat([]byte{byte(s.number)}, size), stream.StartHere|stream.EndsChunk); err != nil {
		t.Fatal(err)
	}
}

// catchUp reads to the newest chunk and checks that none is missing or altered.
func (c *sweptChild) catchUp(t *testing.T, s *sweeping) (others []wire.Frame) {
	t.Helper()
	for head := s.ring.Head().Seq; c.seq < head; {
		f, err := c.reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		chunk, ok := f.(*stream.Chunk)
		if !ok {
			others = append(others, f)
			continue
		}
		if c.seq++; chunk.Seq() != c.seq {
			t.Fatalf("chunk %d came, want %d", chunk.Seq(), c.seq)
		}
		if err := chunk.Verify(s.id); err != nil {
			t.Fatal(err)
		}
	}
	return others
}

func TestAChildThatTakesNothingLeavesTheSweeper(t *testing.T) {
	s := newSweeping(t)
	stuck, good := s.child(t), s.child(t)
	for range 300 {
		s.tag(t, 3*stream.MaxPayload)
		good.catchUp(t, s) // it waits for nobody
	}
	s.waits(t, good.downlink, true)
	s.waits(t, stuck.downlink, false)
	if n := stuck.guard.out.waits.Load(); n == 0 || n > sweepMost+stream.MaxChunk {
		t.Errorf("%d bytes wait in its outbox", n)
	}
	if l := stuck.load(); l.Caught && l.Backlog == 0 {
		t.Errorf("its load is %+v", l)
	}
	if st := stuck.status(s.ring.Stats().Received); st.Owed == 0 || st.Unacked < int(stuck.guard.out.waits.Load()) {
		t.Errorf("its status is %+v", st)
	}

	// It reads on, finds all it is owed, and comes back.
	stuck.catchUp(t, s)
	s.waits(t, stuck.downlink, true)
	s.tag(t, 100)
	stuck.catchUp(t, s)
	eventually(t, "it is owed nothing", func() bool { return stuck.load().Backlog == 0 })
}

func TestASweptChildIsToldWhatIsQueuedAndThenThatItIsOver(t *testing.T) {
	s := newSweeping(t)
	c := s.child(t)
	s.tag(t, 100)
	c.catchUp(t, s)
	c.send(tree.Heartbeat{})
	if f, err := c.reader.Next(); err != nil {
		t.Fatal(err)
	} else if _, ok := f.(tree.Heartbeat); !ok {
		t.Fatalf("%T came", f)
	}
	c.send(tree.Bye{Reason: tree.ReasonFull})
	c.close(tree.ByUs(tree.ReasonFull))
	if f, err := c.reader.Next(); err != nil {
		t.Fatal(err)
	} else if _, ok := f.(tree.Bye); !ok {
		t.Fatalf("%T came", f)
	}
	if err := <-c.ended; !errors.Is(err, tree.ByUs(tree.ReasonFull)) {
		t.Errorf("it ended with: %v", err)
	}
	s.waits(t, c.downlink, false)
}

func TestALinkThatEndsLeavesTheSweeper(t *testing.T) {
	s := newSweeping(t)
	cut, hung := s.child(t), s.child(t)
	cut.cancel(tree.ByUs(tree.ReasonMoved))
	if err := <-cut.ended; !errors.Is(err, tree.ByUs(tree.ReasonMoved)) {
		t.Errorf("it ended with: %v", err)
	}
	hung.conn.NetConn().(*net.TCPConn).SetLinger(0)
	hung.conn.NetConn().Close()
	for {
		select {
		case err := <-hung.ended:
			if endOf(err) != tree.ByThem(tree.ReasonClosed) {
				t.Errorf("a reset connection ended with: %v", err)
			}
			return
		default:
			s.tag(t, 100)
		}
	}
}

// What TLS says by itself, from a link's reader, is neither lost nor overtaken while the child waits in
// the sweeper, nor does it make anybody wait.
func TestWhatTLSAnswersByItselfKeepsItsOrder(t *testing.T) {
	s := newSweeping(t)
	c := s.child(t)
	s.tag(t, 100)
	c.catchUp(t, s)
	go func() { _, _ = c.downlink.conn.Read(make([]byte, 1)) }() // as the link's reader; ends with the error
	if _, err := c.conn.NetConn().Write([]byte{23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the answer waits", func() bool { return c.guard.out.len() > 0 })
	s.tag(t, 100)
	for {
		_, err := c.reader.Next()
		if err == nil {
			continue
		}
		if e, ok := errors.AsType[*net.OpError](err); !ok || e.Op != "remote error" {
			t.Fatalf("%v, want what TLS says of a record that it cannot read", err)
		}
		return
	}
}

// TestAHeartbeatGoesWithTheNextChunk has the clock of one that has waited go on meanwhile.
func TestAHeartbeatGoesWithTheNextChunk(t *testing.T) {
	s := newSweeping(t)
	c := s.child(t)
	s.tag(t, 100)
	c.catchUp(t, s)
	eventually(t, "it is known to have got a chunk", func() bool { return c.fed.Load() > 0 })
	c.fed.Store(int64(c.now() + time.Hour)) // just now, however slow the machine is
	c.beat(tree.Heartbeat{Clock: 1e6, Echo: 7, Held: 50})
	began := time.Now()
	if n := len(c.out); n != 1 {
		t.Fatalf("%d frames wait", n)
	}
	time.Sleep(time.Millisecond) // the clock that it tells goes on
	s.tag(t, 100)
	f, err := c.reader.Next()
	if err != nil {
		t.Fatal(err)
	}
	hb, ok := f.(tree.Heartbeat)
	if late := uint64(time.Since(began).Microseconds()); !ok || hb.Clock < 1e6+1000 || hb.Clock > 1e6+late || hb.Held-50 != hb.Clock-1e6 || hb.Echo != 7 {
		t.Errorf("%T %+v came, %d µs later", f, hb, late)
	}
	c.catchUp(t, s)

	// When the media pause, nothing takes it along.
	eventually(t, "the chunk counts as written", func() bool { return c.fed.Load() <= int64(c.now()) })
	c.fed.Store(int64(c.now() - flowing))
	c.beat(tree.Heartbeat{})
	if f, err := c.reader.Next(); err != nil {
		t.Fatal(err)
	} else if hb, ok := f.(tree.Heartbeat); !ok || hb.Clock != 0 || hb.Held != 0 {
		t.Errorf("%T %+v came, which says nothing of a clock", f, f)
	}
}
