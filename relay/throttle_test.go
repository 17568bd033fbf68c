//go:build linux && netns

package relay

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"relay/relay/stream"
)

// The benchmarks in this file make network namespaces and so need root: `make throttle`
// runs them.

const (
	throttledTag = 12_500 // bytes; 30 a second are 3 Mb/s
	throttledGOP = 60
	throttledFPS = 30
	// routerQueue is what the router in front of a host holds.
	routerQueue = "latency 100ms"
)

// cables are hosts in namespaces of their own that a switch connects.
type cables struct {
	b     *testing.B
	hosts []string // namespaces
}

func newCables(b *testing.B, hosts int) *cables {
	c := &cables{b: b}
	hub := fmt.Sprintf("relay-%d-hub", os.Getpid())
	c.space(hub)
	c.command("ip -n " + hub + " link add name hub0 type bridge")
	c.command("ip -n " + hub + " link set hub0 up")
	for i := range hosts {
		ns := fmt.Sprintf("relay-%d-%d", os.Getpid(), i)
		c.space(ns)
		c.hosts = append(c.hosts, ns)
		c.command(fmt.Sprintf("ip link add name wan netns %s type veth peer name p%d netns %s", ns, i, hub))
		c.command(fmt.Sprintf("ip -n %s link set p%d master hub0 up", hub, i))
		c.command(fmt.Sprintf("ip -n %s addr add %v/24 dev wan", ns, c.addr(i)))
		c.command("ip -n " + ns + " link set wan up")
		c.command("ip -n " + ns + " link set lo up")
		c.command(fmt.Sprintf("tc -n %s qdisc add dev wan root tbf rate 20mbit burst 16kb %s", ns, routerQueue))
	}
	return c
}

func (c *cables) addr(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 77, 0, byte(i + 1)}) }

// upload sets what a host may send.
func (c *cables) upload(i int, rate string) {
	c.b.Helper()
	c.command(fmt.Sprintf("tc -n %s qdisc change dev wan root tbf rate %s burst 16kb %s", c.hosts[i], rate, routerQueue))
}

func (c *cables) space(ns string) {
	c.b.Helper()
	c.command("ip netns add " + ns)
	c.b.Cleanup(func() { c.command("ip netns del " + ns) })
}

func (c *cables) command(line string) {
	c.b.Helper()
	args := strings.Fields(line)
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		c.b.Fatalf("%s: %v: %s", line, err, out)
	}
}

// in runs f at a host. A socket stays where it was made.
func (c *cables) in(i int, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		h, err := os.Open("/run/netns/" + c.hosts[i])
		if err != nil {
			done <- err
			return
		}
		defer h.Close()
		if err := unix.Setns(int(h.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("enter namespace %s: %w", c.hosts[i], err)
			return
		}
		done <- f()
	}()
	return <-done
}

// run starts a node at a host. To it, all others are far.
func (c *cables) run(i int, open func(*Node) (*Channel, error)) *Channel {
	c.b.Helper()
	at := netip.AddrPortFrom(c.addr(i), DefaultPort)
	cfg := Config{
		Key:   newKey(c.b),
		Addrs: []netip.AddrPort{at},
		Near:  func(netip.Addr) bool { return false },
		Dial: func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
			err = c.in(i, func() error {
				conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
				return err
			})
			return conn, err
		},
	}
	if err := c.in(i, func() (err error) {
		cfg.Listener, err = net.Listen("tcp", at.String())
		return err
	}); err != nil {
		c.b.Fatal(err)
	}
	n, err := New(cfg)
	if err != nil {
		c.b.Fatal(err)
	}
	ch, err := open(n)
	if err != nil {
		c.b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- n.Run(ctx) }() // both end with ctx, which the cleanup cancels
	go func() { ended <- ch.Run(ctx) }()
	c.b.Cleanup(func() {
		cancel()
		<-ended
		<-ended
	})
	return ch
}

