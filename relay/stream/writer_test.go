package stream

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/seal"
)

// held returns the chunks of r's newest epoch.
func held(t *testing.T, r *Ring) []*Chunk {
	t.Helper()
	var all []*Chunk
	for _, it := range drain(t, r.Resume(Position{Epoch: r.Head().Epoch})) {
		all = append(all, it.Chunk)
	}
	return all
}

func TestWrittenTagsComeOutInOrderWhateverTheirSizes(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	w := m.newTestWriter(t, r)
	var want []byte
	begins := map[int]TagFlags{} // where tags begin
	for i := range 300 {
		size := 1 + m.rnd.IntN(2000)
		if m.rnd.IntN(10) == 0 {
			size = 1 + m.rnd.IntN(5*MaxPayload)
		}
		f := TagFlags(m.rnd.IntN(4))
		if i == 0 {
			f |= StartHere
		}
		tag := randBytes(m.rnd, size)
		begins[len(want)] = f
		want = append(want, tag...)
		if err := w.WriteTag(tag, f); err != nil {
			t.Fatal(err)
		}
		clear(tag) // it is copied
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var got []byte
	keys := 0
	for i, c := range held(t, r) {
		if c.Seq() != uint64(i+1) || c.Epoch() != m.epoch || c.Gen() != 1 {
			t.Fatalf("chunk %d is number %d of %v, generation %d", i, c.Seq(), c.Epoch(), c.Gen())
		}
		f, atTag := begins[len(got)]
		if c.Has(Tag) != atTag || c.Has(Key) != (atTag && f&StartHere != 0) {
			t.Fatalf("chunk %d at byte %d: flags %#x, a tag begins there: %v", i, len(got), c.flags, atTag)
		}
		if c.Has(Key) {
			keys++
		}
		if _, err := ParseChunk(c.Frame()); err != nil {
			t.Fatal(err)
		}
		if err := c.Verify(m.id); err != nil {
			t.Fatal(err)
		}
		got = append(got, c.Payload()...)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%d bytes came out, want the %d written", len(got), len(want))
	}
	for _, f := range begins {
		if f&StartHere != 0 {
			keys--
		}
	}
	if keys != 0 {
		t.Errorf("%d key chunks more than places to start", keys)
	}
}

func TestChunksAreCutWhereTheyMustBe(t *testing.T) {
	type tag struct {
		size  int
		flags TagFlags
	}
	for _, tc := range []struct {
		name string
		tags []tag
		want []int // payload lengths, without a flush
	}{
		{"after a tag that others should not wait for", []tag{{10, EndsChunk}, {20, EndsChunk}}, []int{10, 20}},
		{"audio goes with the next video", []tag{{10, 0}, {20, 0}, {30, EndsChunk}}, []int{60}},
		{"a place to start begins a chunk", []tag{{10, 0}, {20, StartHere | EndsChunk}}, []int{10, 20}},
		{"at the most a chunk holds", []tag{{2*MaxPayload + 5, EndsChunk}}, []int{MaxPayload, MaxPayload, 5}},
		{"exactly the most", []tag{{MaxPayload, EndsChunk}, {7, EndsChunk}}, []int{MaxPayload, 7}},
		{"full in the middle of a tag", []tag{{MaxPayload - 1, 0}, {3, EndsChunk}}, []int{MaxPayload, 2}},
		{"not while there is more", []tag{{10, 0}, {20, 0}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := fixedMaker(1)
				r := m.ringOf(Limits{})
				w := m.newTestWriter(t, r)
				for _, tag := range tc.tags {
					if err := w.WriteTag(make([]byte, tag.size), tag.flags|Gathers); err != nil {
						t.Fatal(err)
					}
				}
				var got []int
				for _, c := range held(t, r) {
					got = append(got, len(c.Payload()))
				}
				if len(got) != len(tc.want) {
					t.Fatalf("payloads of %v bytes, want %v", got, tc.want)
				}
				for i := range got {
					if got[i] != tc.want[i] {
						t.Fatalf("payloads of %v bytes, want %v", got, tc.want)
					}
				}
			})
		})
	}
}

func TestNoTagWaitsForOneThatIsStillToCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fixedMaker(1)
		r := m.ringOf(Limits{})
		w := m.newTestWriter(t, r)
		write := func(n int) {
			if err := w.WriteTag(make([]byte, n), 0); err != nil {
				t.Fatal(err)
			}
		}
		out := func() (bytes int, beat uint64) {
			time.Sleep(time.Nanosecond)
			for _, c := range held(t, r) {
				bytes, beat = bytes+len(c.Payload()), c.Beat()
			}
			return bytes, beat
		}
		write(1)
		write(2) // it may be at hand when the first one's chunk is closed, or not
		if n, _ := out(); n != 3 {
			t.Fatalf("%d bytes are out, want 3", n)
		}
		write(4)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		before := len(held(t, r))
		time.Sleep(time.Millisecond)
		if n := len(held(t, r)); n != before {
			t.Fatalf("%d chunks, want %d: nothing was left to be closed", n, before)
		}
		write(5)
		if n, beat := out(); n != 12 || beat != 1 {
			t.Fatalf("%d bytes are out, the newest at %d ms; want 12 and 1", n, beat)
		}
	})
}

func TestSoundGathersWhileNobodyTakesIt(t *testing.T) {
	for name, test := range map[string]struct {
		takes  func(r *Ring) // who takes before the second sound
		second TagFlags
		after  time.Duration // the second comes so long after the first
		made   []int         // chunks after each of two sounds, one of which was there before
	}{
		"with the next":              {second: Gathers, after: 20 * time.Millisecond, made: []int{1, 1}},
		"with the next picture":      {second: Gathers | EndsChunk, after: 20 * time.Millisecond, made: []int{1, 2}},
		"not before a key":           {second: Gathers | StartHere | EndsChunk, after: 20 * time.Millisecond, made: []int{1, 3}},
		"for a while":                {second: Gathers, after: unreadFor, made: []int{1, 2}},
		"until somebody has come":    {takes: func(r *Ring) { _, _, _ = r.Cursor().Poll() }, second: Gathers, after: time.Millisecond, made: []int{1, 2}},
		"until somebody waits":       {takes: func(r *Ring) { _, _, _ = r.Ahead().Poll() }, second: Gathers, after: time.Millisecond, made: []int{1, 2}},
		"not by those who look only": {takes: func(r *Ring) { r.Cursor(); r.Stats() }, second: Gathers, after: time.Millisecond, made: []int{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMaker(t)
				r := m.ringOf(Limits{})
				w := m.newTestWriter(t, r)
				if err := w.WriteTag([]byte("picture"), StartHere|EndsChunk|Gathers); err != nil {
					t.Fatal(err)
				}
				for i, f := range []TagFlags{Gathers, test.second} {
					if i == 1 {
						time.Sleep(test.after)
						if test.takes != nil {
							test.takes(r)
						}
					}
					if err := errors.Join(w.WriteTag([]byte("sound"), f), w.Gathered()); err != nil {
						t.Fatal(err)
					}
					if got := int(r.Stats().Received); got != test.made[i] {
						t.Errorf("%d chunks after tag %d, want %d", got, i+1, test.made[i])
					}
				}
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
				var all []byte
				for _, c := range held(t, r) {
					all = append(all, c.Payload()...)
				}
				if string(all) != "picturesoundsound" {
					t.Errorf("came out as %q", all)
				}
			})
		})
	}
}

