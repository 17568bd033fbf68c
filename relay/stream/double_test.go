package stream

import (
	"crypto/ed25519"
	"errors"
	"testing"
)

func TestOnlyTwoSignedChunksOfOnePositionProveThatAKeyIsUsedTwice(t *testing.T) {
	seed := make([]byte, ed25519.SeedSize)
	key := ed25519.NewKeyFromSeed(seed)
	seed[0] = 1
	other := ed25519.NewKeyFromSeed(seed)
	s := signer{key: key, id: IDOf(key), epoch: Epoch{Ms: 5, Rand: 6}}
	forger := signer{key: other, id: IDOf(key), epoch: s.epoch}
	next := signer{key: key, id: IDOf(key), epoch: Epoch{Ms: 5, Rand: 7}}
	one := s.chunk(nil, Tag, 7, 100, 1, []byte("one"))
	for name, c := range map[string]struct {
		b  *Chunk
		is bool
	}{
		"another payload":                 {s.chunk(nil, Tag, 7, 100, 1, []byte("two")), true},
		"another time":                    {s.chunk(nil, Tag, 7, 101, 1, []byte("one")), true},
		"the same":                        {s.chunk(nil, Tag, 7, 100, 1, []byte("one")), false},
		"another number":                  {s.chunk(nil, Tag, 8, 100, 1, []byte("two")), false},
		"another epoch":                   {next.chunk(nil, Tag, 7, 100, 1, []byte("two")), false},
		"one that the key has not signed": {forger.chunk(nil, Tag, 7, 100, 1, []byte("two")), false},
	} {
		for _, d := range []Double{DoubleOf(one, c.b), DoubleOf(c.b, one)} {
			err := d.Verify(s.id)
			if (err == nil) != c.is || err != nil && !errors.Is(err, ErrNoDouble) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	d := DoubleOf(one, s.chunk(nil, Tag, 7, 100, 1, []byte("two")))
	if d.Position() != one.Position() {
		t.Errorf("it is of %v", d.Position())
	}
	if err := d.Verify(IDOf(other)); err == nil {
		t.Error("it holds for another channel")
	}
	for i := range d { // every byte counts
		f := d
		f[i] ^= 1
		if f.Verify(s.id) == nil {
			t.Errorf("byte %d can be changed", i)
		}
	}
	if (&Double{}).Verify(s.id) == nil {
		t.Error("zeros prove something")
	}
}
