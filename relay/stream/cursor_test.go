package stream

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

// groups appends chunks from..to with a key at every tenth number ending in 1.
func groups(t *testing.T, m *maker, r *Ring, from, to uint64) {
	t.Helper()
	for seq := from; seq <= to; seq++ {
		f := Flags(0)
		if seq%10 == 1 {
			f = Key | Tag
		}
		mustAppend(t, r, m.small(f, seq))
	}
}

// smallRing holds n of a maker's small chunks.
func smallRing(m *maker, n int) *Ring {
	r := m.ringOf(Limits{Bytes: n * (len(m.small(0, 1).Frame()) + chunkCost)})
	return r
}

func TestReaderStartsAtTheNewestKey(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	early := r.Cursor()
	groups(t, m, r, 1, 25)
	wantSeqs(t, drain(t, r.Cursor()), 21, 22, 23, 24, 25)
	items := drain(t, early)
	if len(items) != 25 || !items[0].Jump || items[1].Jump || items[0].Missed != 0 {
		t.Fatalf("a reader of the empty ring got %d items, the first of them %+v", len(items), items[0])
	}
}

func TestReaderWaitsForAKey(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	groups(t, m, r, 5, 9) // an inner part of a group, as a child has it that resumed
	c := r.Cursor()
	wantSeqs(t, drain(t, c))
	groups(t, m, r, 10, 12)
	wantSeqs(t, drain(t, c), 11, 12)
}

func TestReaderThatFallsBehindGoesOnAtTheNewestKey(t *testing.T) {
	m := newMaker(t)
	r := smallRing(m, 25)
	groups(t, m, r, 1, 5)
	c := r.Cursor()
	wantSeqs(t, drain(t, c), 1, 2, 3, 4, 5)
	groups(t, m, r, 6, 93)
	items := drain(t, c)
	wantSeqs(t, items, 91, 92, 93)
	if !items[0].Jump || items[0].Missed != 85 || items[1].Jump || items[1].Missed != 0 {
		t.Errorf("items %+v, want a jump over 85", items)
	}
	if missed, moves := c.Gap(); missed != 85 || moves != 1 {
		t.Errorf("gap %d in %d moves, want 85 in 1", missed, moves)
	}
}

func TestReaderThatFallsBehindWaitsWhenNoKeyIsHeld(t *testing.T) {
	m := newMaker(t)
	r := smallRing(m, 5)
	groups(t, m, r, 1, 2)
	c := r.Cursor()
	wantSeqs(t, drain(t, c), 1, 2)
	groups(t, m, r, 3, 9)
	wantSeqs(t, drain(t, c))
	groups(t, m, r, 10, 11)
	items := drain(t, c)
	wantSeqs(t, items, 11)
	if items[0].Missed != 8 {
		t.Errorf("%d missed, want 8", items[0].Missed)
	}
}

func TestReaderSeesTheRingsOwnGap(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	groups(t, m, r, 1, 3)
	c := r.Cursor()
	drain(t, c)
	groups(t, m, r, 21, 22)
	items := drain(t, c)
	wantSeqs(t, items, 21, 22)
	if missed, moves := c.Gap(); !items[0].Jump || items[0].Missed != 17 || missed != 17 || moves != 0 {
		t.Errorf("item %+v, gap %d in %d moves", items[0], missed, moves)
	}
}

func TestResume(t *testing.T) {
	m := newMaker(t)
	at := func(seq uint64) Position { return Position{m.epoch, seq} }
	later := Epoch{m.epoch.Ms + 1, 0}
	earlier := Epoch{m.epoch.Ms - 1, 0}
	for _, tc := range []struct {
		name   string
		have   Position
		first  uint64 // number of the first item of 21..38 and then 39..41
		jump   bool
		missed uint64
	}{
		{"in the middle of a group", at(34), 35, false, 0},
		{"at the oldest held", at(20), 21, false, 0},
		{"at the head", at(38), 39, false, 0},
		{"just too old", at(19), 31, true, 11},
		{"long ago", at(1), 31, true, 29},
		{"from the beginning of the epoch", at(0), 31, true, 30},
		{"from nothing", Position{}, 31, true, 0},
		{"ahead of the ring", at(40), 41, false, 0},
		{"an earlier epoch", Position{earlier, 1000}, 31, true, 0},
		{"a later epoch", Position{later, 5}, 0, false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := smallRing(m, 18)
			groups(t, m, r, 1, 38)
			if held := r.Stats().Held; held != 18 {
				t.Fatalf("%d held", held)
			}
			c := r.Resume(tc.have)
			items := drain(t, c)
			groups(t, m, r, 39, 41)
			items = append(items, drain(t, c)...)
			if tc.first == 0 {
				wantSeqs(t, items)
				return
			}
			var want []uint64
			for seq := tc.first; seq <= 41; seq++ {
				want = append(want, seq)
			}
			wantSeqs(t, items, want...)
			if items[0].Jump != tc.jump || items[0].Missed != tc.missed {
				t.Errorf("jump %v over %d, want %v over %d", items[0].Jump, items[0].Missed, tc.jump, tc.missed)
			}
		})
	}
}

