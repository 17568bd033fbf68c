package stream

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// signed is what chunks, headers and beats have in common.
type signed interface {
	Epoch() Epoch
	Frame() []byte
	Verify(ChannelID) error
}

// kinds has one parser for each signed format.
var kinds = map[string]func([]byte) (signed, error){
	"chunk":  func(b []byte) (signed, error) { return ParseChunk(b) },
	"header": func(b []byte) (signed, error) { return ParseHeader(b) },
	"beat":   func(b []byte) (signed, error) { return ParseBeat(b) },
	"about":  func(b []byte) (signed, error) { return ParseAbout(b) },
}

func (m *maker) frames() map[string][]byte {
	return map[string][]byte{
		"chunk":  m.chunk(nil, Key|Tag, 7, 9, 3, randBytes(m.rnd, 50)).Frame(),
		"header": m.header(3, randBytes(m.rnd, 50)).Frame(),
		"beat":   m.beat(7, 9).Frame(),
		"about":  m.about(7, 9, true).Frame(),
	}
}

func TestParsedFramesAreWhatWasSigned(t *testing.T) {
	m := newMaker(t)
	for range 200 {
		payload := randBytes(m.rnd, 1+m.rnd.IntN(MaxPayload))
		seq, beat, gen := 1+m.rnd.Uint64N(1<<63), m.rnd.Uint64(), 1+m.rnd.Uint32N(1<<31)
		flags := []Flags{0, Tag, Key | Tag, Enc, Key | Tag | Enc}[m.rnd.IntN(5)]

		c, err := ParseChunk(m.chunk(nil, flags, seq, beat, gen, payload).Frame())
		if err != nil {
			t.Fatal(err)
		}
		if c.Epoch() != m.epoch || c.Seq() != seq || c.Beat() != beat || c.Gen() != gen || c.flags != flags || !bytes.Equal(c.Payload(), payload) {
			t.Fatalf("chunk %+v is not what was signed", c)
		}
		h, err := ParseHeader(m.header(gen, payload).Frame())
		if err != nil {
			t.Fatal(err)
		}
		if h.Epoch() != m.epoch || h.Gen() != gen || !bytes.Equal(h.Payload(), payload) {
			t.Fatalf("header %+v is not what was signed", h)
		}
		b, err := ParseBeat(m.beat(seq, beat).Frame())
		if err != nil {
			t.Fatal(err)
		}
		if b.Epoch() != m.epoch || b.Head() != seq || b.Ms() != beat {
			t.Fatalf("beat %+v is not what was signed", b)
		}
		a, err := ParseAbout(m.about(beat, gen, gen%2 == 0).Frame())
		if err != nil {
			t.Fatal(err)
		}
		if a.Epoch() != m.epoch || a.Ms() != beat || a.Watching() != gen || a.NamesHidden() != (gen%2 == 0) {
			t.Fatalf("about %+v is not what was signed", a)
		}
		for _, s := range []signed{c, h, b, a} {
			if err := s.Verify(m.id); err != nil {
				t.Fatalf("%T: %v", s, err)
			}
		}
	}
}

func TestAnyFlippedBitIsNoticed(t *testing.T) {
	m := newMaker(t)
	for kind, frame := range m.frames() {
		for bit := range len(frame) * 8 {
			b := slices.Clone(frame)
			b[bit/8] ^= 1 << (bit % 8)
			s, err := kinds[kind](b)
			if err == nil {
				err = s.Verify(m.id)
			}
			if err == nil {
				t.Fatalf("%s: bit %d was flipped and nothing noticed", kind, bit)
			}
		}
	}
}

func TestAnotherChannelsSignatureIsRefused(t *testing.T) {
	m, other := fixedMaker(1), fixedMaker(2)
	for kind, frame := range m.frames() {
		s, err := kinds[kind](frame)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(other.id); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: error %v, want %v", kind, err, ErrSignature)
		}
	}
}

func TestASignatureOfOneKindIsNoneOfAnother(t *testing.T) {
	m := newMaker(t)
	fields, payload := []byte("the same fields"), []byte("the same payload")
	domains := []string{domainChunk, domainHeader, domainBeat, domainSums, domainAbout}
	for i, a := range domains {
		for _, b := range domains[i+1:] {
			if bytes.Equal(digest(a, m.id, fields, payload), digest(b, m.id, fields, payload)) {
				t.Errorf("%q and %q sign the same bytes", a, b)
			}
		}
	}
}

func TestMalformedFramesAreRefused(t *testing.T) {
	m := newMaker(t)
	for kind, frame := range m.frames() {
		parse := kinds[kind]
		for n := range len(frame) {
			if _, err := parse(frame[:n]); !errors.Is(err, ErrFrame) {
				t.Fatalf("%s cut to %d bytes: error %v, want %v", kind, n, err, ErrFrame)
			}
		}
		if _, err := parse(append(slices.Clone(frame), 0)); !errors.Is(err, ErrFrame) {
			t.Errorf("%s with a byte too many: error %v, want %v", kind, err, ErrFrame)
		}
		newer := slices.Clone(frame)
		newer[chunkVersion]++
		if _, err := parse(newer); !errors.Is(err, ErrVersion) {
			t.Errorf("%s of the next version: error %v, want %v", kind, err, ErrVersion)
		}
	}
	payload := []byte("tag")
	for name, frame := range map[string][]byte{
		"unknown flag":        m.chunk(nil, 1<<3, 1, 0, 1, payload).Frame(),
		"key inside a tag":    m.chunk(nil, Key, 1, 0, 1, payload).Frame(),
		"number 0":            m.chunk(nil, Tag, 0, 0, 1, payload).Frame(),
		"header generation 0": m.chunk(nil, Tag, 1, 0, 0, payload).Frame(),
		"no payload":          m.chunk(nil, Tag, 1, 0, 1, nil).Frame(),
		"a byte too many":     m.chunk(nil, Tag, 1, 0, 1, make([]byte, MaxPayload+1)).Frame(),
	} {
		if _, err := ParseChunk(frame); !errors.Is(err, ErrFrame) {
			t.Errorf("%s: error %v, want %v", name, err, ErrFrame)
		}
	}
	if _, err := ParseHeader(m.header(0, payload).Frame()); !errors.Is(err, ErrFrame) {
		t.Errorf("header of generation 0: error %v, want %v", err, ErrFrame)
	}
	if _, err := ParseHeader(m.header(1, make([]byte, MaxHeaderPayload+1)).Frame()); !errors.Is(err, ErrFrame) {
		t.Errorf("header of more than the most: error %v, want %v", err, ErrFrame)
	}
}

func TestLargestFramesParse(t *testing.T) {
	m := newMaker(t)
	c := m.chunk(nil, Tag, 1, 0, 1, make([]byte, MaxPayload))
	if _, err := ParseChunk(c.Frame()); err != nil || len(c.Frame()) != MaxChunk {
		t.Errorf("chunk of %d bytes: %v", len(c.Frame()), err)
	}
	h := m.header(1, make([]byte, MaxHeaderPayload))
	if _, err := ParseHeader(h.Frame()); err != nil || len(h.Frame()) != MaxHeader {
		t.Errorf("header of %d bytes: %v", len(h.Frame()), err)
	}
}