// broadcast starts a source at host 0 that sends 3 Mb/s until the benchmark ends.
func (c *cables) broadcast() (*Channel, *stream.Writer) {
	c.b.Helper()
	var w *stream.Writer
	source := c.run(0, func(n *Node) (ch *Channel, err error) {
		ch, w, err = n.Source(newKey(c.b), stream.NextEpoch(stream.Epoch{}, time.Now(), 1))
		return ch, err
	})
	if err := w.SetHeader([]byte("header")); err != nil {
		c.b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	written := make(chan error, 1)
	go func() { // ends with ctx
		tag := make([]byte, throttledTag)
		tick := time.NewTicker(time.Second / throttledFPS)
		defer tick.Stop()
		for i := 0; ; i++ {
			f := stream.EndsChunk
			if i%throttledGOP == 0 {
				f |= stream.StartHere
			}
			if err := w.WriteTag(tag, f); err != nil {
				written <- err
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				written <- nil
				return
			}
		}
	}()
	c.b.Cleanup(func() {
		stop()
		if err := <-written; err != nil {
			c.b.Error(err)
		}
	})
	return source, w
}

// watch starts a viewer at host i that asks the source first.
func (c *cables) watch(i int, source *Channel) *Channel {
	c.b.Helper()
	return c.run(i, func(n *Node) (*Channel, error) {
		return n.Watch(Invite{Channel: source.ID(), Hosts: []HostPort{{c.addr(0).String(), DefaultPort}}}, nil)
	})
}

// BenchmarkThrottledLink measures, on a link that suddenly carries 0.7 of a stream
// of 3 Mb/s, when the child's lag shows and how late the root's beats come, which
// are as urgent as heartbeats.
func BenchmarkThrottledLink(b *testing.B) {
	c := newCables(b, 2)
	source, w := c.broadcast()
	viewer := c.watch(1, source)

	// watch looks at both ends for d.
	watch := func(d time.Duration) (half, whole time.Duration, beats []time.Duration, owed time.Duration) {
		begun := time.Now()
		seen := viewer.intake.beat.Load()
		for time.Since(begun) < d {
			if x := viewer.intake.beat.Load(); x != seen {
				seen = x
				beats = append(beats, time.Since(w.Start())-time.Duration(x.Ms())*time.Millisecond)
			}
			st, _ := viewer.Status()
			if half == 0 && st.Lag > 500*time.Millisecond {
				half = time.Since(begun)
			}
			if whole == 0 && st.Lag > time.Second {
				whole = time.Since(begun)
			}
			st, _ = source.Status()
			for _, l := range st.Links {
				owed = max(owed, l.Behind.Span)
			}
			time.Sleep(5 * time.Millisecond)
		}
		return half, whole, beats, owed
	}
	for b.Loop() {
		c.upload(0, "20mbit")
		_, _, calm, _ := watch(8 * time.Second)
		c.upload(0, "2100kbit")
		half, whole, beats, owed := watch(8 * time.Second)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(half.Seconds(), "s-to-lag-0.5")
		b.ReportMetric(whole.Seconds(), "s-to-lag-1")
		b.ReportMetric(percentile(calm, 100), "max-ms-beat-calm")
		b.ReportMetric(percentile(beats, 50), "p50-ms-beat")
		b.ReportMetric(percentile(beats, 100), "max-ms-beat")
		b.ReportMetric(owed.Seconds(), "s-owed-seen")
	}
}

// BenchmarkSharedUpload has six viewers come to a source whose upload carries 2.3
// of its streams, and measures how many children it has in the end, how often the
// viewers changed parents for that, and what they missed.
func BenchmarkSharedUpload(b *testing.B) {
	const (
		viewers = 6
		settled = 40 * time.Second
	)
	for b.Loop() {
		c := newCables(b, viewers+1)
		c.upload(0, "7mbit")
		source, _ := c.broadcast()
		var all []*Channel
		for i := range viewers {
			all = append(all, c.watch(i+1, source))
			time.Sleep(500 * time.Millisecond)
		}
		parents := make([]string, viewers)
		moves, over := 0, time.Duration(0)
		const look = 20 * time.Millisecond
		for range settled / look {
			for i, v := range all {
				st, _ := v.Status()
				if p := st.Tree.Parent.ID.Short(); st.Tree.Attached && p != parents[i] {
					if parents[i] != "" {
						moves++
					}
					parents[i] = p
				}
			}
			if st, _ := source.Status(); len(st.Tree.Children) > 2 {
				over += look
			}
			time.Sleep(look)
		}
		st, _ := source.Status()
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(len(st.Tree.Children)), "children")
		b.ReportMetric(over.Seconds(), "s-over")
		b.ReportMetric(float64(moves), "moves")
		var lost uint64
		var late time.Duration
		attached := 0
		for _, v := range all {
			st, _ := v.Status()
			lost += st.Ring.Lost
			late = max(late, st.Delay)
			if st.Tree.Attached {
				attached++
			}
		}
		b.ReportMetric(float64(attached), "attached")
		b.ReportMetric(float64(lost), "chunks-lost")
		b.ReportMetric(late.Seconds(), "s-late-at-the-end")
	}
}
