package stream

import (
	"encoding/binary"
	"fmt"
)

// Layout of a header, in bytes from the start of its frame; integers big-endian.
//
//	 0  prelude (type 0x02, length of the rest)
//	 4  version
//	 5  flags (only enc)
//	 6  epoch: ms u64, rand u64
//	22  generation u32
//	26  payload
//	-64 signature
const (
	headerEpoch   = 6
	headerGen     = 22
	headerPayload = 26

	// MaxHeaderPayload bounds a header: metadata of 64 KiB and a dozen decoder
	// configurations, with room.
	MaxHeaderPayload = 256 << 10
	// MinHeader and MaxHeader bound a whole header frame.
	MinHeader = headerPayload + SignatureLen
	MaxHeader = headerPayload + MaxHeaderPayload + SignatureLen
)

// Header is what a player needs before the first chunk: file header, metadata and
// decoder configurations. It is immutable.
type Header struct {
	frame []byte // nil once it has been opened
	plain []byte // the payload, if it has been opened
	epoch Epoch
	gen   uint32
}

// ParseHeader parses one whole frame, prelude included, and keeps it. The
// signature is not checked; see [Header.Verify].
func ParseHeader(frame []byte) (*Header, error) {
	if !checkPrelude(frame, FrameHeader) || len(frame) < headerPayload+SignatureLen || len(frame) > MaxHeader {
		return nil, fmt.Errorf("header of %d bytes: %w", len(frame), ErrFrame)
	}
	if frame[chunkVersion] != Version {
		return nil, fmt.Errorf("header version %d: %w", frame[chunkVersion], ErrVersion)
	}
	h := &Header{
		frame: frame,
		epoch: getEpoch(frame[headerEpoch:]),
		gen:   binary.BigEndian.Uint32(frame[headerGen:]),
	}
	if f := Flags(frame[chunkFlags]); f&^Enc != 0 || h.gen == 0 {
		return nil, fmt.Errorf("header flags %#x, generation %d: %w", f, h.gen, ErrFrame)
	}
	return h, nil
}

// Epoch is the run of the source that made the header.
func (h *Header) Epoch() Epoch { return h.epoch }

// Gen is the header's generation in its epoch, from 1; a later one replaces it.
func (h *Header) Gen() uint32 { return h.gen }

// Payload is the header's media bytes, or what they are sealed in. It must not be changed.
func (h *Header) Payload() []byte {
	if h.frame == nil {
		return h.plain
	}
	return h.frame[headerPayload : len(h.frame)-SignatureLen]
}

// Frame is the header as it goes over a link; nil if it has been opened. It must not be changed.
func (h *Header) Frame() []byte { return h.frame }

// Sealed reports whether the payload has to be opened before it means anything.
func (h *Header) Sealed() bool { return h.frame != nil && Flags(h.frame[chunkFlags])&Enc != 0 }

// size is what the header holds of memory, in bytes.
func (h *Header) size() int { return cap(h.frame) + cap(h.plain) }

func (h *Header) signed() []byte { return h.frame[chunkVersion:headerPayload] }
