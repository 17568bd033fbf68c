package playback

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"relay/relay/socket"
	"relay/relay/stream"
)

// sweptViewer is a viewer on a TCP connection, as sweepers have them.
type sweptViewer struct {
	*viewer
	conn net.Conn
	why  chan reason
}

// tcpPair returns the two ends of a connection, which end with the test.
func tcpPair(t *testing.T) (ours, theirs *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	out, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	in, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close(); in.Close() })
	return in.(*net.TCPConn), out.(*net.TCPConn)
}

func startSwept(t *testing.T, ctx context.Context, c *Channel, start Start, form Form) *sweptViewer {
	t.Helper()
	ours, theirs := tcpPair(t)
	v := &sweptViewer{viewer: &viewer{start: start, form: form}, conn: theirs, why: make(chan reason, 1)}
	// Little room, so that much of what is swept does not fit.
	ours.SetWriteBuffer(32 << 10)
	theirs.SetReadBuffer(32 << 10)
	go func() {
		defer ours.Close()
		v.why <- v.play(ctx, ours, c, []byte(testHead))
	}()
	return v
}

func TestSweptViewersGetEveryByteOnce(t *testing.T) {
	s := newSource(t, stream.Limits{})
	ts := s.group(0)
	s.flush()
	s.channel()
	var viewers []*sweptViewer
	for range 12 {
		viewers = append(viewers, startSwept(t, t.Context(), s.channel(), GOP, flvForm))
	}
	for _, v := range viewers { // all have begun before anything else comes
		head := make([]byte, len(testHead))
		if _, err := io.ReadFull(v.conn, head); err != nil {
			t.Fatal(err)
		}
	}
	first := s.sinceKey(0)
	got := make([][]byte, len(viewers))
	for i, v := range viewers {
		got[i] = make([]byte, len(first))
		if _, err := io.ReadFull(v.conn, got[i]); err != nil {
			t.Fatal(err)
		}
	}
	var readers sync.WaitGroup
	for i, v := range viewers {
		readers.Go(func() {
			b := make([]byte, 100+i*3000) // from little at a time to more than a sweep brings
			for {
				n, err := v.conn.Read(b)
				got[i] = append(got[i], b[:n]...)
				if err != nil {
					return
				}
			}
		})
	}
	for range 30 {
		ts = s.group(ts)
		s.frame(ts, 3*stream.MaxPayload)
		ts += 33
	}
	s.flush()
	s.ring.Close()
	readers.Wait()
	want := s.sinceKey(0)
	for i, v := range viewers {
		if !bytes.Equal(got[i], want) {
			t.Errorf("viewer %d got %d bytes that are not the %d that were sent", i, len(got[i]), len(want))
		}
		if why := <-v.why; why != channelEnded {
			t.Errorf("viewer %d ended because %s", i, why)
		}
		if n := int(v.bytes.Load()); n != len(testHead)+len(want) {
			t.Errorf("viewer %d: %d bytes are counted, want %d", i, n, len(testHead)+len(want))
		}
		if missed, moves := v.missed.Load(), v.moves.Load(); missed != 0 || moves != 0 {
			t.Errorf("viewer %d: %d missed, %d moves", i, missed, moves)
		}
	}
}

// waitsIn returns once that many viewers wait in the sweepers of a channel.
func waitsIn(t *testing.T, c *Channel, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		have := 0
		c.screenings.mu.Lock()
		for _, s := range c.screenings.of {
			for _, w := range s.sweepers {
				have += int(w.waiting.Load())
			}
		}
		c.screenings.mu.Unlock()
		if have == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d viewers wait, want %d", have, n)
		}
	}
}

func TestWhoLeavesASweeperIsNoticed(t *testing.T) {
	for name, leave := range map[string]func(v *sweptViewer, s *source, cancel func()) reason{
		"with nothing to send": func(v *sweptViewer, _ *source, _ func()) reason {
			v.conn.Close()
			return viewerLeft
		},
		"while something is sent": func(v *sweptViewer, s *source, _ func()) reason {
			v.conn.(*net.TCPConn).SetLinger(0) // a reset: the next write fails
			v.conn.Close()
			s.group(1000)
			s.flush()
			return viewerLeft
		},
		"with the node": func(_ *sweptViewer, _ *source, cancel func()) reason {
			cancel()
			return nodeClosing
		},
		"with the channel": func(_ *sweptViewer, s *source, _ func()) reason {
			s.ring.Close()
			return channelEnded
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource(t, stream.Limits{})
			s.group(0)
			s.flush()
			ctx, cancel := context.WithCancel(t.Context())
			v, other := startSwept(t, ctx, s.channel(), Squash, flvForm), startSwept(t, t.Context(), s.channel(), Squash, flvForm)
			go io.Copy(io.Discard, v.conn)
			go io.Copy(io.Discard, other.conn)
			waitsIn(t, s.channel(), 2)
			want := leave(v, s, cancel)
			if why := <-v.why; why != want {
				t.Errorf("ended because %q, want %q", why, want)
			}
			cancel()
			if want != channelEnded {
				waitsIn(t, s.channel(), 1)
				s.ring.Close()
			}
			<-other.why
			if n := len(s.channel().screenings.of); n != 0 {
				t.Errorf("%d screenings are left without a viewer", n)
			}
		})
	}
}

