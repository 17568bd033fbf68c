package relay

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

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

func TestAllStopWhoHearThatTheKeyIsUsedByTwo(t *testing.T) {
	inside(t, 2, &world{source: option{ends: true}}, func(t *testing.T, w *world) {
		for range 9 {
			w.add(option{slots: 2, ends: true})
		}
		w.within(10*time.Second, "all play", func(n *inhabitant) bool { last, _ := n.seen(); return last > 0 && w.attached(n) })
		time.Sleep(20 * time.Second) // nobody is on the way from one parent to another
		n := w.all[5]
		chunk := w.twin(t, n)
		var u *uplink
		n.query(func(*tree.Node) { u = n.up[n.change.to] })
		if err := u.take(chunk); !errors.As(err, new(*StolenError)) {
			t.Fatalf("the second chunk of one position: %v", err)
		}
		begun := time.Now()
		for i, n := range w.all {
			select {
			case <-n.done:
			case <-time.After(time.Minute):
				t.Errorf("node %d goes on", i)
			}
			n.cancel()
			n.wg.Wait()
			if !errors.As(n.end, new(*StolenError)) {
				t.Errorf("node %d ends with %v", i, n.end)
			}
		}
		t.Logf("all have stopped after %v", time.Since(begun))
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("that took %v", took)
		}
	})
}

func TestHalfAProofCostsWhoSendsItTheLink(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.crowd(4, 2)
		n := w.all[2]
		have := n.Ring().At(n.Ring().Head())
		if err := n.intake.repeated(have); err != nil {
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
		if err := n.intake.repeated(forged); !errors.Is(err, stream.ErrSignature) {
			t.Errorf("a forged chunk in place of one that is there: %v", err)
		}
		w.wantWhole()
	})
}
