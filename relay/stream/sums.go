package stream

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Layout of sums, in bytes from the start of the frame; integers big-endian.
//
//	 0  prelude (type 0x05, length of the rest)
//	 4  version
//	 5  flags, 0
//	 6  epoch: ms u64, rand u64
//	22  first u64: seq of the first chunk that is covered
//	30  SHA-256 of that chunk's whole frame, and of each that follows
//	-64 signature
const (
	sumsFirst   = 22
	sumsDigests = 30

	// MinSums and MaxSums bound how many chunks are covered. Of two, a signature for both would save a
	// node as much as it costs the source.
	MinSums = 3
	MaxSums = 16
	// MinSumsLen and MaxSumsLen bound the whole frame, in bytes.
	MinSumsLen = sumsDigests + MinSums*sha256.Size + SignatureLen
	MaxSumsLen = sumsDigests + MaxSums*sha256.Size + SignatureLen
)

// Sums is one signature for the chunks of a picture: it covers their frames, with their own signatures.
// Who has it need not check those. They stay, for who does not have it.
type Sums struct {
	frame []byte
	first Position
}

// ParseSums parses one whole frame, prelude included, and keeps it. The signature is not checked; see
// [Sums.Verify].
func ParseSums(frame []byte) (*Sums, error) {
	digests := len(frame) - sumsDigests - SignatureLen
	if !checkPrelude(frame, FrameSums) || len(frame) < MinSumsLen || len(frame) > MaxSumsLen || digests%sha256.Size != 0 || frame[chunkFlags] != 0 {
		return nil, fmt.Errorf("sums of %d bytes: %w", len(frame), ErrFrame)
	}
	if frame[chunkVersion] != Version {
		return nil, fmt.Errorf("sums version %d: %w", frame[chunkVersion], ErrVersion)
	}
	s := &Sums{frame: frame, first: Position{getEpoch(frame[chunkEpoch:]), binary.BigEndian.Uint64(frame[sumsFirst:])}}
	if n := uint64(digests / sha256.Size); s.first.Seq == 0 || s.first.Seq+n < n {
		return nil, fmt.Errorf("sums of %d chunks from %d on: %w", n, s.first.Seq, ErrFrame)
	}
	return s, nil
}

// First is the position of the first chunk that is covered.
func (s *Sums) First() Position { return s.first }

// Frame is the sums as they go over a link. It must not be changed.
func (s *Sums) Frame() []byte { return s.frame }

// Covers reports whether there is a digest for the chunk at p.
func (s *Sums) Covers(p Position) bool {
	return p.Epoch == s.first.Epoch && p.Seq >= s.first.Seq && p.Seq-s.first.Seq < uint64(len(s.digests())/sha256.Size)
}

// Vouch reports whether c is a chunk that is covered, byte for byte, and then has it know that: see
// [Chunk.Sums]. The sums must have been verified, and nobody else may have the chunk yet.
func (s *Sums) Vouch(c *Chunk) bool {
	if !s.Covers(c.Position()) {
		return false
	}
	at := int(c.seq-s.first.Seq) * sha256.Size
	sum := sha256.Sum256(c.frame)
	if !bytes.Equal(sum[:], s.digests()[at:at+sha256.Size]) {
		return false
	}
	c.sums = s
	return true
}

// same reports whether the two are the same bytes.
func (s *Sums) same(o *Sums) bool {
	return s == o || s != nil && o != nil && bytes.Equal(s.frame, o.frame)
}

// size is what the sums hold of memory, in bytes.
func (s *Sums) size() int { return cap(s.frame) + sumsCost }

func (s *Sums) signed() []byte { return s.frame[chunkVersion:sumsDigests] }

func (s *Sums) digests() []byte { return s.frame[sumsDigests : len(s.frame)-SignatureLen] }
