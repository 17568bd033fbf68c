package srt

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// The vectors of RFC 3394, 4.1, 4.4 and 4.6.
func TestKeyWrap(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, v := range []struct{ with, key, wrapped string }{
		{"000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff", "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"},
		{"000102030405060708090a0b0c0d0e0f1011121314151617", "00112233445566778899aabbccddeeff0001020304050607", "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2"},
		{"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f", "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"},
	} {
		with, key, wrapped := unhex(v.with), unhex(v.key), unhex(v.wrapped)
		if got, err := wrap(with, key); err != nil || !bytes.Equal(got, wrapped) {
			t.Errorf("wrapped: %x, %v", got, err)
		}
		if got, err := unwrap(with, wrapped); err != nil || !bytes.Equal(got, key) {
			t.Errorf("unwrapped: %x, %v", got, err)
		}
		for i := range wrapped {
			wrapped[i] ^= 1
			if got, err := unwrap(with, wrapped); err != errUnwrap {
				t.Errorf("with byte %d changed: %x, %v", i, got, err)
			}
			wrapped[i] ^= 1
		}
	}
	for n := range 24 {
		if _, err := unwrap(make([]byte, 16), make([]byte, n)); err != errUnwrap {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}
