package store

import (
	"crypto/ed25519"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/seal"
	"relay/relay/stream"
)

// streamLen is how many bytes of a key stream are compared. Those of two keys or nonces do not begin alike
// by chance.
const streamLen = 16

// keyStreams is what all runs of a channel's sources have sealed so far. AES-GCM adds a key stream to what
// it seals, which follows from key and nonce alone: two that are the same have the same key and nonce, and
// give away what was sealed with either.
type keyStreams struct {
	content seal.Content
	seen    map[[streamLen]byte]string
	places  map[string]bool // epoch, kind and number
	again   []string        // those that came twice
}

func newKeyStreams(content seal.Content) *keyStreams {
	return &keyStreams{content: content, seen: make(map[[streamLen]byte]string), places: make(map[string]bool)}
}

// note takes a frame from which payload was parsed.
func (k *keyStreams) note(t *testing.T, e stream.Epoch, kind seal.Kind, n uint64, frame, payload []byte) {
	t.Helper()
	where := fmt.Sprintf("%v, kind %d, number %d", e, kind, n)
	head := frame[stream.PreludeLen : len(frame)-stream.SignatureLen-len(payload)]
	run := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, e.Ms), e.Rand)
	plain, err := k.content.Epoch([16]byte(run)).Open(nil, kind, n, payload, head)
	if err != nil {
		t.Fatalf("%s is not sealed with what it says: %v", where, err)
	}
	if k.places[where] {
		k.again = append(k.again, where)
	}
	k.places[where] = true
	if len(plain) < streamLen {
		return // that its number comes once is all there is to see
	}
	var s [streamLen]byte
	subtle.XORBytes(s[:], plain[:streamLen], payload)
	if was, is := k.seen[s]; is {
		k.again = append(k.again, where+" is sealed as "+was)
	}
	k.seen[s] = where
}

// sealing is a source that runs.
type sealing struct {
	*stream.Writer
	ring   *stream.Ring
	cursor *stream.Cursor
	gen    uint32
}

func newSealing(key ed25519.PrivateKey, content seal.Content, e stream.Epoch) *sealing {
	r := stream.NewRing(stream.Limits{})
	return &sealing{Writer: stream.NewSealedWriter(r, key, content, e, time.Now()), ring: r, cursor: r.Resume(stream.Position{Epoch: e})}
}

// header sets a header of random length.
func (s *sealing) header(t *testing.T, rnd *rand.Rand) {
	t.Helper()
	if err := s.SetHeader(randomBytes(rnd, streamLen+rnd.IntN(200))); err != nil {
		t.Fatal(err)
	}
}

// tag writes a tag: most are short, some fill chunks, and some are made in a group with sums over them.
func (s *sealing) tag(t *testing.T, rnd *rand.Rand) {
	t.Helper()
	n := 1 + rnd.IntN(300)
	if rnd.IntN(6) == 0 {
		n = 1 + rnd.IntN(5*stream.MaxPayload)
	}
	var f stream.TagFlags
	for _, one := range []stream.TagFlags{stream.StartHere, stream.EndsChunk, stream.Gathers} {
		if rnd.IntN(3) == 0 {
			f |= one
		}
	}
	if err := s.WriteTag(randomBytes(rnd, n), f); err != nil {
		t.Fatal(err)
	}
}

// collect notes what was sealed since, and counts chunks: all, those that do not begin at a tag, and those
// that sums cover.
func (s *sealing) collect(t *testing.T, k *keyStreams) (all, split, summed int) {
	t.Helper()
	if h := s.ring.Header(); h.Gen() > s.gen {
		s.gen = h.Gen()
		k.note(t, h.Epoch(), seal.Header, uint64(h.Gen()), h.Frame(), h.Payload())
	}
	for {
		it, wait, err := s.cursor.Poll()
		if err != nil {
			t.Fatal(err)
		}
		if wait != nil {
			return all, split, summed
		}
		c := it.Chunk
		k.note(t, c.Epoch(), seal.Chunk, c.Seq(), c.Frame(), c.Payload())
		all++
		if !c.Has(stream.Tag) {
			split++
		}
		if c.Sums() != nil {
			summed++
		}
	}
}

