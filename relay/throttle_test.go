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

// command runs one and fails the benchmark with what it printed if it fails.
func command(b *testing.B, line string) {
	b.Helper()
	args := strings.Fields(line)
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		b.Fatalf("%s: %v: %s", line, err, out)
	}
}

// in runs f in a network namespace. A socket stays in the one it was made in.
func in(ns string, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		h, err := os.Open("/run/netns/" + ns)
		if err != nil {
			done <- err
			return
		}
		defer h.Close()
		if err := unix.Setns(int(h.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("enter namespace %s: %w", ns, err)
			return
		}
		done <- f()
	}()
	return <-done
}

// BenchmarkThrottledLink measures, on a link that suddenly carries 0.7 of a stream
// of 3 Mb/s, when the child's lag shows and how late the root's beats come, which
// are as urgent as heartbeats. It makes two network namespaces and so needs root.
func BenchmarkThrottledLink(b *testing.B) {
	const (
		size  = 12_500
		every = time.Second / 30
		gop   = 60
		queue = "latency 100ms" // of the router in between
	)
	ns := [2]string{fmt.Sprintf("relay-%d-a", os.Getpid()), fmt.Sprintf("relay-%d-b", os.Getpid())}
	for _, n := range ns {
		command(b, "ip netns add "+n)
		b.Cleanup(func() { command(b, "ip netns del "+n) })
	}
	command(b, fmt.Sprintf("ip link add va netns %s type veth peer name vb netns %s", ns[0], ns[1]))
	for i, n := range ns {
		dev := "v" + string(rune('a'+i))
		command(b, fmt.Sprintf("ip -n %s addr add 10.77.0.%d/24 dev %s", n, i+1, dev))
		command(b, fmt.Sprintf("ip -n %s link set %s up", n, dev))
	}
	shape := func(verb, rate string) {
		command(b, fmt.Sprintf("tc -n %s qdisc %s dev va root tbf rate %s burst 16kb %s", ns[0], verb, rate, queue))
	}
	shape("add", "20mbit")

	var ln net.Listener
	if err := in(ns[0], func() (err error) {
		ln, err = net.Listen("tcp", "10.77.0.1:0")
		return err
	}); err != nil {
		b.Fatal(err)
	}
	run := func(cfg Config, open func(*Node) *Channel) *Channel {
		cfg.Key = newKey(b)
		n, err := New(cfg)
		if err != nil {
			b.Fatal(err)
		}
		c := open(n)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 2)
		go func() { ended <- n.Run(ctx) }() // both end with ctx, which the cleanup cancels
		go func() { ended <- c.Run(ctx) }()
		b.Cleanup(func() {
			cancel()
			<-ended
			<-ended
		})
		return c
	}
	var w *stream.Writer
	source := run(Config{Listener: ln, Near: func(netip.Addr) bool { return false }}, func(n *Node) *Channel {
		c, writer, err := n.Source(newKey(b), stream.NextEpoch(stream.Epoch{}, time.Now(), 1))
		if err != nil {
			b.Fatal(err)
		}
		w = writer
		return c
	})
	if err := w.SetHeader([]byte("header")); err != nil {
		b.Fatal(err)
	}
	at := ln.Addr().(*net.TCPAddr).AddrPort()
	viewer := run(Config{Dial: func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
		err = in(ns[1], func() error {
			conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
			return err
		})
		return conn, err
	}}, func(n *Node) *Channel {
		c, err := n.Watch(URL{Channel: source.ID(), Hosts: []HostPort{{at.Addr().String(), at.Port()}}}, nil)
		if err != nil {
			b.Fatal(err)
		}
		return c
	})

	ctx, stop := context.WithCancel(b.Context())
	written := make(chan error, 1)
	go func() { // ends with ctx
		tag := make([]byte, size)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := 0; ; i++ {
			f := stream.EndsChunk
			if i%gop == 0 {
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
	defer func() {
		stop()
		if err := <-written; err != nil {
			b.Error(err)
		}
	}()

	// watch looks at both ends for d.
	watch := func(d time.Duration) (half, whole time.Duration, beats []time.Duration, owed time.Duration) {
		begun := time.Now()
		seen := viewer.beat.Load()
		for time.Since(begun) < d {
			if x := viewer.beat.Load(); x != seen {
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
			if st, _ := source.Status(); len(st.Links) > 0 {
				for _, l := range st.Links {
					owed = max(owed, l.Behind.Span)
				}
			}
			time.Sleep(5 * time.Millisecond)
		}
		return half, whole, beats, owed
	}
	for b.Loop() {
		shape("change", "20mbit")
		_, _, calm, _ := watch(8 * time.Second)
		shape("change", "2100kbit")
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
