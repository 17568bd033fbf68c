package stream

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Layout of a chunk, in bytes from the start of its frame; integers big-endian.
//
//	 0  prelude (type 0x01, length of the rest)
//	 4  version
//	 5  flags
//	 6  epoch: ms u64, rand u64
//	22  seq u64
//	30  beat u64
//	38  header generation u32
//	42  payload
//	-64 signature
const (
	chunkVersion = 4
	chunkFlags   = 5
	chunkEpoch   = 6
	chunkSeq     = 22
	chunkBeat    = 30
	chunkGen     = 38
	chunkPayload = 42

	// MaxChunk bounds a whole chunk frame: one TLS record of plaintext.
	MaxChunk = 16384
	// MaxPayload is the payload that fits a chunk.
	MaxPayload = MaxChunk - chunkPayload - SignatureLen
	// ChunkOverhead is what a chunk adds to its payload.
	ChunkOverhead = chunkPayload + SignatureLen
)

// Flags of a chunk.
type Flags uint8

const (
	// Key marks a chunk at whose first byte a decoder that has the header may start.
	Key Flags = 1 << iota
	// Tag marks a chunk that starts on a tag boundary.
	Tag
	// Enc marks a sealed payload, that of a private channel. Nodes pass it on; see [Opener].
	Enc
)

const knownFlags = Key | Tag | Enc

// Chunk is the unit that is signed, stored, sent and resumed at. It is immutable,
// and so is the frame under it: ring, links and viewers share it.
type Chunk struct {
	frame []byte // nil once it has been opened
	plain []byte // the payload, if it has been opened
	sums  *Sums  // that covers it; nil if its own signature was checked
	epoch Epoch
	seq   uint64
	beat  uint64
	gen   uint32
	flags Flags
}

// ParseChunk parses one whole frame, prelude included, and keeps it: the caller
// must not change it afterwards. The signature is not checked; see [Chunk.Verify].
func ParseChunk(frame []byte) (*Chunk, error) {
	if !checkPrelude(frame, FrameChunk) || len(frame) <= ChunkOverhead || len(frame) > MaxChunk {
		return nil, fmt.Errorf("chunk of %d bytes: %w", len(frame), ErrFrame)
	}
	if frame[chunkVersion] != Version {
		return nil, fmt.Errorf("chunk version %d: %w", frame[chunkVersion], ErrVersion)
	}
	c := &Chunk{
		frame: frame,
		epoch: getEpoch(frame[chunkEpoch:]),
		seq:   binary.BigEndian.Uint64(frame[chunkSeq:]),
		beat:  binary.BigEndian.Uint64(frame[chunkBeat:]),
		gen:   binary.BigEndian.Uint32(frame[chunkGen:]),
		flags: Flags(frame[chunkFlags]),
	}
	switch {
	case c.flags&^knownFlags != 0:
		return nil, fmt.Errorf("chunk flags %#x: %w", c.flags, ErrFrame)
	case c.flags&Key != 0 && c.flags&Tag == 0:
		return nil, fmt.Errorf("chunk is key but not at a tag boundary: %w", ErrFrame)
	case c.seq == 0 || c.gen == 0:
		return nil, fmt.Errorf("chunk seq %d, header generation %d, both count from 1: %w", c.seq, c.gen, ErrFrame)
	}
	return c, nil
}

// Epoch is the run of the source that made the chunk.
func (c *Chunk) Epoch() Epoch { return c.epoch }

// Seq is the chunk's number in its epoch, from 1, +1 each.
func (c *Chunk) Seq() uint64 { return c.seq }

// Beat is the root's clock when the chunk was closed: milliseconds since the
// epoch began.
func (c *Chunk) Beat() uint64 { return c.beat }

// Made is when the source made the chunk, by its clock, in Unix milliseconds. What it signs may be nonsense:
// nothing is later than the year 9999.
func (c *Chunk) Made() uint64 {
	return min(min(c.epoch.Ms, maxMade)+min(c.beat, maxMade), maxMade)
}

// maxMade is the end of the year 9999, in Unix milliseconds.
const maxMade = 253402300799999

// Gen is the generation of the header that the payload needs.
func (c *Chunk) Gen() uint32 { return c.gen }

// Has reports whether all of f are set.
func (c *Chunk) Has(f Flags) bool { return c.flags&f == f }

// Payload is the media: whole or partial tags, or what they are sealed in. It must not be changed.
func (c *Chunk) Payload() []byte {
	if c.frame == nil {
		return c.plain
	}
	return c.frame[chunkPayload : len(c.frame)-SignatureLen]
}

// Frame is the chunk as it goes over a link; nil if it has been opened, since it then stays on this
// machine. It must not be changed.
func (c *Chunk) Frame() []byte { return c.frame }

// Sums covers the chunk, as was verified; nil if nothing but the chunk's own signature is known to.
func (c *Chunk) Sums() *Sums { return c.sums }

// Clone returns a copy with bytes of its own, and without sums.
func (c *Chunk) Clone() *Chunk {
	clone := *c
	clone.frame, clone.plain, clone.sums = bytes.Clone(c.frame), bytes.Clone(c.plain), nil
	return &clone
}

// size is what the chunk holds of memory, in bytes.
func (c *Chunk) size() int { return cap(c.frame) + cap(c.plain) }

// Same reports whether the two are the same bytes.
func (c *Chunk) Same(o *Chunk) bool { return bytes.Equal(c.frame, o.frame) }

func (c *Chunk) signed() []byte { return c.frame[chunkVersion:chunkPayload] }

func getEpoch(b []byte) Epoch {
	return Epoch{Ms: binary.BigEndian.Uint64(b), Rand: binary.BigEndian.Uint64(b[8:])}
}

func putEpoch(b []byte, e Epoch) {
	binary.BigEndian.PutUint64(b, e.Ms)
	binary.BigEndian.PutUint64(b[8:], e.Rand)
}
