package wire_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"relay/relay/wire"
)

// An offer ends behind the channel, as older nodes send it, or with a whole proof.
func TestAnOfferHasAProofOrNone(t *testing.T) {
	channel, proof := bytes.Repeat([]byte{0xc4}, 32), [wire.ProofLen]byte{1, 2, 31: 3}
	for want, f := range map[string]wire.Offer{
		"\x24\x00\x00\x21\x01" + string(channel):                    {Channel: [32]byte(channel)},
		"\x24\x00\x00\x41\x01" + string(channel) + string(proof[:]): {Channel: [32]byte(channel), Proof: &proof},
	} {
		if got := wire.Append(nil, f); string(got) != want {
			t.Errorf("%+v is %x, want %x", f, got, want)
		}
		if got, err := wire.Parse([]byte(want)); err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("%x is %+v, %v", want, got, err)
		}
	}
	for n := range wire.ProofLen + 2 {
		body := append(append([]byte{1}, channel...), make([]byte, n)...)
		_, err := wire.Parse(frameOf(0x24, body...))
		if whole := n == 0 || n == wire.ProofLen; whole != (err == nil) || !whole && !errors.Is(err, wire.ErrFrame) {
			t.Errorf("a proof of %d bytes: %v", n, err)
		}
	}
	zero := frameOf(0x24, append(append([]byte{1}, channel...), make([]byte, wire.ProofLen)...)...)
	if f, err := wire.Parse(zero); err != nil || f.(wire.Offer).Proof == nil {
		t.Errorf("a proof of zeros is taken for none: %+v, %v", f, err)
	}
}
