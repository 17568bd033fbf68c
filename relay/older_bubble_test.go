package relay

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// A parent and a child of relay/2 get no frame that they would take for a breach of the protocol, and
// those of relay/3 get them.
func TestAnOlderNodeGetsNoFramesThatItDoesNotKnow(t *testing.T) {
	later := func(w *world, n *inhabitant) error {
		epoch := stream.Epoch{Ms: w.root.writer.Epoch().Ms + 1}
		again := stream.NewWriter(stream.NewRing(stream.Limits{}), w.key1, epoch, time.Now())
		return n.takeLater(n.ownLaterOf(again.Beat()))
	}
	double := func(w *world, n *inhabitant) error {
		other := w.twin(w.t, n)
		return n.takeDouble(wire.Double{Proof: stream.DoubleOf(n.ring.At(other.Position()), other)})
	}
	type happens func(w *world, n *inhabitant) error
	for name, c := range map[string]struct {
		happens
		toParent, toChild string // the frame that tells of it
	}{
		"a later run": {later, "wire.Later", ""},
		"a theft":     {double, "wire.Double", "wire.Double"},
	} {
		for _, older := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/older %t", name, older), func(t *testing.T) {
				inside(t, 4, &world{source: option{ends: true}}, func(t *testing.T, w *world) {
					ctx, cancel := context.WithCancel(t.Context())
					parent := w.villain(ctx, w.root, vice{older: older})
					defer func() { cancel(); parent.wg.Wait() }()
					time.Sleep(2 * time.Second) // it has something to pass on
					n := w.add(option{slots: 2, hosts: []HostPort{hostPort(parent.place)}, ends: true})
					w.within(2*time.Second, "it is below that", func(n *inhabitant) bool { return parent.below(n) && n.Ring().Head().Seq > 0 }, w.root)
					protocol := alpn
					if older {
						protocol = alpn2
					}
					child := w.dialAt(t, n.place, protocol)
					if _, err := child.Write(wire.Append(nil, wire.Hello{Channel: w.root.ID(), Join: tree.Join{Slots: 1}})); err != nil {
						t.Fatal(err)
					}
					told := make(chan []string, 1)
					go func() { // ends with the connection
						var types []string
						for f, err := child.r.Next(); err == nil; f, err = child.r.Next() {
							types = append(types, fmt.Sprintf("%T", f))
						}
						told <- types
					}()
					time.Sleep(200 * time.Millisecond)
					if err := c.happens(w, n); err != nil {
						t.Fatal(err)
					}
					time.Sleep(1500 * time.Millisecond) // the parent goes on showing beats of the run before
					child.NetConn().Close()
					toChild := <-told
					parent.mu.Lock()
					defer parent.mu.Unlock()
					if got := slices.Contains(parent.heard, c.toParent); got == older || !slices.Contains(parent.heard, "tree.Report") {
						t.Errorf("the parent hears %v", parent.heard)
					}
					if got := slices.Contains(toChild, c.toChild); got == older && c.toChild != "" || !slices.Contains(toChild, "tree.Heartbeat") {
						t.Errorf("the child hears %v", toChild)
					}
				})
			})
		}
	}
}
