package stream

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Layout of a beat, in bytes from the start of its frame; integers big-endian.
//
//	 0  prelude (type 0x03, length of the rest)
//	 4  version
//	 5  flags, 0
//	 6  epoch: ms u64, rand u64
//	22  head u64: seq of the newest chunk, 0 if there is none yet
//	30  beat u64
//	38  signature
const (
	beatHead = 22
	beatMs   = 30
	beatSig  = 38

	// BeatLen is the length of a whole beat frame.
	BeatLen = beatSig + SignatureLen
	// BeatInterval is how often the root signs one.
	BeatInterval = time.Second
)

// Beat is the root's signed clock. It goes down the tree every second whether or
// not there is media, so that a node can tell a source that is silent from a
// parent that withholds.
type Beat struct {
	frame []byte
	epoch Epoch
	head  uint64
	ms    uint64
}

// ParseBeat parses one whole frame, prelude included, and keeps it. The signature
// is not checked; see [Beat.Verify].
func ParseBeat(frame []byte) (*Beat, error) {
	if !checkPrelude(frame, FrameBeat) || len(frame) != BeatLen || frame[chunkFlags] != 0 {
		return nil, fmt.Errorf("beat of %d bytes: %w", len(frame), ErrFrame)
	}
	if frame[chunkVersion] != Version {
		return nil, fmt.Errorf("beat version %d: %w", frame[chunkVersion], ErrVersion)
	}
	return &Beat{
		frame: frame,
		epoch: getEpoch(frame[chunkEpoch:]),
		head:  binary.BigEndian.Uint64(frame[beatHead:]),
		ms:    binary.BigEndian.Uint64(frame[beatMs:]),
	}, nil
}

// Epoch is the run of the source that made the beat.
func (b *Beat) Epoch() Epoch { return b.epoch }

// Head is the number of the newest chunk, 0 if there is none yet.
func (b *Beat) Head() uint64 { return b.head }

// Ms is the root's clock: milliseconds since the epoch began.
func (b *Beat) Ms() uint64 { return b.ms }

// Frame is the beat as it goes over a link. It must not be changed.
func (b *Beat) Frame() []byte { return b.frame }

func (b *Beat) signed() []byte { return b.frame[chunkVersion:beatSig] }