func randomBytes(rnd *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// A source is started again and again on two machines that have one key and one secret, also on both at
// once, while clocks go back and what is kept of the last epoch is lost, or comes back from a copy of the folder. Whatever
// it sends, nothing is ever sealed with a key and a nonce that were used before.
func TestNothingIsSealedTwiceWithOneKeyAndNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		rnd := rand.New(rand.NewPCG(seed, 0))
		key := ed25519.NewKeyFromSeed(randomBytes(rnd, ed25519.SeedSize))
		content := seal.New().Content(stream.IDOf(key))
		k := newKeyStreams(content)

		const runs, most = 300, 4 // most run at once
		dirs := []string{filepath.Join(t.TempDir(), "relay"), filepath.Join(t.TempDir(), "relay")}
		machines := []*Store{openStore(t, dirs[0]), openStore(t, dirs[1])}
		files := []string{epochPath(dirs[0], "main"), epochPath(dirs[1], "main")}
		copies := make([][]byte, len(files)) // of an earlier epoch file
		now := time.UnixMilli(1_700_000_000_000)
		began := make(map[uint64]int) // runs by their millisecond
		var running []*sealing
		var lost, restored, back, chunks, split, summed, sameMs int
		for begun := 0; begun < runs || len(running) > 0; {
			act := rnd.IntN(12)
			switch {
			case begun < runs && (len(running) == 0 || act == 0 && len(running) < most):
				m := rnd.IntN(len(machines))
				switch rnd.IntN(4) {
				case 0:
					if os.Remove(files[m]) == nil {
						lost++
					}
				case 1:
					if len(copies[m]) > 0 {
						if err := replacePrivate(files[m], copies[m]); err != nil {
							t.Fatal(err)
						}
						restored++
					}
				case 2:
					copies[m], _ = os.ReadFile(files[m]) // none yet, at first
				}
				step := time.Duration(rnd.IntN(5)-2) * time.Millisecond // many runs share a millisecond
				if rnd.IntN(10) == 0 {
					step = -time.Hour
				}
				if now = now.Add(step); step < 0 {
					back++
				}
				if now.UnixMilli() < 1_700_000_000_000-3*time.Hour.Milliseconds() {
					now = time.UnixMilli(1_700_000_000_000)
				}
				e, err := machines[m].NextEpoch("main", now)
				if err != nil {
					t.Fatal(err)
				}
				if began[e.Ms]++; began[e.Ms] > 1 {
					sameMs++
				}
				s := newSealing(key, content, e)
				s.header(t, rnd)
				running = append(running, s)
				begun++
			case act == 1 || begun == runs && act < 4:
				i := rnd.IntN(len(running))
				running = append(running[:i], running[i+1:]...) // killed
			case act == 2:
				running[rnd.IntN(len(running))].header(t, rnd)
			default:
				running[rnd.IntN(len(running))].tag(t, rnd)
			}
			if rnd.IntN(3) == 0 {
				time.Sleep(time.Millisecond) // chunks that wait for no more tags are closed
				synctest.Wait()
			}
			for _, s := range running {
				a, b, c := s.collect(t, k)
				chunks, split, summed = chunks+a, split+b, summed+c
			}
		}
		t.Logf("%d runs, %d of them in another one's millisecond, %d with the epoch lost, %d with an older one, %d after the clock went back; %d chunks, %d inside a tag, %d below sums",
			runs, sameMs, lost, restored, back, chunks, split, summed)
		for what, n := range map[string]int{"in the same millisecond": sameMs, "with the epoch lost": lost, "with an older epoch": restored, "after the clock went back": back, "of split tags": split, "below sums": summed} {
			if n == 0 {
				t.Errorf("there is nothing %s: this test proves too little", what)
			}
		}
		for _, where := range k.again {
			t.Errorf("sealed twice: %s", where)
		}
	})
}

// The one exception (see SECURITY.md): a machine that is copied while the source runs goes on twice in one
// epoch. It shows that the test above can see it.
func TestACopiedMachineSealsTwice(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 0))
	key := ed25519.NewKeyFromSeed(randomBytes(rnd, ed25519.SeedSize))
	content := seal.New().Content(stream.IDOf(key))
	k := newKeyStreams(content)
	e, err := openStore(t, filepath.Join(t.TempDir(), "relay")).NextEpoch("main", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s := newSealing(key, content, e)
		s.header(t, rnd)
		if err := s.WriteTag(randomBytes(rnd, 100), stream.StartHere|stream.EndsChunk); err != nil {
			t.Fatal(err)
		}
		s.collect(t, k)
	}
	if len(k.again) != 4 {
		t.Errorf("%q", k.again)
	}
}
