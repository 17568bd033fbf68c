package relay

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"relay/relay/stream"
	"relay/tree"
)

// patience bounds every wait: far more than a busy machine needs.
const patience = 2 * time.Minute

// eventually waits for ok, which it calls again and again.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// lines are a node's listener and all of its connections, so that a test can cut
// them at once, as a crash does.
type lines struct {
	net.Listener

	mu    sync.Mutex
	conns []net.Conn
	ended bool
}

func (l *lines) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return l.keep(conn, err)
}

func (l *lines) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	return l.keep(conn, err)
}

func (l *lines) keep(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		conn.Close()
		return nil, net.ErrClosed
	}
	l.conns = append(l.conns, conn)
	return conn, nil
}

// station is a running node on loopback that carries one channel.
type station struct {
	*Channel
	lines    *lines
	addr     netip.AddrPort
	orphaned chan tree.Reason // why it lost its parents
	end      context.CancelFunc
	ended    func() error // waits
}

// stop ends the station and waits for it.
func (s *station) stop() error {
	s.end()
	return s.ended()
}

func newKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newStation starts a node. open opens its channel.
func newStation(t testing.TB, slots int, open func(*Node, *station) (*Channel, error)) *station {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &station{
		lines:    &lines{Listener: ln},
		addr:     ln.Addr().(*net.TCPAddr).AddrPort(),
		orphaned: make(chan tree.Reason, 100),
	}
	node, err := New(Config{
		Key:      newKey(t),
		Listener: s.lines,
		Addrs:    []netip.AddrPort{s.addr},
		Slots:    slots,
		Dial:     s.lines.dial,
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Channel, err = open(node, s); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.end = cancel
	var wg sync.WaitGroup
	var errs [2]error
	wg.Go(func() { errs[0] = node.Run(ctx) })
	wg.Go(func() { errs[1] = s.Run(ctx) })
	s.ended = sync.OnceValue(func() error {
		wg.Wait()
		return errors.Join(errs[:]...)
	})
	t.Cleanup(func() {
		if err := s.stop(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("a node ended with: %v", err)
		}
	})
	return s
}

// newSource starts the source of a new channel.
func newSource(t testing.TB, slots int) (*station, *stream.Writer) {
	t.Helper()
	var w *stream.Writer
	s := newStation(t, slots, func(n *Node, _ *station) (c *Channel, err error) {
		c, w, err = n.Source(newKey(t), stream.NextEpoch(stream.Epoch{}, time.Now(), 1))
		return c, err
	})
	if err := w.SetHeader([]byte("header")); err != nil {
		t.Fatal(err)
	}
	return s, w
}

// newViewer starts a node that asks the one at seed first.
func newViewer(t testing.TB, slots int, id stream.ChannelID, seed netip.AddrPort) *station {
	t.Helper()
	return newStation(t, slots, func(n *Node, s *station) (*Channel, error) {
		inv := Invite{Channel: id, Hosts: []HostPort{{seed.Addr().String(), seed.Port()}}}
		return n.Watch(inv, func(m Notice) {
			lost, ok := m.(Orphaned)
			if !ok {
				return
			}
			select {
			case s.orphaned <- lost.End.Reason:
			default:
			}
		})
	})
}

// invite leads to the station alone.
func (s *station) invite() Invite {
	return Invite{Channel: s.ID(), Hosts: []HostPort{{s.addr.Addr().String(), s.addr.Port()}}}
}

// info is the station's place in the tree.
func (s *station) info(t testing.TB) tree.Info {
	t.Helper()
	st, ok := s.Status()
	if !ok {
		t.Fatal("the channel has ended")
	}
	return st.Tree
}

// BenchmarkChain measures what a hop costs in time: a source and ten nodes in a
// line, TLS over loopback between them, and a stream of 30 frames/s. A chunk counts
// as arrived when a cursor on the node's ring has it.
func BenchmarkChain(b *testing.B) {
	for _, mbits := range []int{3, 20} {
		b.Run(fmt.Sprintf("%dMbps", mbits), func(b *testing.B) { benchmarkChain(b, mbits*1e6) })
	}
}

func benchmarkChain(b *testing.B, rate int) {
	const (
		hops  = 10
		tags  = 150 // 5 s
		fps   = 30
		every = time.Second / fps
		gop   = 60
	)
	size := rate / 8 / fps
	chunks := tags * ((size + stream.MaxPayload - 1) / stream.MaxPayload)
	source, w := newSource(b, 1)
	line := []*station{source}
	for i := range hops {
		s := newViewer(b, 1, source.ID(), line[i].addr)
		eventually(b, fmt.Sprintf("depth %d", i+1), func() bool {
			in := s.info(b)
			return in.Attached && in.Depth == i+1
		})
		line = append(line, s)
	}
	cursors := make([]*stream.Cursor, len(line))
	for i, s := range line {
		cursors[i] = s.Ring().Cursor()
	}

	tag := make([]byte, size)
	var perHop, whole []time.Duration
	for b.Loop() {
		ctx, cancel := context.WithTimeout(b.Context(), patience)
		var wg sync.WaitGroup
		times := make([][]time.Time, len(line))
		errs := make([]error, len(line))
		for i, c := range cursors {
			wg.Go(func() { // ends with the last chunk, or with ctx
				for j := range chunks {
					it, err := c.Next(ctx)
					if err == nil && it.Missed > 0 {
						err = fmt.Errorf("%d chunks missed", it.Missed)
					}
					if err != nil {
						errs[i] = fmt.Errorf("depth %d, chunk %d: %w", i, j, err)
						return
					}
					times[i] = append(times[i], time.Now())
				}
			})
		}
		tick := time.NewTicker(every)
		for i := range tags {
			f := stream.EndsChunk
			if i%gop == 0 {
				f |= stream.StartHere
			}
			if err := w.WriteTag(tag, f); err != nil {
				b.Fatal(err)
			}
			<-tick.C
		}
		tick.Stop()
		wg.Wait()
		cancel()
		if err := errors.Join(errs...); err != nil {
			b.Fatal(err)
		}
		for j := range chunks {
			for i := range hops {
				perHop = append(perHop, times[i+1][j].Sub(times[i][j]))
			}
			whole = append(whole, times[hops][j].Sub(times[0][j]))
		}
	}
	for i, s := range line[1:] {
		if in := s.info(b); in.Depth != i+1 {
			b.Fatalf("node %d ended at depth %d", i+1, in.Depth)
		}
	}
	b.ReportMetric(0, "ns/op") // it is the stream's own length
	b.ReportMetric(percentile(perHop, 50), "p50-ms/hop")
	b.ReportMetric(percentile(perHop, 99), "p99-ms/hop")
	b.ReportMetric(percentile(whole, 50), "p50-ms/chain")
	b.ReportMetric(percentile(whole, 99), "p99-ms/chain")
}

// percentile is in milliseconds. It sorts ds.
func percentile(ds []time.Duration, p int) float64 {
	slices.Sort(ds)
	return float64(ds[(len(ds)-1)*p/100]) / float64(time.Millisecond)
}
