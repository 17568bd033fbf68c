package stream

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/seal"
)

// writeSealed puts some tags of a private channel into r, and returns what they are.
func (m *maker) writeSealed(t *testing.T, r *Ring, content seal.Content) []byte {
	t.Helper()
	w := NewSealedWriter(r, m.key, content, m.epoch, time.Now())
	if err := w.SetHeader([]byte("the title of the channel and its codec")); err != nil {
		t.Fatal(err)
	}
	var all []byte
	for i := range 50 {
		size := 1 + m.rnd.IntN(400)
		if i%10 == 0 {
			size = 1 + m.rnd.IntN(3*MaxPayload)
		}
		tag := randBytes(m.rnd, size)
		all = append(all, tag...)
		f := EndsChunk
		if i%10 == 0 {
			f |= StartHere
		}
		if err := w.WriteTag(tag, f); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestSealedChunksCrossLinksAndShowNothing(t *testing.T) {
	m := newMaker(t)
	content := seal.New().Content(m.id)
	r := NewRing(Limits{})
	all := m.writeSealed(t, r, content)
	var crossed []byte
	for _, it := range drain(t, r.Resume(Position{Epoch: m.epoch})) {
		h, err := ParseHeader(it.Header.Frame())
		if err != nil || h.Verify(m.id) != nil || !h.Sealed() {
			t.Fatalf("header: %v, %v", err, h.Verify(m.id))
		}
		c, err := ParseChunk(it.Chunk.Frame())
		if err != nil || c.Verify(m.id) != nil || !c.Has(Enc) || c.flags != it.Chunk.flags {
			t.Fatalf("chunk %d: %v", it.Chunk.Seq(), err)
		}
		crossed = append(append(crossed, h.Frame()...), c.Frame()...)
	}
	for at := 0; at+16 <= len(all); at += 7 {
		if bytes.Contains(crossed, all[at:at+16]) {
			t.Fatalf("the media are to be seen, at byte %d", at)
		}
	}
	if bytes.Contains(crossed, []byte("title")) {
		t.Error("the title is to be seen")
	}
}

func TestOpenedRingHasWhatWasWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMaker(t)
		content := seal.New().Content(m.id)
		r, plain := NewRing(Limits{}), NewRing(Limits{})
		cursor := plain.Cursor()
		go NewOpener(content, r, plain).Run(func(err error) { t.Error(err) })
		all := m.writeSealed(t, r, content)
		synctest.Wait()
		var got []byte
		for i, it := range drain(t, cursor) {
			if it.Chunk.Has(Enc) || it.Chunk.Frame() != nil || it.Header.Frame() != nil || it.Header.Sealed() || i == 0 && !it.Chunk.Has(Key) {
				t.Fatalf("chunk %d: flags %#x", it.Chunk.Seq(), it.Chunk.flags)
			}
			if got := string(it.Header.Payload()); got != "the title of the channel and its codec" {
				t.Fatalf("header %q", got)
			}
			got = append(got, it.Chunk.Payload()...)
		}
		if !bytes.Equal(got, all) {
			t.Fatalf("%d bytes came out of %d", len(got), len(all))
		}
		if was, is := r.Stats(), plain.Stats(); was.Head != is.Head || was.Received != is.Received || is.Memory >= was.Memory || is.Memory < len(all) {
			t.Errorf("%+v became %+v", was, is)
		}
		r.Close()
		synctest.Wait()
		if _, _, err := cursor.Poll(); !errors.Is(err, ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestWhatDoesNotOpenIsLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		ring   func(*maker, seal.Content) *Ring
		reason error
	}{
		"another secret": {func(m *maker, _ seal.Content) *Ring {
			m.seal = sealOf(seal.New().Content(m.id), m.epoch)
			return m.ringOf(Limits{})
		}, seal.ErrOpen},
		"a chunk of another secret": {func(m *maker, content seal.Content) *Ring {
			m.seal = sealOf(content, m.epoch)
			r := m.ringOf(Limits{})
			m.seal = sealOf(seal.New().Content(m.id), m.epoch)
			return r
		}, seal.ErrOpen},
		"a chunk of another epoch": {func(m *maker, content seal.Content) *Ring {
			m.seal = sealOf(content, m.epoch)
			r := m.ringOf(Limits{})
			m.seal = sealOf(content, Epoch{m.epoch.Ms, m.epoch.Rand + 1})
			return r
		}, seal.ErrOpen},
		"in the clear": {func(m *maker, _ seal.Content) *Ring { return m.ringOf(Limits{}) }, errClear},
		"a chunk in the clear": {func(m *maker, content seal.Content) *Ring {
			m.seal = sealOf(content, m.epoch)
			r := m.ringOf(Limits{})
			m.seal = nil
			return r
		}, errClear},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMaker(t)
				content := seal.New().Content(m.id)
				r := c.ring(m, content)
				mustAppend(t, r, m.small(Key|Tag, 1))
				plain := NewRing(Limits{})
				var told error
				go NewOpener(content, r, plain).Run(func(err error) { told = err })
				synctest.Wait()
				r.Close()
				if !errors.Is(told, c.reason) || plain.Stats().Received != 0 {
					t.Errorf("%v, %d chunks", told, plain.Stats().Received)
				}
			})
		})
	}
}

