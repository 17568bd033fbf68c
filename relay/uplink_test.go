package relay

import (
	"slices"
	"testing"
	"time"

	"relay/relay/stream"
)

// The first chunk of those asked for says that a place delivers: also one that another link
// has brought already, and none that the child had or that is not the root's.
func TestOnlyAChunkThatWasAskedForAndIsTheRootsShowsThatAPlaceDelivers(t *testing.T) {
	key := newKey(t)
	id := stream.IDOf(key)
	now := time.Now()
	var chunks []*stream.Chunk
	source := stream.NewRing(stream.Limits{})
	w := stream.NewWriter(source, key, stream.NextEpoch(stream.Epoch{}, now, 1), now)
	if err := w.SetHeader([]byte("header")); err != nil {
		t.Fatal(err)
	}
	c := source.Ahead()
	for range 3 {
		if err := w.WriteTag([]byte("tag"), stream.StartHere|stream.EndsChunk); err != nil {
			t.Fatal(err)
		}
		it, wait, err := c.Poll()
		if err != nil || wait != nil {
			t.Fatal("no chunk", err)
		}
		chunks = append(chunks, it.Chunk)
	}

	ring := stream.NewRing(stream.Limits{})
	ring.SetHeader(source.Header())
	in := newIntake(id, ring, now)
	other := &uplink{intake: &in, sweeper: &sweeper{}, stolen: func(error) {}, delivered: func() {}}
	give := func(u *uplink, c *stream.Chunk) error {
		t.Helper()
		u.feeding.Store(true)
		return u.take(c)
	}
	for _, c := range chunks[:2] {
		if err := give(other, c); err != nil {
			t.Fatal(err)
		}
	}

	times := 0
	u := &uplink{intake: &in, sweeper: &sweeper{}, stolen: func(error) {}, asked: chunks[0].Position(), delivered: func() { times++ }}
	if err := give(u, chunks[0]); err != nil || times != 0 {
		t.Errorf("a chunk that it had: %v, told %d times", err, times)
	}
	if err := give(u, chunks[1]); err != nil || times != 1 {
		t.Errorf("a chunk that another link has brought: %v, told %d times", err, times)
	}
	if err := give(u, chunks[2]); err != nil || times != 1 {
		t.Errorf("the next: %v, told %d times", err, times)
	}

	forged := slices.Clone(chunks[1].Frame())
	forged[len(forged)-1] ^= 1
	f, err := stream.ParseChunk(forged)
	if err != nil {
		t.Fatal(err)
	}
	forger := &uplink{intake: &in, sweeper: &sweeper{}, stolen: func(error) {}, asked: chunks[0].Position(), delivered: func() { times++ }}
	if err := give(forger, f); err == nil || times != 1 {
		t.Errorf("a chunk that is not the root's: %v, told %d times", err, times)
	}
}
