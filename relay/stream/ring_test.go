package stream

import (
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestChunksThatTheRingHasAreDuplicates(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	mustAppend(t, r, m.small(Key|Tag, 5), m.small(Tag, 6))
	old := m.signer
	m.restart()
	r.SetHeader(m.header(1, []byte("header")))
	mustAppend(t, r, m.small(Key|Tag, 1))
	for _, c := range []*Chunk{m.small(Key|Tag, 1), old.chunk(nil, Tag, 6, 0, 1, []byte("tag")), old.chunk(nil, Key|Tag, 7, 0, 1, []byte("tag")), old.chunk(nil, Key|Tag, 4, 0, 1, []byte("tag"))} {
		if ok, err := r.Append(c); ok || err != nil {
			t.Errorf("chunk %d of %v: %v, %v, want false and no error", c.seq, c.epoch, ok, err)
		}
		if !r.Has(c.Position()) {
			t.Errorf("Has is false for chunk %d of %v", c.seq, c.epoch)
		}
	}
	if r.Has(Position{m.epoch, 2}) {
		t.Error("Has is true for the next chunk")
	}
	r.Duplicate()
	if s := r.Stats(); s.Received != 3 || s.Counts.Duplicate != 5 || s.Lost != 0 || s.Held != 3 {
		t.Errorf("stats %+v", s)
	}
}

func TestARingFindsWhatItHolds(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	if r.Oldest() != (Position{}) || r.At(Position{m.epoch, 1}) != nil {
		t.Errorf("an empty ring has %v", r.Oldest())
	}
	before := m.epoch
	mustAppend(t, r, m.small(Key|Tag, 5), m.small(Tag, 6), m.small(Tag, 7))
	m.restart()
	r.SetHeader(m.header(1, []byte("header")))
	mustAppend(t, r, m.small(Key|Tag, 2), m.small(Tag, 3))
	if got := r.Oldest(); got != (Position{before, 5}) {
		t.Errorf("the oldest is %v", got)
	}
	for _, p := range []Position{{before, 5}, {before, 6}, {before, 7}, {m.epoch, 2}, {m.epoch, 3}} {
		if c := r.At(p); c == nil || c.Position() != p {
			t.Errorf("at %v is %v", p, c)
		}
	}
	for _, p := range []Position{{}, {before, 4}, {before, 8}, {m.epoch, 1}, {m.epoch, 4}, {Epoch{m.epoch.Ms + 1, 0}, 2}} {
		if c := r.At(p); c != nil {
			t.Errorf("at %v is %v", p, c.Position())
		}
	}
	if c, o := m.small(Key|Tag, 2), m.small(Tag, 2); !r.At(Position{m.epoch, 2}).Same(c) || c.Same(o) {
		t.Error("chunks of the same bytes are different, or others are the same")
	}
}

func TestGapIsRefusedUnlessAKeyEndsIt(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	mustAppend(t, r, m.small(Tag, 10)) // an empty ring takes any: a reader has asked for it
	if _, err := r.Append(m.small(Tag, 12)); !errors.Is(err, ErrGap) {
		t.Fatalf("error %v, want %v", err, ErrGap)
	}
	mustAppend(t, r, m.small(Key|Tag, 15))
	if s := r.Stats(); s.Lost != 4 || s.Received != 2 {
		t.Errorf("stats %+v, want 4 lost", s)
	}
	m.restart()
	r.SetHeader(m.header(1, []byte("header")))
	if _, err := r.Append(m.small(Tag, 1)); !errors.Is(err, ErrGap) {
		t.Fatalf("new epoch without a key: error %v, want %v", err, ErrGap)
	}
	mustAppend(t, r, m.small(Key|Tag, 3))
	if s := r.Stats(); s.Lost != 4 {
		t.Errorf("%d lost across epochs, want no more than the 4 before", s.Lost)
	}
}

func TestChunkNeedsItsHeader(t *testing.T) {
	m := newMaker(t)
	r := NewRing(Limits{})
	if _, err := r.Append(m.small(Key|Tag, 1)); !errors.Is(err, ErrHeader) {
		t.Fatalf("without a header: error %v, want %v", err, ErrHeader)
	}
	first, second := m.header(1, []byte("first")), m.header(2, []byte("second"))
	if !r.SetHeader(first) || r.SetHeader(first) {
		t.Fatal("SetHeader took a header twice, or not once")
	}
	mustAppend(t, r, m.small(Key|Tag, 1))
	if _, err := r.Append(m.chunk(nil, Tag, 2, 2, 2, []byte("tag"))); !errors.Is(err, ErrHeader) {
		t.Fatalf("of a later generation: error %v, want %v", err, ErrHeader)
	}
	if !r.SetHeader(second) || r.SetHeader(first) {
		t.Fatal("SetHeader refused a later header, or went back")
	}
	// The header may be ahead of its first chunk.
	mustAppend(t, r, m.small(Tag, 2), m.chunk(nil, Key|Tag, 3, 3, 2, []byte("tag")))
	if _, err := r.Append(m.small(Tag, 4)); !errors.Is(err, ErrHeader) {
		t.Fatalf("back to an earlier generation: error %v, want %v", err, ErrHeader)
	}
	items := drain(t, r.Resume(Position{Epoch: m.epoch}))
	wantSeqs(t, items, 1, 2, 3)
	if items[0].Header != first || items[1].Header != first || items[2].Header != second {
		t.Error("a chunk came with another header than its own")
	}
	before := m.small(Key|Tag, 9)
	m.restart()
	if !r.SetHeader(m.header(1, nil)) {
		t.Fatal("the header of a new epoch was refused")
	}
	mustAppend(t, r, m.small(Key|Tag, 1))
	if ok, err := r.Append(before); ok || err != nil {
		t.Errorf("chunk of the epoch before: %v, %v", ok, err)
	}
}

func TestReplacedEpochIsRefused(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	late := m.small(Key|Tag, 1)
	m.restart()
	r.SetHeader(m.header(1, nil))
	if _, err := r.Append(late); !errors.Is(err, ErrEpoch) {
		t.Fatalf("error %v, want %v", err, ErrEpoch)
	}
}

// checkBounds verifies that r holds no more than it must.
func checkBounds(t *testing.T, r *Ring) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	size, keys := 0, 0
	for i, e := range r.entries {
		size += e.size
		if e.chunk.Has(Key) {
			keys++
		}
		if i > 0 && e.chunk.Position().Compare(r.entries[i-1].chunk.Position()) <= 0 {
			t.Fatalf("entry %d is not after the one before", i)
		}
	}
	if size != r.bytes || keys != r.keys {
		t.Fatalf("%d bytes and %d keys are held, %d and %d are counted", size, keys, r.bytes, r.keys)
	}
	if len(r.entries) > 1 && size > r.limits.Bytes {
		t.Fatalf("%d bytes are held, the limit is %d", size, r.limits.Bytes)
	}
	oldest, newest := r.entries[0].chunk, r.entries[len(r.entries)-1].chunk
	if oldest.Has(Key) {
		keys--
	}
	if age := time.Duration(newest.beat-oldest.beat) * time.Millisecond; oldest.epoch == newest.epoch && age > r.limits.Age && keys >= ringKeys {
		t.Fatalf("a chunk of %v ago is held, the limit is %v, and %d keys came after it", age, r.limits.Age, keys)
	}
}

