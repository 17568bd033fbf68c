package stream

import (
	"crypto/ed25519"
	"math/rand/v2"
	"testing"
	"time"
)

// maker makes signed frames for tests, of any content a source could sign.
type maker struct {
	signer
	rnd *rand.Rand
}

func newMaker(t testing.TB) *maker {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return fixedMaker(seed)
}

func fixedMaker(seed uint64) *maker {
	rnd := rand.New(rand.NewPCG(seed, 0))
	key := ed25519.NewKeyFromSeed(randBytes(rnd, ed25519.SeedSize))
	return &maker{signer{key: key, id: IDOf(key), epoch: Epoch{Ms: 1_700_000_000_000, Rand: rnd.Uint64()}}, rnd}
}

func randBytes(rnd *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// restart goes on with the next epoch.
func (m *maker) restart() { m.epoch = Epoch{m.epoch.Ms + 1, m.rnd.Uint64()} }

// small makes a chunk of a few bytes, one millisecond of beat for each number.
func (m *maker) small(f Flags, seq uint64) *Chunk { return m.chunk(nil, f, seq, seq, 1, []byte("tag")) }

// ringOf returns a ring with a header.
func (m *maker) ringOf(l Limits) *Ring {
	r := NewRing(l)
	r.SetHeader(m.header(1, []byte("header")))
	return r
}

func mustAppend(t testing.TB, r *Ring, chunks ...*Chunk) {
	t.Helper()
	for _, c := range chunks {
		if ok, err := r.Append(c); !ok || err != nil {
			t.Fatalf("append chunk %d of %v: %v, %v", c.seq, c.epoch, ok, err)
		}
	}
}

// drain returns all items that c has now.
func drain(t testing.TB, c *Cursor) []Item {
	t.Helper()
	var all []Item
	for {
		it, wait, err := c.Poll()
		if err != nil {
			t.Fatal(err)
		}
		if wait != nil {
			return all
		}
		all = append(all, it)
	}
}

func wantSeqs(t testing.TB, items []Item, want ...uint64) {
	t.Helper()
	var got []uint64
	for _, it := range items {
		got = append(got, it.Chunk.seq)
	}
	if len(got) != len(want) {
		t.Fatalf("chunks %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("chunks %v, want %v", got, want)
		}
	}
}

// newTestWriter returns a writer of the maker's epoch with a header set.
func (m *maker) newTestWriter(t testing.TB, r *Ring) *Writer {
	t.Helper()
	w := NewWriter(r, m.key, m.epoch, time.Now())
	if err := w.SetHeader([]byte("header")); err != nil {
		t.Fatal(err)
	}
	return w
}

// several makes chunks that follow each other, from 1 on, the first of them a key chunk.
func (m *maker) several(n int) []*Chunk {
	all := []*Chunk{m.small(Key|Tag, 1)}
	for seq := 2; seq <= n; seq++ {
		all = append(all, m.small(Tag, uint64(seq)))
	}
	return all
}
