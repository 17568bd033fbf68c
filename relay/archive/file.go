package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"relay/relay/stream"
)

const (
	magic      = "relay stream 1\r\n"
	prefaceLen = len(magic) + len(stream.ChannelID{})
	// frameIndex is the type of a segment's index. No frame on a link has it.
	frameIndex = 0x7f
)

// ErrFormat says that a file is none of this package's.
var ErrFormat = errors.New("not a kept stream")

// preface is how a file begins.
func preface(id stream.ChannelID) []byte { return append([]byte(magic), id[:]...) }

// readPreface returns whose chunks follow.
func readPreface(r io.ReaderAt) (id stream.ChannelID, err error) {
	var b [prefaceLen]byte
	if _, err := r.ReadAt(b[:], 0); err != nil && err != io.EOF {
		return id, err
	}
	rest, ok := bytes.CutPrefix(b[:], []byte(magic))
	if !ok {
		return id, ErrFormat
	}
	return stream.ChannelID(rest), nil
}

// mostOf returns how many bytes a frame of that type may have after its prelude, 0 if there is no such
// type in a file.
func mostOf(typ byte) int {
	switch typ {
	case stream.FrameChunk:
		return stream.MaxChunk - stream.PreludeLen
	case stream.FrameHeader:
		return stream.MaxHeader - stream.PreludeLen
	case frameIndex:
		return maxIndex
	}
	return 0
}

// errTorn says that a file ends within a frame.
var errTorn = fmt.Errorf("%w: it ends within a frame", ErrFormat)

// errJunk says that there is no frame where one should be.
var errJunk = fmt.Errorf("%w: there is no frame where one should begin", ErrFormat)

// lengthOf returns the type and the length, prelude included, of the frame that b begins with. It
// returns errTorn if b is too short to tell.
func lengthOf(b []byte) (typ byte, n int, err error) {
	if len(b) < stream.PreludeLen {
		return 0, 0, errTorn
	}
	typ, rest := stream.Prelude(b)
	if rest == 0 || rest > mostOf(typ) {
		return 0, 0, errJunk
	}
	return typ, stream.PreludeLen + rest, nil
}
