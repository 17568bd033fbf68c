package stream

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// reparsed is c as another node has it from a link.
func reparsed(t testing.TB, frame []byte) *Chunk {
	t.Helper()
	c, err := ParseChunk(slices.Clone(frame))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSumsVouchForNothingButTheChunksThatTheyCover(t *testing.T) {
	m := newMaker(t)
	chunks := m.several(MaxSums + 1)
	made := m.sums(chunks[:MaxSums])
	s, err := ParseSums(slices.Clone(made.Frame()))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(m.id); err != nil || s.First() != chunks[0].Position() || len(s.Frame()) != MaxSumsLen {
		t.Fatalf("sums of %d bytes from %v on: %v", len(s.Frame()), s.First(), err)
	}
	for i, c := range chunks {
		c = reparsed(t, c.Frame())
		if is := i < MaxSums; s.Covers(c.Position()) != is || s.Vouch(c) != is || (c.Sums() == s) != is {
			t.Errorf("chunk %d: covered %t, sums %p", c.Seq(), s.Covers(c.Position()), c.Sums())
		}
	}
	frame := chunks[3].Frame()
	for at := chunkPayload; at < len(frame); at++ { // its payload, and its signature
		altered := slices.Clone(frame)
		altered[at] ^= 1
		if c := reparsed(t, altered); s.Vouch(c) || c.Sums() != nil {
			t.Fatalf("byte %d can be changed", at)
		}
	}
	m.restart()
	if c := reparsed(t, m.small(Tag, 2).Frame()); s.Covers(c.Position()) || s.Vouch(c) {
		t.Error("they are good for another epoch")
	}
}

func TestEveryByteOfSumsIsSigned(t *testing.T) {
	m := newMaker(t)
	frame := m.sums(m.several(5)).Frame()
	for at := range frame {
		altered := slices.Clone(frame)
		altered[at] ^= 1
		if s, err := ParseSums(altered); err == nil && s.Verify(m.id) == nil {
			t.Errorf("byte %d can be changed", at)
		}
	}
	s, err := ParseSums(frame)
	if err != nil {
		t.Fatal(err)
	}
	if other := fixedMaker(1); !errors.Is(s.Verify(other.id), ErrSignature) {
		t.Error("they are good for another channel")
	}
}

// A signature that the key has made of one kind is none of another.
func TestSumsAreNoOtherSignedFrame(t *testing.T) {
	m := newMaker(t)
	frame := m.sums(m.several(4)).Frame()
	for typ, verify := range map[byte]func([]byte) error{
		FrameChunk: func(b []byte) error {
			c, err := ParseChunk(b)
			if err == nil {
				err = c.Verify(m.id)
			}
			return err
		},
		FrameHeader: func(b []byte) error {
			h, err := ParseHeader(b)
			if err == nil {
				err = h.Verify(m.id)
			}
			return err
		},
	} {
		b := slices.Clone(frame)
		PutPrelude(b, typ, len(b)-PreludeLen)
		if err := verify(b); err == nil {
			t.Errorf("they pass for a frame of type %d", typ)
		}
	}
}

func TestPicturesOfThreeChunksOrMoreHaveSums(t *testing.T) {
	type tag struct {
		size  int
		flags TagFlags
	}
	const most, sound = MaxPayload, Gathers
	for _, tc := range []struct {
		name string
		tags []tag
		want []int // for each chunk, how many its sums cover
	}{
		{"two chunks", []tag{{2 * most, EndsChunk}}, []int{0, 0}},
		{"three", []tag{{2*most + 1, EndsChunk}}, []int{3, 3, 3}},
		{"exactly three", []tag{{3 * most, EndsChunk}, {1, EndsChunk}}, []int{3, 3, 3, 0}},
		{"with a sound before it", []tag{{most - 1, sound}, {most + 2, EndsChunk}}, []int{3, 3, 3}},
		{"a place to start is not with what was before it", []tag{{1, sound}, {2*most + 1, StartHere | EndsChunk}}, []int{0, 3, 3, 3}},
		{"what has not ended", []tag{{3*most + 1, sound}, {1, EndsChunk}}, []int{3, 3, 3, 0}},
		{"two pictures", []tag{{3 * most, EndsChunk}, {4 * most, EndsChunk}}, []int{3, 3, 3, 4, 4, 4, 4}},
		{"sixteen", []tag{{16 * most, EndsChunk}}, slices.Repeat([]int{16}, 16)},
		{"eighteen", []tag{{18 * most, EndsChunk}}, append(slices.Repeat([]int{16}, 16), 0, 0)},
		{"nineteen", []tag{{19 * most, EndsChunk}}, append(slices.Repeat([]int{16}, 16), 3, 3, 3)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := fixedMaker(1)
			r := m.ringOf(Limits{})
			w := m.newTestWriter(t, r)
			for _, tag := range tc.tags {
				if err := w.WriteTag(make([]byte, tag.size), tag.flags|Gathers); err != nil {
					t.Fatal(err)
				}
			}
			var got []int
			for i, c := range held(t, r) {
				n := 0
				if s := c.Sums(); s != nil {
					n = len(s.digests()) / 32
					if err := s.Verify(m.id); err != nil || !s.Vouch(reparsed(t, c.Frame())) {
						t.Errorf("chunk %d: the sums do not hold, %v", c.Seq(), err)
					}
				}
				if err := c.Verify(m.id); err != nil || c.Seq() != uint64(i+1) {
					t.Errorf("chunk %d is number %d: %v", i+1, c.Seq(), err)
				}
				got = append(got, n)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("sums of %v, want %v", got, tc.want)
			}
		})
	}
}

