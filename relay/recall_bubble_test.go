package relay

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"relay/relay/archive"
	"relay/relay/seal"
	"relay/relay/stream"
	"relay/relay/wire"
)

// archiveOf opens an archive for a channel.
func archiveOf(t *testing.T, id stream.ChannelID) *archive.Archive {
	t.Helper()
	a, err := archive.Open(t.TempDir(), id, archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// into returns what opens an archive, and remembers it.
func into(t *testing.T, a **archive.Archive) func(stream.ChannelID) *archive.Archive {
	return func(id stream.ChannelID) *archive.Archive {
		*a = archiveOf(t, id)
		return *a
	}
}

// heldIn are the chunks of an archive, from its beginning.
func heldIn(t *testing.T, a *archive.Archive) (all []*stream.Chunk) {
	t.Helper()
	r, err := a.At(time.Time{})
	if err != nil || r == nil {
		t.Fatalf("%v, %v", r, err)
	}
	defer r.Close()
	for {
		it, ok, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return all
		}
		all = append(all, it.Chunk)
	}
}

// TestWhoKeepsAndComesLateHasWhatWas has nodes come late to a channel that its source keeps: one keeps it
// as well, one below it does, and one between does not. All have what is live meanwhile.
func TestWhoKeepsAndComesLateHasWhatWas(t *testing.T) {
	for name, w := range map[string]*world{"public": {}, "private": {access: seal.New()}, "far": {far: true}} {
		t.Run(name, func(t *testing.T) {
			// The payloads are random enough, and as long as those of 130 kb/s.
			w.tag = func(i int) []byte { return fmt.Appendf(make([]byte, 1600), "frame %d", i) }
			var first, second, third *archive.Archive
			w.source.keep = into(t, &first)
			inside(t, 1, w, func(t *testing.T, w *world) {
				time.Sleep(90 * time.Second)
				w.add(option{slots: 1, keep: into(t, &second)})
				time.Sleep(5 * time.Second)
				w.add(option{slots: 1})
				time.Sleep(5 * time.Second)
				last := w.add(option{slots: 1, keep: into(t, &third)})
				time.Sleep(2 * time.Minute)
				want := heldIn(t, first)
				got := heldIn(t, second)
				if len(got) < len(want)-10 {
					t.Fatalf("%d chunks of %d", len(got), len(want))
				}
				for i, c := range got {
					if !c.Same(want[i]) {
						t.Fatalf("chunk %d is another", i)
					}
				}
				// Its parent keeps nothing.
				if had := len(heldIn(t, third)); had < 1000 || had > 1500 {
					t.Errorf("below one who keeps nothing %d chunks are held, of 2 minutes and what a ring has", had)
				}
				if last.status(t).Tree.Depth != 3 {
					t.Errorf("depth %d", last.status(t).Tree.Depth)
				}
				for _, n := range w.all {
					if _, gaps := n.seen(); len(gaps) > 0 {
						t.Errorf("gaps in what is live: %v", gaps)
					}
				}
			})
		})
	}
}

// TestWhoComesLateHasWhatWasWithinItsShare has a node come late to 6 Mb/s that its source keeps: it gets no more of what was
// than the share of the source's upload that is lent for that, and in twice the time that this takes, all of it.
func TestWhoComesLateHasWhatWasWithinItsShare(t *testing.T) {
	const upload, rate, before = 80_000_000, 6_000_000, 60 * time.Second // bit/s
	w := &world{far: true, upload: upload}
	w.tag = func(i int) []byte { return fmt.Appendf(make([]byte, rate/8/10), "frame %d", i) } // ten a second
	var first, second *archive.Archive
	w.source.keep = into(t, &first)
	inside(t, 1, w, func(t *testing.T, w *world) {
		time.Sleep(before)
		w.add(option{slots: 1, keep: into(t, &second)})
		joined := time.Now()
		size := func() (n float64) {
			for _, c := range heldIn(t, second) {
				n += float64(len(c.Payload()))
			}
			return n - time.Since(joined).Seconds()*rate/8 // what has been live meanwhile
		}
		const share = upload / 8 / recallShare                                     // bytes a second
		const whole, newest = rate / 8 * float64(before/time.Second), rate / 8 * 2 // newcomers get what is newest with what is live
		for had := 0.0; had < 0.99*whole; {
			time.Sleep(5 * time.Second)
			had = size()
			in := time.Since(joined)
			if had > share*in.Seconds()+recallBurst+newest {
				t.Fatalf("%v after it came it has %.0f bytes of what was, of which at most %d a second are lent", in, had, share)
			}
			if in.Seconds() > 2*whole/share {
				t.Fatalf("%v after it came it has %.0f bytes of what was, of %.0f", in, had, whole)
			}
		}
	})
}

// TestWhatWasIsSentToWhoAskedAlone has both sides of a link say what is not their turn.
func TestWhatWasIsSentToWhoAskedAlone(t *testing.T) {
	u := &uplink{}
	for _, f := range []wire.Frame{wire.Kept{}, wire.Recalled{Some: true}} {
		if err := u.take(f); !errors.Is(err, wire.ErrNotDue) {
			t.Errorf("%T: error %v", f, err)
		}
	}
	in := &recalling{come: make(chan wire.Kept, 1)}
	u.recalling.Store(in)
	for range 3 { // the disk is slow
		if err := u.take(wire.Kept{}); err != nil {
			t.Fatal(err)
		}
	}
	if !in.lost.Load() {
		t.Error("what had no place was not noted")
	}
	if err := u.take(wire.Recalled{}); err != nil || u.take(wire.Recalled{}) == nil {
		t.Errorf("the end: %v, and once more", err)
	}
	d := &downlink{link: newLink(1, [32]byte{1}, nil, true)}
	c := &Channel{}
	d.recall = func(f wire.Recall) error { return c.takeRecall(d, f) }
	if err := d.take(wire.Recall{}); !errors.Is(err, wire.ErrNotDue) {
		t.Errorf("who takes no stream asks: error %v", err)
	}
	d.pulled.Store(1)
	d.recalls.Store(true)
	if err := d.take(wire.Recall{}); !errors.Is(err, wire.ErrNotDue) {
		t.Errorf("who has not been answered asks again: error %v", err)
	}
}

// TestAParentThatForgesWhatWasIsLeft has a parent answer with another channel's chunks, with what was not
// asked for, and with chunks that have no header.
func TestAParentThatForgesWhatWasIsLeft(t *testing.T) {
	var first *archive.Archive
	w := &world{source: option{keep: into(t, &first)}}
	inside(t, 1, w, func(t *testing.T, w *world) {
		time.Sleep(10 * time.Second)
		r, err := first.At(time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var items []stream.Item
		for range 20 {
			it, ok, err := r.Next()
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			items = append(items, it)
		}
		forged := append([]byte(nil), items[0].Chunk.Frame()...)
		forged[len(forged)-70] ^= 1
		bad, err := stream.ParseChunk(forged)
		if err != nil {
			t.Fatal(err)
		}
		of := archive.Span{After: items[9].Chunk.Position(), Before: items[15].Chunk.Position()}
		for name, test := range map[string]struct {
			say  []wire.Kept
			want error
		}{
			"a forged chunk":        {[]wire.Kept{{Header: items[0].Header}, {Chunk: bad}}, stream.ErrSignature},
			"one before":            {[]wire.Kept{{Header: items[0].Header}, {Chunk: items[9].Chunk}}, wire.ErrNotDue},
			"one behind":            {[]wire.Kept{{Header: items[0].Header}, {Chunk: items[15].Chunk}}, wire.ErrNotDue},
			"twice the same":        {[]wire.Kept{{Header: items[0].Header}, {Chunk: items[10].Chunk}, {Chunk: items[10].Chunk}}, wire.ErrNotDue},
			"two headers":           {[]wire.Kept{{Header: items[0].Header}, {Header: items[0].Header}}, wire.ErrNotDue},
			"a chunk and no header": {[]wire.Kept{{Chunk: items[10].Chunk}}, wire.ErrNotDue},
		} {
			late := archiveOf(t, w.root.ID())
			u := &uplink{link: newLink(1, w.root.place.ID, nil, true)}
			in := &recalling{come: make(chan wire.Kept, 10)}
			for _, k := range test.say {
				in.come <- k
			}
			part, err := late.Insert(of)
			if err != nil {
				t.Fatal(err)
			}
			if whole, err := w.root.collect(u, in, part); whole || err != nil {
				t.Errorf("%s: whole %v, error %v", name, whole, err)
			}
			if got := context.Cause(u.ctx); !errors.Is(got, test.want) {
				t.Errorf("%s: the link ends with %v", name, got)
			}
			if err := part.Abandon(); err != nil {
				t.Error(err)
			}
		}
	})
}