// A number may come again only under another key: after a restart, on another machine that has the
// same channel key and the same secret, with the clock set back. What is sealed under one key with
// one number twice gives both payloads away, so that this is tried a thousand times.
func TestNoNumberIsSealedTwiceUnderOneKey(t *testing.T) {
	m := newMaker(t)
	content := seal.New().Content(m.id)
	now := time.UnixMilli(1_700_000_000_000)
	var stored [2]Epoch // by machines that know nothing of each other
	const payload = "the same payload, whatever the run"
	type sealed struct {
		kind byte
		body string
	}
	seen := make(map[sealed]string)
	for run := range 1000 {
		machine := m.rnd.IntN(len(stored))
		now = now.Add(time.Duration(m.rnd.IntN(5)-2) * time.Millisecond) // many runs share a millisecond
		epoch := NextEpoch(stored[machine], now, rand.Uint64())
		stored[machine] = epoch
		r := NewRing(Limits{})
		w := NewSealedWriter(r, m.key, content, epoch, time.Now())
		note := func(kind byte, body []byte, where string) {
			k := sealed{kind, string(body[:len(body)-seal.Overhead])} // what follows depends on the clock, too
			if was, is := seen[k]; is {
				t.Fatalf("%s is sealed as %s was", where, was)
			}
			seen[k] = where
		}
		for gen := range 2 {
			if err := w.SetHeader([]byte(fmt.Sprintf("header %d", gen))); err != nil {
				t.Fatal(err)
			}
			note(FrameHeader, r.Header().Payload(), fmt.Sprintf("header %d of run %d", gen, run))
			for range 1 + m.rnd.IntN(4) {
				if err := w.WriteTag([]byte(payload), StartHere|EndsChunk); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, c := range held(t, r) {
			note(FrameChunk, c.Payload(), fmt.Sprintf("chunk %d of run %d", c.Seq(), run))
		}
	}
}

func TestSealedFramesKeepTheirBounds(t *testing.T) {
	m := newMaker(t)
	r := NewRing(Limits{})
	w := NewSealedWriter(r, m.key, seal.New().Content(m.id), m.epoch, time.Now())
	if err := w.SetHeader(make([]byte, MaxHeaderPayload-seal.Overhead+1)); err == nil {
		t.Error("a header that does not fit is taken")
	}
	if err := w.SetHeader(make([]byte, MaxHeaderPayload-seal.Overhead)); err != nil {
		t.Fatal(err)
	}
	if n := len(r.Header().Frame()); n != MaxHeader {
		t.Errorf("the header has %d bytes", n)
	}
	if err := w.WriteTag(make([]byte, 2*MaxPayload), StartHere|EndsChunk); err != nil {
		t.Fatal(err)
	}
	for i, c := range held(t, r) {
		if n := len(c.Frame()); n > MaxChunk || i < 2 && n != MaxChunk {
			t.Errorf("chunk %d has %d bytes", c.Seq(), n)
		}
	}
}
