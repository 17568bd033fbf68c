package relay

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"relay/relay/relaytest"
	"relay/relay/seal"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// twin is another source's chunk for a position that the node holds.
func (w *world) twin(t *testing.T, n *inhabitant) *stream.Chunk {
	t.Helper()
	ring := stream.NewRing(stream.Limits{})
	other := stream.NewWriter(ring, w.key1, w.root.writer.Epoch(), w.root.writer.Start())
	if err := other.SetHeader([]byte("header")); err != nil {
		t.Fatal(err)
	}
	for i := 0; ring.Head().Compare(n.Ring().Head()) < 0; i++ {
		if err := other.WriteTag(fmt.Appendf(nil, "another %d", i), stream.StartHere|stream.EndsChunk); err != nil {
			t.Fatal(err)
		}
	}
	return ring.At(n.Ring().Head())
}

// find has a node come upon another chunk for a position that it holds.
func (w *world) find(t *testing.T, n *inhabitant) {
	t.Helper()
	chunk := w.twin(t, n)
	var u *uplink
	n.query(func(*tree.Node) { u = n.up[n.change.to] })
	if err := u.take(chunk); !errors.As(err, new(*StolenError)) {
		t.Fatalf("the second chunk of one position: %v", err)
	}
}

// stopped waits until those nodes have heard of a theft, and stops each, as its command does. It
// returns how long that took.
func (w *world) stopped(t *testing.T, nodes ...*inhabitant) time.Duration {
	t.Helper()
	begun, last := time.Now(), time.After(time.Minute)
	for _, n := range nodes {
		go func() { // ends with the channel
			<-n.done
			n.cancel()
		}()
	}
	for _, n := range nodes {
		select {
		case <-n.done:
		case <-last:
			t.Fatalf("node %d goes on", slices.Index(w.all, n))
		}
	}
	return time.Since(begun)
}

// wantStolen checks that the nodes, which are stopped, have ended for that.
func (w *world) wantStolen(t *testing.T, nodes ...*inhabitant) {
	t.Helper()
	for _, n := range nodes {
		n.wg.Wait()
		if !errors.As(n.end, new(*StolenError)) {
			t.Errorf("node %d ends with %v", slices.Index(w.all, n), n.end)
		}
	}
}

// stealing makes a source and nine viewers that play, and may end.
func stealing(t *testing.T, w *world, f func(t *testing.T, w *world)) {
	w.source.ends = true
	inside(t, 2, w, func(t *testing.T, w *world) {
		for range 9 {
			w.add(option{slots: 2, ends: true})
		}
		w.within(10*time.Second, "all play", w.plays)
		f(t, w)
	})
}

func TestAllStopWhoHearThatTheKeyIsUsedByTwo(t *testing.T) {
	stealing(t, &world{}, func(t *testing.T, w *world) {
		w.find(t, w.all[5])
		took := w.stopped(t, w.all...)
		t.Logf("all have stopped after %v", took)
		if took > 2*time.Second {
			t.Errorf("that took %v", took)
		}
		w.wantStolen(t, w.all...)
	})
}

// cut ends all links of a node, and has those that it dials wait until the host that is returned thaws.
func (n *inhabitant) cut(w *world) *relaytest.Host {
	away := w.net.Host(netip.MustParseAddr("10.9.9.9"))
	away.Freeze()
	n.from.Store(away)
	n.query(func(*tree.Node) {
		for _, u := range n.up {
			u.cancel(tree.Lost(tree.ReasonClosed))
		}
		for _, d := range n.down {
			d.cancel(tree.Lost(tree.ReasonClosed))
		}
	})
	return away
}

// Nobody can dial it, and when it gets through to others, all of them have stopped.
func TestWhoIsBetweenTwoParentsHearsOfATheftFromThoseItAsks(t *testing.T) {
	stealing(t, &world{}, func(t *testing.T, w *world) {
		n := w.add(option{slots: 2, ends: true, unreachable: true})
		w.within(10*time.Second, "it plays", w.plays)
		away := n.cut(w)
		w.find(t, w.all[5])
		others := w.all[:len(w.all)-1]
		w.stopped(t, others...)
		away.Thaw()
		if took := w.stopped(t, n); took > 2*time.Second {
			t.Errorf("that took %v", took)
		}
		w.wantStolen(t, w.all...)
	})
}

func TestANewcomerHearsOfATheft(t *testing.T) {
	for name, access := range map[string]seal.Access{"public": {}, "private": seal.New()} {
		t.Run(name, func(t *testing.T) {
			stealing(t, &world{access: access}, func(t *testing.T, w *world) {
				w.find(t, w.all[5])
				others := slices.Clone(w.all)
				w.stopped(t, others...)
				time.Sleep(time.Second)
				n := w.add(option{slots: 2, ends: true})
				if took := w.stopped(t, n); took > time.Second {
					t.Errorf("that took %v", took)
				}
				conn := w.dialAt(t, w.root.place, alpn)
				if _, err := conn.Write(wire.Append(nil, wire.Hello{Channel: w.root.ID(), Join: tree.Join{Slots: 1}})); err != nil {
					t.Fatal(err)
				}
				f, err := conn.r.Next()
				if _, told := f.(wire.Double); err != nil || told == access.Private() {
					t.Errorf("who shows no secret hears %v, %v", f, err)
				}
				w.wantStolen(t, w.all...)
				if c, err := n.host.Dial(t.Context(), "tcp", w.root.place.Addrs[0].String()); err == nil {
					t.Error("the source goes on telling it")
					c.Close()
				}
			})
		})
	}
}

// The finder has no link to anybody else, as when it has come over from another source's nodes.
func TestTheFinderOfATheftTellsThoseWithWhomItHasNoLink(t *testing.T) {
	stealing(t, &world{}, func(t *testing.T, w *world) {
		n := w.all[5]
		chunk := w.twin(t, n)
		n.cut(w).Thaw()
		n.stolen(&StolenError{stream.DoubleOf(n.ring.At(chunk.Position()), chunk)})
		if took := w.stopped(t, w.all...); took > 2*time.Second {
			t.Errorf("that took %v", took)
		}
		w.wantStolen(t, w.all...)
	})
}

func TestHalfAProofCostsWhoSendsItTheLink(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.crowd(4, 2)
		n := w.all[2]
		have := n.Ring().At(n.Ring().Head())
		if err := n.intake.repeated(have, new(uplink)); err != nil {
			t.Errorf("the same chunk once more: %v", err)
		}
		chunk := w.twin(t, n)
		for name, f := range map[string]func(d *stream.Double){
			"half of it":       func(d *stream.Double) { clear(d[:stream.DoubleLen/2]) },
			"twice the same":   func(d *stream.Double) { copy(d[:stream.DoubleLen/2], d[stream.DoubleLen/2:]) },
			"a forged payload": func(d *stream.Double) { d[40] ^= 1 },
		} {
			proof := stream.DoubleOf(have, chunk)
			f(&proof)
			if err := n.takeDouble(wire.Double{Proof: proof}); !errors.Is(err, stream.ErrNoDouble) || endOf(err).Reason.String() != "forged" {
				t.Errorf("%s: %v", name, err)
			}
		}
		frame := slices.Clone(chunk.Frame())
		frame[len(frame)-stream.SignatureLen] ^= 1
		forged, err := stream.ParseChunk(frame)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.intake.repeated(forged, new(uplink)); !errors.Is(err, stream.ErrSignature) {
			t.Errorf("a forged chunk in place of one that is there: %v", err)
		}
		w.wantWhole()
	})
}
