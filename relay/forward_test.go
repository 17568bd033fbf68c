//go:build linux

package relay

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"testing"
	"time"

	"relay/relay/relaytest"
	"relay/relay/seal"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// forwarding is what a node does with a chunk, without the rest of the node: its parent's link takes
// it in, and children are swept. The test's goroutine does all of it.
type forwarding struct {
	*uplink
	channel  *Channel
	children []*downlink

	writer *stream.Writer // of the source
	ring   *stream.Ring   // likewise
	from   *stream.Cursor
	sums   *stream.Sums // the newest that went ahead of a chunk
}

func newForwarding(t testing.TB, children int) *forwarding {
	t.Helper()
	key, ring, now := newKey(t), stream.NewRing(stream.Limits{Bytes: 1 << 20}), time.Now()
	w := stream.NewWriter(ring, key, stream.NextEpoch(stream.Epoch{}, now, 1), now)
	if err := w.SetHeader([]byte("header")); err != nil {
		t.Fatal(err)
	}
	node, err := New(Config{Key: newKey(t), Ring: stream.Limits{Bytes: 1 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	c := node.newChannel(stream.IDOf(key), seal.Access{}, nil)
	c.ring.SetHeader(ring.Header())
	f := &forwarding{
		uplink: &uplink{intake: &c.intake, sweeper: &c.sweeper, delivered: func() {}}, channel: c,
		writer: w, ring: ring, from: ring.Cursor(),
	}
	f.feeding.Store(true)
	for range children {
		f.add(t)
	}
	return f
}

// add adds a child that waits in the sweeper. It returns the child's end.
func (f *forwarding) add(t testing.TB) (*downlink, *tls.Conn) {
	t.Helper()
	d, child := newSwept(t, f.channel)
	d.cursor = f.channel.ring.Cursor()
	d.guard.out.begin()
	d.waits, d.room = false, sweepMost
	f.sweeper.children = append(f.sweeper.children, d)
	f.children = append(f.children, d)
	return d, child
}

// newSwept makes a link of a child over a socket, and the child's end.
func newSwept(t testing.TB, c *Channel) (*downlink, *tls.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	theirs, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	mine, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mine.Close(); theirs.Close() })
	g := newGuardedConn(mine)
	child, parent := tls.Client(theirs, c.node.ident.tlsConfig(alpn)), tls.Server(g, c.node.ident.tlsConfig(alpn))
	shaken := make(chan error, 1)
	go func() { shaken <- parent.Handshake() }()
	if err := child.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	d := c.newDownlink(tree.Link(c.inbound.Add(2)), tree.ID{}, parent, false)
	d.sweepable(g)
	return d, child
}

// nowhere takes everything.
type nowhere struct{}

func (nowhere) Put(b []byte) (int, error) { return len(b), nil }

// deaf has the system take nothing of what is sent.
func (f *forwarding) deaf() {
	for _, d := range f.children {
		d.socket = nowhere{}
	}
}

// made returns the frames of the chunks that the source has made since, and of what goes ahead of them.
func (f *forwarding) made(t testing.TB) (frames [][]byte) {
	t.Helper()
	for {
		it, wait, err := f.from.Poll()
		if err != nil {
			t.Fatal(err)
		}
		if wait != nil {
			return frames
		}
		if s := it.Chunk.Sums(); s != nil && s != f.sums {
			f.sums = s
			frames = append(frames, s.Frame())
		}
		frames = append(frames, bytes.Clone(it.Chunk.Frame()))
	}
}

// forward does what a link's reader does when these chunks have come together.
func (f *forwarding) forward(t testing.TB, frames ...[]byte) {
	t.Helper()
	for _, b := range frames {
		chunk, err := wire.Parse(b)
		if err == nil {
			err = f.take(chunk)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f.passOn()
}

// BenchmarkForward is a node's work for a second of a stream of 20 Mb/s, beyond its system calls:
// with no child, what verifying takes, and with eight, their encryption besides.
func BenchmarkForward(b *testing.B) {
	for _, children := range []int{0, branchChildren} {
		b.Run(fmt.Sprintf("%dchildren", children), func(b *testing.B) {
			f := newForwarding(b, children)
			f.deaf()
			m := newMedia(f.writer, 20e6)
			var took time.Duration
			chunks := 0
			for b.Loop() {
				var tags [][][]byte
				for from := m.frames; m.frames < from+int(time.Second/mediaFrame); {
					if _, err := m.next(); err != nil {
						b.Fatal(err)
					}
					if err := f.writer.Flush(); err != nil {
						b.Fatal(err)
					}
					tags = append(tags, f.made(b))
				}
				before := ownCPU(b)
				for _, framesOfTag := range tags {
					f.forward(b, framesOfTag...)
					for _, b := range framesOfTag {
						if typ, _ := stream.Prelude(b); typ == stream.FrameChunk {
							chunks++
						}
					}
				}
				took += ownCPU(b) - before
			}
			b.ReportMetric(0, "ns/op") // the source's work is part of it
			b.ReportMetric(100*took.Seconds()/float64(b.N), "%core")
			b.ReportMetric(took.Seconds()*1e6/float64(chunks), "µs/chunk")
		})
	}
}

// A chunk that is passed on allocates nothing for a child.
func TestForwardAllocatesNothingForAChild(t *testing.T) {
	if relaytest.Raced {
		t.Skip("the race detector has pools forget")
	}
	const (
		runs  = 100
		bound = 4 // a chunk: the chunk itself, what is signed, the channel that wakes readers; the ring grows now and then
	)
	perChunk := func(children int) float64 {
		f := newForwarding(t, children)
		f.deaf()
		for range runs + 2 {
			if err := f.writer.WriteTag(make([]byte, 3000), stream.StartHere|stream.EndsChunk); err != nil {
				t.Fatal(err)
			}
		}
		frames := f.made(t)
		f.forward(t, frames[0]) // the header goes with the first
		frames = frames[1:]
		n := testing.AllocsPerRun(runs, func() {
			f.forward(t, frames[0])
			frames = frames[1:]
		})
		for _, d := range f.children {
			if got := d.sent.Load(); got != (runs+2)*3000 || d.load().Backlog != 0 {
				t.Fatalf("a child was sent %d bytes", got)
			}
		}
		return n
	}
	few, many := perChunk(1), perChunk(branchChildren)
	if few != many || few > bound {
		t.Errorf("%v allocations a chunk for a child, %v for %d; want the same, %d at most", few, many, branchChildren, bound)
	}
}
