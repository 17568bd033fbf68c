package stream

import (
	"bytes"
	"testing"
)

func FuzzParseChunk(f *testing.F) {
	m := fixedMaker(1)
	f.Add(m.chunk(nil, Key|Tag, 1, 2, 3, []byte("tag")).Frame())
	f.Fuzz(func(t *testing.T, frame []byte) {
		c, err := ParseChunk(frame)
		if err != nil {
			return
		}
		again := signer{key: m.key, id: m.id, epoch: c.Epoch()}.chunk(nil, c.flags, c.Seq(), c.Beat(), c.Gen(), c.Payload())
		unsigned := len(frame) - SignatureLen
		if !bytes.Equal(again.Frame()[:unsigned], frame[:unsigned]) || len(again.Frame()) != len(frame) {
			t.Fatal("fields that were read do not make the same frame")
		}
		if len(frame) > MaxChunk || len(c.Payload()) == 0 || c.Seq() == 0 || c.Gen() == 0 || c.Has(Key) && !c.Has(Tag) {
			t.Fatalf("chunk %+v was taken", c)
		}
		if c.Verify(m.id) == nil && !bytes.Equal(again.Frame(), frame) {
			t.Fatal("a signature that the key did not make verifies")
		}
	})
}

func FuzzParseHeader(f *testing.F) {
	m := fixedMaker(1)
	f.Add(m.header(3, []byte("header")).Frame())
	f.Fuzz(func(t *testing.T, frame []byte) {
		h, err := ParseHeader(frame)
		if err != nil {
			return
		}
		again := signer{key: m.key, id: m.id, epoch: h.Epoch()}.header(h.Gen(), h.Payload()).Frame()
		again[chunkFlags] = frame[chunkFlags] // a writer sets none
		unsigned := len(frame) - SignatureLen
		if !bytes.Equal(again[:unsigned], frame[:unsigned]) || len(again) != len(frame) {
			t.Fatal("fields that were read do not make the same frame")
		}
		if len(frame) > MaxHeader || h.Gen() == 0 {
			t.Fatalf("header of %d bytes, generation %d was taken", len(frame), h.Gen())
		}
		h.Verify(m.id)
	})
}

func FuzzParseBeat(f *testing.F) {
	m := fixedMaker(1)
	f.Add(m.beat(1, 2).Frame())
	f.Fuzz(func(t *testing.T, frame []byte) {
		b, err := ParseBeat(frame)
		if err != nil {
			return
		}
		again := signer{key: m.key, id: m.id, epoch: b.Epoch()}.beat(b.Head(), b.Ms()).Frame()
		if !bytes.Equal(again[:beatSig], frame[:beatSig]) || len(frame) != BeatLen {
			t.Fatal("fields that were read do not make the same frame")
		}
		b.Verify(m.id)
	})
}

func FuzzParseAbout(f *testing.F) {
	m := fixedMaker(1)
	f.Add(m.about(1, 2, false).Frame())
	f.Add(m.about(3, 1<<31, true).Frame())
	f.Fuzz(func(t *testing.T, frame []byte) {
		a, err := ParseAbout(frame)
		if err != nil {
			return
		}
		again := signer{key: m.key, id: m.id, epoch: a.Epoch()}.about(a.Ms(), a.Watching(), a.NamesHidden()).Frame()
		if !bytes.Equal(again[:aboutSig], frame[:aboutSig]) || len(frame) != AboutLen {
			t.Fatal("fields that were read do not make the same frame")
		}
		a.Verify(m.id)
	})
}

func FuzzParseChannelID(f *testing.F) {
	f.Add(fixedMaker(1).id.String())
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseChannelID(s)
		if err != nil {
			return
		}
		if again, err := ParseChannelID(id.String()); err != nil || again != id || len(s) != ChannelIDLen {
			t.Fatalf("%q was read as %v, which reads as %v, %v", s, id, again, err)
		}
	})
}

func FuzzParseSums(f *testing.F) {
	m := fixedMaker(1)
	f.Add(m.sums(m.several(MinSums)).Frame())
	f.Add(m.sums(m.several(MaxSums)).Frame())
	f.Fuzz(func(t *testing.T, frame []byte) {
		s, err := ParseSums(frame)
		if err != nil {
			return
		}
		first, n := s.First(), uint64(len(s.digests())/32)
		last, next := Position{first.Epoch, first.Seq + n - 1}, Position{first.Epoch, first.Seq + n}
		if n < MinSums || n > MaxSums || len(frame) > MaxSumsLen || first.Seq == 0 || !s.Covers(first) || !s.Covers(last) || s.Covers(next) {
			t.Fatalf("sums of %d bytes, of %d chunks from %v on", len(frame), n, first)
		}
		s.Verify(m.id)
		if s.Vouch(m.small(Tag, first.Seq)) && first.Epoch != m.epoch {
			t.Fatal("it vouches for a chunk of another epoch")
		}
	})
}