func TestHeaderHoldsForTheTagsThatFollow(t *testing.T) {
	m := newMaker(t)
	r := NewRing(Limits{})
	w := NewWriter(r, m.key, m.epoch, time.Now())
	if err := w.WriteTag([]byte("tag"), StartHere); !errors.Is(err, ErrHeader) {
		t.Fatalf("tag without a header: error %v, want %v", err, ErrHeader)
	}
	if err := w.SetHeader(make([]byte, MaxHeaderPayload+1)); err == nil {
		t.Fatal("a header of more than the most was taken")
	}
	for _, step := range []struct{ header, tag string }{{"a", "1"}, {"a", "2"}, {"b", "3"}, {"a", "4"}} {
		if err := w.SetHeader([]byte(step.header)); err != nil {
			t.Fatal(err)
		}
		if err := w.WriteTag([]byte(step.tag), Gathers); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var got string
	for _, it := range drain(t, r.Resume(Position{Epoch: m.epoch})) {
		if err := it.Header.Verify(m.id); err != nil {
			t.Fatal(err)
		}
		got += string(it.Header.Payload()) + string(it.Chunk.Payload()) + " "
	}
	if want := "a12 b3 a4 "; got != want {
		t.Errorf("headers and chunks %q, want %q", got, want)
	}
}

func TestWriterOfAClosedRingFails(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	w := m.newTestWriter(t, r)
	r.Close()
	for range 2 {
		if err := w.WriteTag([]byte("tag"), StartHere|EndsChunk); !errors.Is(err, ErrClosed) {
			t.Fatalf("error %v, want %v", err, ErrClosed)
		}
	}
}

// What the ring has not taken may have gone nowhere, but it was sealed: its number must not be used again.
func TestWriterThatHasFailedMakesNothingMore(t *testing.T) {
	m := newMaker(t)
	r := NewRing(Limits{})
	w := NewSealedWriter(r, m.key, seal.New().Content(m.id), m.epoch, time.Now())
	if err := w.SetHeader([]byte("header")); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteTag(make([]byte, 2*MaxPayload), StartHere|EndsChunk); err != nil {
		t.Fatal(err)
	}
	r.Close()
	head := w.Beat().Head()
	for i, f := range []func() error{
		func() error { return w.WriteTag(make([]byte, 5*MaxPayload), EndsChunk) }, // a group, of which the first fails
		func() error { return w.WriteTag([]byte("tag"), StartHere) },
		w.Flush,
		func() error { return w.SetHeader([]byte("another")) },
	} {
		if err := f(); !errors.Is(err, ErrClosed) {
			t.Errorf("step %d: error %v, want %v", i, err, ErrClosed)
		}
	}
	if got := w.Beat().Head(); got != head || r.Header().Gen() != 1 || len(w.group.chunks) > 0 {
		t.Errorf("the writer is at chunk %d, was at %d; header %d, %d chunks wait", got, head, r.Header().Gen(), len(w.group.chunks))
	}
}

func TestBeatIsTheRootsClockAndHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fixedMaker(1)
		r := m.ringOf(Limits{})
		w := m.newTestWriter(t, r)
		time.Sleep(1234 * time.Millisecond)
		if err := w.WriteTag([]byte("tag"), StartHere|EndsChunk); err != nil {
			t.Fatal(err)
		}
		b := w.Beat()
		if b.Ms() != 1234 || b.Head() != 1 || b.Epoch() != m.epoch || !w.Start().Add(1234*time.Millisecond).Equal(time.Now()) {
			t.Errorf("beat %+v", b)
		}
		if err := b.Verify(m.id); err != nil {
			t.Error(err)
		}
	})
}

// The wall clock goes on while the monotonic one stands still, or is set ahead; the beats follow, and never go back.
func TestBeatsFollowAWallClockThatIsAhead(t *testing.T) {
	m := fixedMaker(1)
	begun := time.UnixMilli(int64(m.epoch.Ms))
	for _, step := range []struct {
		wall  time.Duration // since the epoch began, a minute later by the monotonic clock
		moved bool
		shows time.Duration
	}{
		{-50 * 365 * 24 * time.Hour, false, time.Minute},
		{time.Minute - time.Hour, false, time.Minute},
		{time.Minute + followAfter, false, time.Minute},
		{time.Minute + followAfter + time.Millisecond, true, time.Minute + followAfter + time.Millisecond},
		{4 * time.Hour, true, 4 * time.Hour},
		{100 * 365 * 24 * time.Hour, true, 100 * 365 * 24 * time.Hour},
	} {
		w := NewWriter(m.ringOf(Limits{}), m.key, m.epoch, time.Now())
		now := w.Start().Add(time.Minute)
		moved := w.Follow(now, begun.Add(step.wall))
		if shows := w.Clock(now); moved != step.moved || shows != step.shows || w.Follow(now, begun) || w.beatAt(now) != uint64(shows.Milliseconds()) {
			t.Errorf("at %v by the wall clock: moved %v, shows %v", step.wall, moved, shows)
		}
	}
}
