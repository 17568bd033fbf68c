//go:build linux

package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// branchChildren is how many children the measured node has.
	branchChildren = DefaultSlots
	// branchWindow is how long it is measured with each.
	branchWindow = 5 * time.Second
	// branchSettles is what it has before, to come up to date.
	branchSettles = time.Second
	// reportEvery is how often a child says that it lives, as nodes do.
	reportEvery = 500 * time.Millisecond
)

// BenchmarkChildren measures what children over TLS cost a node that relays, beside the bare loop
// with as many plain sockets. Both are processes of their own, so that their CPU time is not that of
// source and children.
func BenchmarkChildren(b *testing.B) {
	for _, mbits := range []int{3, 20} {
		b.Run(fmt.Sprintf("%dMbps", mbits), func(b *testing.B) {
			for b.Loop() {
				node := measureBranch(b, mbits*1e6, branchChildren, true)
				loop := measureBranch(b, mbits*1e6, branchChildren, false)
				b.ReportMetric(node.perGB(), "cpu-s/GB")
				b.ReportMetric(loop.perGB(), "loop-cpu-s/GB")
				b.ReportMetric(node.perGB()/loop.perGB(), "x-loop")
				b.ReportMetric(node.ofCore(), "%core")
				b.ReportMetric(loop.ofCore(), "loop-%core")
			}
			b.ReportMetric(0, "ns/op") // the window's length says nothing
		})
	}
}

// BenchmarkChildMemory measures what a child over TLS takes of a node's memory.
func BenchmarkChildMemory(b *testing.B) {
	const children = 200
	for b.Loop() {
		f := measureBranch(b, 3e6, children, true)
		b.ReportMetric(float64(f.memory)/1024/children, "KB/child")
	}
	b.ReportMetric(0, "ns/op")
}

// branchFigures is what a process has used.
type branchFigures struct {
	cpu    time.Duration
	took   time.Duration
	bytes  int64 // to children
	memory int64 // bytes that it has grown by with its children
}

func (f branchFigures) perGB() float64  { return f.cpu.Seconds() / (float64(f.bytes) / 1e9) }
func (f branchFigures) ofCore() float64 { return 100 * f.cpu.Seconds() / f.took.Seconds() }

// measureBranch streams to children of a node, or of the bare loop, for a while.
func measureBranch(b *testing.B, rate, children int, node bool) branchFigures {
	source, w := newSource(b, 1)
	what := measuredLoop
	if node {
		what = source.invite().String()
	}
	m := startMeasured(b, what)
	c := newBrood(b, source.ID(), m.addr)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	run := func(f func() error) {
		wg.Go(func() { // ends with ctx
			if err := f(); err != nil && ctx.Err() == nil {
				b.Error(err)
			}
		})
	}
	add := c.add
	if !node {
		feed := c.dial(b)
		run(func() error { return copyChunks(ctx, feed, source.Ring()) })
		add = c.addPlain
	}
	run(func() error { return newMedia(w, rate).run(ctx) })
	time.Sleep(branchSettles)
	alone := m.usage()
	for range children {
		add(b)
	}
	time.Sleep(branchSettles)
	before, start, read := m.usage(), time.Now(), c.read.Load()
	time.Sleep(branchWindow)
	f := branchFigures{took: time.Since(start), bytes: c.read.Load() - read}
	after := m.usage()
	f.cpu, f.memory = after.Before-before.After, after.RSS-alone.RSS
	if want := float64(rate) / 8 * f.took.Seconds() * float64(children); float64(f.bytes) < 0.9*want {
		b.Fatalf("%d of %.0f bytes came to the children", f.bytes, want)
	}
	return f
}

// copyChunks writes what a ring gets to conn.
func copyChunks(ctx context.Context, conn net.Conn, r *stream.Ring) error {
	for c := r.Cursor(); ; {
		it, err := c.Next(ctx)
		if err != nil {
			return err
		}
		if _, err := conn.Write(it.Chunk.Frame()); err != nil {
			return err
		}
	}
}

// brood is a number of children that read and drop what comes, encrypted as it is.
type brood struct {
	id   stream.ChannelID
	addr string
	read atomic.Int64 // bytes, of all

	players sync.WaitGroup
}

func newBrood(b testing.TB, id stream.ChannelID, addr string) *brood {
	c := &brood{id: id, addr: addr}
	b.Cleanup(c.players.Wait)
	return c
}

func (c *brood) dial(b testing.TB) net.Conn {
	b.Helper()
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return conn
}

// add starts a child that takes the stream from a node.
func (c *brood) add(b testing.TB) {
	b.Helper()
	ident, err := newIdentity(newKey(b))
	if err != nil {
		b.Fatal(err)
	}
	raw := c.dial(b)
	conn := tls.Client(raw, ident.tlsConfig(alpn))
	hello := wire.Append(nil, wire.Hello{Channel: c.id})
	if _, err := conn.Write(wire.Append(hello, tree.Pull{})); err != nil {
		b.Fatal(err)
	}
	c.drain(raw)
	c.players.Go(func() { // ends with the connection
		report := wire.Append(nil, tree.Report{Sent: 1})
		for range time.Tick(reportEvery) {
			if _, err := conn.Write(report); err != nil {
				return
			}
		}
	})
}

// addPlain starts one that takes it from the bare loop.
func (c *brood) addPlain(b testing.TB) { c.drain(c.dial(b)) }

func (c *brood) drain(conn net.Conn) {
	c.players.Go(func() { // ends with the connection
		buf := make([]byte, 4*stream.MaxChunk)
		for {
			n, err := conn.Read(buf)
			c.read.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
}
