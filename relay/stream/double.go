package stream

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	// sealLen is the length of what one chunk adds to a Double, in bytes: its fields, the SHA-256 of its
	// payload, and its signature.
	sealLen = chunkPayload - chunkVersion + sha256.Size + SignatureLen
	// DoubleLen is the length of a Double, in bytes.
	DoubleLen = 2 * sealLen
)

// ErrNoDouble says that what should prove that a key is used twice does not.
var ErrNoDouble = errors.New("it proves nothing")

// Double proves that a channel's key is used by two: it has signed two different chunks for one
// position. It holds of each what the signature is over, so that anybody can check it without the payload.
type Double [DoubleLen]byte

// DoubleOf makes the proof of two chunks. It is one only if [Double.Verify] says so.
func DoubleOf(a, b *Chunk) Double {
	var d Double
	for i, c := range []*Chunk{a, b} {
		s := d[i*sealLen : i*sealLen : (i+1)*sealLen]
		sum := sha256.Sum256(c.Payload())
		s = append(s, c.signed()...)
		s = append(s, sum[:]...)
		_ = append(s, c.frame[len(c.frame)-SignatureLen:]...)
	}
	return d
}

// Position is the one for which there are two chunks.
func (d *Double) Position() Position { return positionOf(d[:sealLen]) }

// positionOf reads the fields of a chunk, from its version on.
func positionOf(fields []byte) Position {
	c := Chunk{frame: append(make([]byte, chunkVersion), fields...)}
	return Position{getEpoch(c.frame[chunkEpoch:]), binary.BigEndian.Uint64(c.frame[chunkSeq:])}
}

// Verify checks that the channel's key has signed both, and that they differ in what it has signed.
func (d *Double) Verify(id ChannelID) error {
	const signature = sealLen - SignatureLen
	a, b := d[:sealLen], d[sealLen:]
	if positionOf(a) != positionOf(b) || bytes.Equal(a[:signature], b[:signature]) {
		return ErrNoDouble
	}
	for _, s := range [][]byte{a, b} {
		signed := append([]byte(domainChunk), id[:]...)
		if s[0] != Version || !ed25519.Verify(id[:], append(signed, s[:signature]...), s[signature:]) {
			return fmt.Errorf("%w: %w", ErrNoDouble, ErrSignature)
		}
	}
	return nil
}
