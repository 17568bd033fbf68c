package playback

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// storms is how many random histories a run tries.
const storms = 10

// TestWhateverHappensUpstreamAReaderGetsValidFLV loses chunks, restarts the source
// and changes headers at random, and checks what must hold for a reader anyway.
func TestWhateverHappensUpstreamAReaderGetsValidFLV(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range storms {
		storm(t, rand.New(rand.NewPCG(seed, uint64(i))))
	}
}

func storm(t *testing.T, rnd *rand.Rand) {
	s := newSource(t, stream.Limits{})
	relay := stream.NewRing(stream.Limits{Bytes: 300_000 + rnd.IntN(1<<20)})
	upstream := s.ring.Cursor()
	f := newFeed(relay, true)
	var got []byte
	needKey := true
	ts := uint32(rnd.IntN(100_000))
	for round := range 40 {
		switch rnd.IntN(8) {
		case 0:
			s.restart()
			s.header(fmt.Sprint("run ", round%3))
			ts = s.group(uint32(rnd.IntN(100_000)))
		case 1:
			s.reconfigure(ts, fmt.Sprint("parameters ", round%3))
		case 2:
			s.frame(ts, rnd.IntN(10*stream.MaxPayload)+5)
		default:
			ts = s.group(ts)
		}
		s.flush()
		for {
			it, wait, err := upstream.Poll()
			if err != nil {
				t.Fatal(err)
			}
			if wait != nil {
				break
			}
			needKey = needKey || it.Jump || rnd.IntN(40) == 0 // lost on the way
			if needKey && !it.Chunk.Has(stream.Key) {
				continue
			}
			needKey = false
			pass(t, relay, []stream.Item{it})
			if rnd.IntN(3) == 0 {
				got = append(got, drain(t, f)...)
			}
		}
	}
	got = append(got, drain(t, f)...)
	check(t, s, got)
}

// check verifies that got is a file header and whole tags, each one that s sent or
// a configuration, in order, with timestamps that never go back.
func check(t *testing.T, s *source, got []byte) {
	t.Helper()
	next := 0
	var newest uint32
	for i, tag := range parse(t, got) {
		if i >= 2 && tag.Timestamp() < newest {
			t.Fatalf("tag %d goes back from %d to %d ms", i, newest, tag.Timestamp())
		}
		newest = max(newest, tag.Timestamp())
		if flv.Classify(tag).Config {
			continue
		}
		for ; next < len(s.tags) && !bytes.Equal(s.tags[next].Body(), tag.Body()); next++ {
		}
		if next == len(s.tags) {
			t.Fatalf("tag %d was not sent, or not after the ones before it", i)
		}
		next++
	}
	if next == 0 {
		t.Fatal("no media came through")
	}
}