// What was written just before a pause is in the status all the same.
func TestTheStatusOfAViewerFollowsIntoAPause(t *testing.T) {
	s := newSource(t, stream.Limits{})
	ts := s.group(0)
	s.flush()
	v := startSwept(t, t.Context(), s.channel(), GOP, flvForm)
	go io.Copy(io.Discard, v.conn) // ends with the connection
	waitsIn(t, s.channel(), 1)
	for range 3 { // the second and third within tellEvery of the first, as a rule
		s.frame(ts, 400)
		s.flush()
		ts += 33
		want := uint64(len(testHead) + len(s.sinceKey(0)))
		for end := time.Now().Add(patience); v.bytes.Load() != want; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d bytes are counted, want %d", v.bytes.Load(), want)
			}
		}
	}
	v.conn.Close()
	<-v.why
}

// A sweep writes to nobody who has to wait, so one who takes nothing delays nobody.
func TestWhoTakesNothingLeavesTheSweeper(t *testing.T) {
	s := newSource(t, stream.Limits{})
	ts := s.group(0)
	s.flush()
	stuck, good := startSwept(t, t.Context(), s.channel(), GOP, flvForm), startSwept(t, t.Context(), s.channel(), GOP, flvForm)
	first := len(testHead) + len(s.sinceKey(0))
	for _, v := range []*sweptViewer{stuck, good} {
		if _, err := io.CopyN(io.Discard, v.conn, int64(first)); err != nil {
			t.Fatal(err)
		}
	}
	waitsIn(t, s.channel(), 2)
	for range 20 {
		from := len(s.tags)
		ts = s.group(ts)
		s.frame(ts, 3*stream.MaxPayload)
		ts += 33
		s.flush()
		want := slices.Concat(asBytes(s.tags[from:])...)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(good.conn, got); err != nil || !bytes.Equal(got, want) {
			t.Fatal("the viewer who reads did not get what was sent")
		}
	}
	waitsIn(t, s.channel(), 1)
	s.ring.Close()
	good.conn.Close()
	stuck.conn.Close()
	<-good.why
	<-stuck.why
}

// What a chunk costs in allocations does not grow with the number of viewers.
func TestSweepAllocatesNothingForAViewer(t *testing.T) {
	const (
		runs  = 100
		bound = 12 // a chunk: lists of the feed and of the piece, the channel that wakes readers
	)
	perChunk := func(viewers int) float64 {
		s := newSource(t, stream.Limits{})
		ts := s.group(0)
		s.flush()
		begun := len(s.chunks())
		for range runs + 1 {
			s.frame(ts, 400)
			ts += 33
		}
		items, ring := s.chunks(), stream.NewRing(stream.Limits{})
		pass(t, ring, items[:begun])
		items = items[begun:]
		r := newReel(ring, flvForm, true)
		w := &sweeper{reel: r} // swept below, in this goroutine
		for range viewers {
			ours, theirs := tcpPair(t)
			v := &viewer{start: GOP, form: flvForm, place: newPlace(r, GOP)}
			see(t, v.place)
			in := &swept{viewer: v, socket: socket.Of(ours), back: make(chan handback, 1)}
			in.socket.Hold(func(f socket.File) error { in.file = f; return nil }) // nobody closes it before the test ends
			w.coming = append(w.coming, in)
			go io.Copy(io.Discard, theirs) // ends with the connection
		}
		w.admit()
		n := testing.AllocsPerRun(runs, func() {
			pass(t, ring, items[:1])
			items = items[1:]
			if w.ready() != nil {
				t.Fatal("there is nothing to sweep")
			}
			w.sweep()
		})
		if len(w.seats) != viewers {
			t.Fatalf("%d of %d viewers are left in the sweeper", len(w.seats), viewers)
		}
		return n
	}
	few, many := perChunk(2), perChunk(42)
	if few != many || few > bound {
		t.Errorf("%v allocations a chunk for 2 viewers, %v for 42; want the same, %d at most", few, many, bound)
	}
}

// A viewer who has waited by itself for the stream to begin, and was looked after meanwhile, is no
// other than one who has not.
func TestWhoWasLookedAfterHasNotLeft(t *testing.T) {
	ours, theirs := tcpPair(t)
	if gone(ours) {
		t.Fatal("it has left, says its own goroutine")
	}
	if socket.Of(ours).Closed() {
		t.Error("it has left, says a sweeper")
	}
	if gone(ours) {
		t.Error("it has left, says its own goroutine after a sweeper")
	}
	theirs.Close()
	for end := time.Now().Add(patience); !gone(ours); { // its deadline may pass on a busy machine
		if time.Now().After(end) {
			t.Fatal("it has left, and its own goroutine does not notice")
		}
	}
	if !socket.Of(ours).Closed() {
		t.Error("it has left, and a sweeper does not notice")
	}
}

func TestBatchingGrowsWithWhatASweepTakes(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		took, batch, want time.Duration
	}{
		{0, 0, 0},
		{ms / 2, 0, 0},     // 50 viewers
		{5 * ms / 2, 0, 0}, // 200
		{4 * ms, 0, 2 * ms},
		{8 * ms, 0, 6 * ms},         // 1,000
		{time.Second, 0, maxGather}, // it was interrupted
		{0, 100 * ms, 100 * ms},
		{20 * ms, 100 * ms, 60 * ms}, // so that nobody gets it later than promised
		{200 * ms, 100 * ms, maxGather},
	} {
		if got := gatherTime(c.took, c.batch); got != c.want {
			t.Errorf("a sweep of %v, --batch %v: %v, want %v", c.took, c.batch, got, c.want)
		}
	}
}
