package mkv

import "encoding/binary"

// block is what a SimpleBlock or a Block has (RFC 9559, 10).
type block struct {
	track  uint64
	time   int16 // from the cluster's, in its units
	key    bool  // of a SimpleBlock
	frames [][]byte
}

// Ways to lace frames, as the flags have them.
const (
	laceNone, laceXiph, laceFixed, laceEBML = 0, 1, 2, 3

	flagKey = 0x80
)

// parseBlock takes a block apart; into is memory for its frames. It reports false if that is none.
func parseBlock(b []byte, into [][]byte) (k block, ok bool) {
	track, n := parseSize(b)
	const fixed = 3 // time and flags
	if n <= 0 || len(b) < n+fixed {
		return k, false
	}
	flags := b[n+2]
	k = block{track: track, time: int16(binary.BigEndian.Uint16(b[n:])), key: flags&flagKey != 0}
	b = b[n+fixed:]
	lacing := flags >> 1 & 3
	if lacing == laceNone {
		k.frames = append(into[:0], b)
		return k, true
	}
	if len(b) < 1 {
		return k, false
	}
	count := int(b[0]) + 1
	k.frames, ok = laced(b[1:], lacing, count, into[:0])
	return k, ok
}

// laced are the frames of a lace: the last one has what the others leave.
func laced(b []byte, lacing byte, count int, into [][]byte) ([][]byte, bool) {
	if lacing == laceFixed {
		if len(b)%count != 0 {
			return nil, false
		}
		for n := len(b) / count; count > 0; count-- {
			into, b = append(into, b[:n]), b[n:]
		}
		return into, true
	}
	var sizes [255]int
	last, total := 0, 0
	for i := range count - 1 {
		var ok bool
		if lacing == laceXiph {
			last, b, ok = xiphSize(b)
		} else {
			last, b, ok = ebmlSize(b, last, i == 0)
		}
		if total += last; !ok || total > len(b) {
			return nil, false
		}
		sizes[i] = last
	}
	for _, n := range sizes[:count-1] {
		into, b = append(into, b[:n]), b[n:]
	}
	return append(into, b), true
}

// xiphSize reads a size that is the sum of bytes, of which the last is not 255.
func xiphSize(b []byte) (size int, rest []byte, ok bool) {
	for i, c := range b {
		if size += int(c); c != 255 {
			return size, b[i+1:], true
		}
	}
	return 0, nil, false
}

// ebmlSize reads the first size, or how much the next one differs from the one before.
func ebmlSize(b []byte, last int, first bool) (size int, rest []byte, ok bool) {
	v, n := parseSize(b)
	if n <= 0 {
		return 0, nil, false
	}
	if v == unknown { // all ones are a number here
		v = 1<<(7*n) - 1
	}
	if v >= 1<<32 {
		return 0, nil, false
	}
	if size = int(v); !first {
		size += last - (1<<(7*n-1) - 1)
	}
	return size, b[n:], size >= 0
}