func TestRingIsBounded(t *testing.T) {
	m := newMaker(t)
	for range 30 {
		l := Limits{Bytes: 500 + m.rnd.IntN(50_000), Age: time.Duration(1+m.rnd.IntN(500)) * time.Millisecond}
		r := m.ringOf(l)
		group := 1 + m.rnd.IntN(30)
		beat := uint64(0)
		for seq := uint64(1); seq <= 200; seq++ {
			f := Flags(0)
			if seq == 1 || m.rnd.IntN(group) == 0 {
				f = Key | Tag
			}
			beat += m.rnd.Uint64N(20)
			mustAppend(t, r, m.chunk(nil, f, seq, beat, 1, make([]byte, 1+m.rnd.IntN(1000))))
			checkBounds(t, r)
		}
	}
}

func TestRingKeepsTwoGroupsThatAreOlderThanItsAge(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{Age: time.Millisecond})
	for seq := uint64(1); seq <= 35; seq++ { // keys at 1, 11, 21, 31
		f := Flags(0)
		if seq%10 == 1 {
			f = Key | Tag
		}
		mustAppend(t, r, m.chunk(nil, f, seq, seq*1000, 1, []byte("tag")))
	}
	if s := r.Stats(); s.Held != 15 || s.Span != 14*time.Second {
		t.Fatalf("%d chunks of %v are held, want those from 21 on", s.Held, s.Span)
	}
}

func TestRingKeepsHalfAsLongWhatNobodyTakes(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{Age: 60 * time.Second})
	seq := uint64(0)
	next := func(seconds int, span time.Duration) {
		t.Helper()
		for range seconds {
			seq++
			mustAppend(t, r, m.chunk(nil, Key|Tag, seq, seq*1000, 1, []byte("tag")))
		}
		if s := r.Stats(); s.Span != span {
			t.Fatalf("%v is held after %d s, want %v", s.Span, seq, span)
		}
	}
	next(90, 30*time.Second)
	reader := r.Cursor()
	drain(t, reader) // the newest, 90 s
	next(20, 50*time.Second)
	drain(t, reader)
	next(60, 60*time.Second) // what was taken last is the oldest that is held
	if items := drain(t, r.Resume(Position{m.epoch, 110})); len(items) != 60 || items[0].Missed != 0 {
		t.Fatalf("who comes back after 60 s gets %d chunks, and misses %d", len(items), items[0].Missed)
	}
	next(60, 60*time.Second)
	next(1, 30*time.Second)
}

