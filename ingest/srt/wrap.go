package srt

import (
	"crypto/aes"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// wrapCheck is in front of what is wrapped (RFC 3394, 2.2.3.1).
const wrapCheck = 0xa6a6a6a6a6a6a6a6

var errUnwrap = errors.New("the key does not open it")

// wrap wraps a key of whole 8 bytes with another one of AES (RFC 3394, 2.2.1).
func wrap(with, key []byte) ([]byte, error) {
	c, err := aes.NewCipher(with)
	if err != nil {
		return nil, err
	}
	out := append(binary.BigEndian.AppendUint64(nil, wrapCheck), key...)
	n := uint64(len(key) / 8)
	var b [16]byte
	copy(b[:8], out)
	for j := range uint64(6) {
		for i := uint64(1); i <= n; i++ {
			copy(b[8:], out[8*i:8*i+8])
			c.Encrypt(b[:], b[:])
			binary.BigEndian.PutUint64(b[:8], binary.BigEndian.Uint64(b[:8])^(n*j+i))
			copy(out[8*i:], b[8:])
		}
	}
	copy(out, b[:8])
	return out, nil
}

// unwrap is the other way (2.2.2).
func unwrap(with, wrapped []byte) ([]byte, error) {
	c, err := aes.NewCipher(with)
	if err != nil {
		return nil, err
	}
	if len(wrapped) < 24 || len(wrapped)%8 != 0 {
		return nil, errUnwrap
	}
	out := append([]byte{}, wrapped...)
	n := uint64(len(out)/8 - 1)
	var b [16]byte
	copy(b[:8], out)
	for j := uint64(6); j > 0; j-- {
		for i := n; i > 0; i-- {
			binary.BigEndian.PutUint64(b[:8], binary.BigEndian.Uint64(b[:8])^(n*(j-1)+i))
			copy(b[8:], out[8*i:8*i+8])
			c.Decrypt(b[:], b[:])
			copy(out[8*i:], b[8:])
		}
	}
	if subtle.ConstantTimeCompare(b[:8], binary.BigEndian.AppendUint64(nil, wrapCheck)) != 1 {
		return nil, errUnwrap
	}
	return out[8:], nil
}