// Sums are counted once in the ring's bound, however many links have brought them, and go with it.
func TestARingHoldsSumsOnce(t *testing.T) {
	m := newMaker(t)
	chunks := m.several(6)
	bare := m.ringOf(Limits{})
	for _, c := range chunks {
		mustAppend(t, bare, reparsed(t, c.Frame()))
	}
	s := m.sums(chunks[:4])
	r := m.ringOf(Limits{})
	for _, c := range chunks {
		again, err := ParseSums(slices.Clone(s.Frame()))
		if err != nil {
			t.Fatal(err)
		}
		c = reparsed(t, c.Frame())
		again.Vouch(c)
		mustAppend(t, r, c)
	}
	if got, want := r.Stats().Memory-bare.Stats().Memory, held(t, r)[0].Sums().size(); got != want {
		t.Errorf("the sums take %d bytes, want %d", got, want)
	}
	var first *Sums
	for i, c := range held(t, r) {
		switch {
		case i == 0:
			first = c.Sums()
		case i < 4 && c.Sums() != first, i >= 4 && c.Sums() != nil:
			t.Errorf("chunk %d has sums %p, the first %p", c.Seq(), c.Sums(), first)
		}
	}
	if first == nil || !bytes.Equal(first.Frame(), s.Frame()) || chunks[0].Clone().Sums() != nil {
		t.Errorf("sums %v, and of a copy %v", first, chunks[0].Clone().Sums())
	}
}

// What a picture in one chunk or two costs has not grown by sums: the chunk, what is signed, its signature.
func TestSmallPicturesAllocateNothingForSums(t *testing.T) {
	m := fixedMaker(1)
	w := m.newTestWriter(t, m.ringOf(Limits{Bytes: 1 << 20}))
	tag := make([]byte, 2*MaxPayload)
	n := testing.AllocsPerRun(100, func() {
		if err := w.WriteTag(tag, StartHere|EndsChunk|Gathers); err != nil {
			t.Fatal(err)
		}
	})
	if n > 8 {
		t.Errorf("%v allocations for two chunks", n)
	}
	if w.group.frames[1] != nil {
		t.Error("there is memory for more than one chunk")
	}
}