func TestNewestChunkStaysWhateverItsSize(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{Bytes: 1})
	for seq := uint64(1); seq <= 3; seq++ {
		mustAppend(t, r, m.chunk(nil, Key|Tag, seq, seq, 1, make([]byte, MaxPayload)))
		if s := r.Stats(); s.Held != 1 || s.Head.Seq != seq {
			t.Fatalf("%d chunks are held, head %d", s.Held, s.Head.Seq)
		}
	}
}

func TestBitRateIsThatOfTheLastSeconds(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	const bytesEach = 1250 // every 10 ms: 1 Mb/s
	for i := range uint64(1000) {
		n := bytesEach
		if i < 500 {
			n *= 10 // too long ago to count
		}
		mustAppend(t, r, m.chunk(nil, Key|Tag, i+1, i*10, 1, make([]byte, n)))
	}
	if got := r.Stats().BitRate; got < 990_000 || got > 1_010_000 {
		t.Errorf("bit rate %d, want 1,000,000", got)
	}
}

// The figures are kept up with each chunk. They are what counting all that is held gives.
func TestSpanAndBitRateAreThoseOfWhatIsHeld(t *testing.T) {
	m := newMaker(t)
	for range 20 {
		r := m.ringOf(Limits{Bytes: 1000 + m.rnd.IntN(100_000), Age: time.Duration(1+m.rnd.IntN(20)) * time.Second})
		beat, seq := uint64(0), uint64(0)
		for range 400 {
			if m.rnd.IntN(100) == 0 {
				m.restart()
				r.SetHeader(m.header(1, []byte("header")))
				beat, seq = 0, 0
			}
			seq++
			beat += uint64(m.rnd.IntN(500))
			flags := Tag
			if seq == 1 || m.rnd.IntN(10) == 0 {
				flags |= Key
			}
			mustAppend(t, r, m.chunk(nil, flags, seq, beat, 1, make([]byte, 1+m.rnd.IntN(1000))))
			var span time.Duration
			var bytes, from uint64
			for _, e := range r.entries {
				age := e.chunk.age(r.entries[len(r.entries)-1].chunk)
				if e.chunk.epoch != m.epoch {
					continue
				}
				span = max(span, age)
				if age < rateWindow {
					bytes += uint64(len(e.chunk.Payload()))
					from = max(from, uint64(age.Milliseconds()))
				}
			}
			rate := 0
			if from >= 500 {
				rate = int(bytes * 8 * 1000 / from)
			}
			if got := r.Stats(); got.Span != span || got.BitRate != rate {
				t.Fatalf("%v and %d bit/s, want %v and %d", got.Span, got.BitRate, span, rate)
			}
		}
	}
}

func TestClosedRingTakesNothing(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	r.Close()
	r.Close()
	if _, err := r.Append(m.small(Key|Tag, 1)); !errors.Is(err, ErrClosed) {
		t.Fatalf("error %v, want %v", err, ErrClosed)
	}
}

func TestRingKnowsWhenItsNewestChunkCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMaker(t)
		r := m.ringOf(Limits{})
		if at := r.Came(); !at.IsZero() {
			t.Errorf("nothing has come, at %v", at)
		}
		first := m.small(Key|Tag, 1)
		mustAppend(t, r, first)
		begun := time.Now()
		time.Sleep(time.Second)
		if ok, err := r.Append(first); ok || err != nil { // a duplicate is no news
			t.Fatal(ok, err)
		}
		if got := r.Came(); !got.Equal(begun) {
			t.Errorf("came at %v, want %v", got, begun)
		}
		mustAppend(t, r, m.small(Tag, 2))
		if got := r.Stats().Came; !got.Equal(begun.Add(time.Second)) {
			t.Errorf("came at %v, want a second later", got)
		}
	})
}

// Chunks of a byte each have two hundred bytes around them, which the bound is for as well.
func TestARingOfTinyChunksTakesNoMoreMemoryThanItMay(t *testing.T) {
	const most = 4 << 20
	held := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	m := newMaker(t)
	before := held()
	ring := m.ringOf(Limits{Bytes: most, Age: time.Hour})
	for seq := range uint64(30_000) {
		mustAppend(t, ring, m.small(Tag, seq+1))
	}
	if grown := held() - before; grown > most+most/8 {
		t.Errorf("%d bytes are held, %d may be", grown, most)
	}
	runtime.KeepAlive(ring)
}