func TestReaderThatIsAheadGoesOnWithoutAGap(t *testing.T) {
	m := newMaker(t)
	r := smallRing(m, 5)
	groups(t, m, r, 1, 10)
	c := r.Resume(Position{m.epoch, 50}) // its parent before was further on
	groups(t, m, r, 11, 53)
	wantSeqs(t, drain(t, c), 51, 52, 53)
	if missed, _ := c.Gap(); missed != 0 {
		t.Errorf("%d missed", missed)
	}
}

func TestReaderCrossesToANewEpochAtItsFirstKey(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	groups(t, m, r, 1, 13)
	c := r.Cursor()
	drain(t, c)
	m.restart()
	h := m.header(1, []byte("another"))
	r.SetHeader(h)
	groups(t, m, r, 1, 2)
	items := drain(t, c)
	wantSeqs(t, items, 1, 2)
	if !items[0].Jump || items[0].Missed != 0 || items[0].Header != h || items[1].Jump {
		t.Errorf("items %+v", items)
	}
}

func TestReaderGetsTheRestOfAClosedRing(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	groups(t, m, r, 1, 3)
	c := r.Cursor()
	r.Close()
	for range 3 {
		if _, wait, err := c.Poll(); wait != nil || err != nil {
			t.Fatalf("wait %v, error %v", wait, err)
		}
	}
	for range 2 {
		if _, _, err := c.Poll(); !errors.Is(err, ErrClosed) {
			t.Fatalf("error %v, want %v", err, ErrClosed)
		}
	}
}

func TestNextWaitsForAChunkForTheEndAndForItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fixedMaker(1)
		r := m.ringOf(Limits{})
		got := make(chan string)
		next := func(ctx context.Context, c *Cursor) {
			it, err := c.Next(ctx)
			if err != nil {
				got <- err.Error()
				return
			}
			got <- fmt.Sprint(it.Chunk.Seq())
		}
		c := r.Cursor()
		go next(t.Context(), c)
		synctest.Wait()
		mustAppend(t, r, m.small(Key|Tag, 1))
		if s := <-got; s != "1" {
			t.Errorf("got %q, want chunk 1", s)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		go next(ctx, c)
		synctest.Wait()
		cancel(errors.New("the cause"))
		if s := <-got; s != "the cause" {
			t.Errorf("got %q, want the cause", s)
		}
		go next(t.Context(), c)
		synctest.Wait()
		r.Close()
		if s := <-got; s != ErrClosed.Error() {
			t.Errorf("got %q, want %v", s, ErrClosed)
		}
	})
}

// TestSinceReadsAllThatIsHeldBehindAPosition asks behind nothing, a chunk that is held, one of an epoch that
// is over, and one that the ring has lost.
func TestSinceReadsAllThatIsHeldBehindAPosition(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	mustAppend(t, r, m.several(5)...)
	before := m.epoch
	m.restart()
	r.SetHeader(m.header(1, nil))
	mustAppend(t, r, m.several(3)...)
	wantSeqs(t, drain(t, r.Since(Position{})), 1, 2, 3, 4, 5, 1, 2, 3)
	wantSeqs(t, drain(t, r.Since(Position{before, 3})), 4, 5, 1, 2, 3)
	wantSeqs(t, drain(t, r.Since(Position{before, 9})), 1, 2, 3)
	wantSeqs(t, drain(t, r.Since(Position{m.epoch, 3})))
	lost := m.ringOf(Limits{Bytes: 1})
	mustAppend(t, lost, m.small(Key|Tag, 7), m.small(Tag, 8))
	wantSeqs(t, drain(t, lost.Since(Position{m.epoch, 3}))) // 8 is no place to start
	mustAppend(t, lost, m.small(Key|Tag, 9))
	wantSeqs(t, drain(t, lost.Since(Position{m.epoch, 3})), 9)
}
