package archive

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"relay/relay/stream"
)

// Layout of an index, in bytes from the start of its frame; integers big-endian.
//
//	 0  prelude (type 0x7f, length of the rest)
//	 4  first and last chunk: epoch ms u64, rand u64, seq u64, time u64, for each
//	68  places: epoch ms u64, rand u64, seq u64, time u64, offset u32, offset of the header u32, for each
//	-8  CRC-32C (RFC 3720) of all before it
//	-4  length of the whole frame
//
// Times are the root's, in ms since 1970: epoch and beat together.
const (
	indexPlaces = stream.PreludeLen + 2*markLen
	markLen     = 32
	placeLen    = markLen + 8
	indexTail   = 8
	maxPlaces   = 16384 // more than seconds in the longest segment
	maxIndex    = indexPlaces + maxPlaces*placeLen + indexTail
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// mark is a chunk's place in the channel and in time.
type mark struct {
	pos stream.Position
	at  uint64 // Unix ms, by the root's clock
}

func markOf(c *stream.Chunk) mark { return mark{c.Position(), c.Made()} }

// place is where in a segment a reader may start.
type place struct {
	mark
	off    int64 // of the key chunk
	header int64 // of its header
}

func appendMark(b []byte, m mark) []byte {
	for _, v := range [...]uint64{m.pos.Epoch.Ms, m.pos.Epoch.Rand, m.pos.Seq, m.at} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

func readMark(b []byte) mark {
	u := func(i int) uint64 { return binary.BigEndian.Uint64(b[8*i:]) }
	return mark{stream.Position{Epoch: stream.Epoch{Ms: u(0), Rand: u(1)}, Seq: u(2)}, u(3)}
}

// appendIndex appends the index of a segment.
func appendIndex(b []byte, s *segment) []byte {
	begin := len(b)
	n := indexPlaces + len(s.places)*placeLen + indexTail
	b = append(b, make([]byte, stream.PreludeLen)...)
	stream.PutPrelude(b[begin:], frameIndex, n-stream.PreludeLen)
	b = appendMark(appendMark(b, s.first), s.last)
	for _, p := range s.places {
		b = appendMark(b, p.mark)
		b = binary.BigEndian.AppendUint32(b, uint32(p.off))
		b = binary.BigEndian.AppendUint32(b, uint32(p.header))
	}
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b[begin:], castagnoli))
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

// readIndex fills s in from the index at the end of a file of that size. It reports false if there is
// none, or one that is not true of such a file.
func readIndex(r io.ReaderAt, size int64, s *segment) bool {
	var tail [indexTail]byte
	if size < int64(prefaceLen+indexPlaces+indexTail) {
		return false
	}
	if _, err := r.ReadAt(tail[:], size-indexTail); err != nil {
		return false
	}
	n := int64(binary.BigEndian.Uint32(tail[4:]))
	if n < indexPlaces+indexTail || n > maxIndex || n > size-int64(prefaceLen) || (n-indexPlaces-indexTail)%placeLen != 0 {
		return false
	}
	b := make([]byte, n)
	if _, err := r.ReadAt(b, size-n); err != nil {
		return false
	}
	if typ, length, err := lengthOf(b); err != nil || typ != frameIndex || int64(length) != n ||
		crc32.Checksum(b[:n-indexTail], castagnoli) != binary.BigEndian.Uint32(tail[:]) {
		return false
	}
	s.size = size - n
	s.first, s.last = readMark(b[stream.PreludeLen:]), readMark(b[stream.PreludeLen+markLen:])
	for b = b[indexPlaces : n-indexTail]; len(b) > 0; b = b[placeLen:] {
		s.places = append(s.places, place{
			readMark(b), int64(binary.BigEndian.Uint32(b[markLen:])), int64(binary.BigEndian.Uint32(b[markLen+4:])),
		})
	}
	return s.check() == nil
}

// check finds what in a segment's index cannot be.
func (s *segment) check() error {
	if s.last.pos.Compare(s.first.pos) < 0 || s.last.at < s.first.at {
		return fmt.Errorf("%w: the last chunk is before the first", ErrFormat)
	}
	before := place{mark: mark{at: s.first.at}, off: int64(prefaceLen)}
	for _, p := range s.places {
		switch {
		case p.pos.Compare(s.first.pos) < 0 || p.pos.Compare(s.last.pos) > 0 || p.pos.Compare(before.pos) <= 0,
			p.at < before.at, p.off <= before.off || p.off >= s.size,
			p.header < int64(prefaceLen) || p.header >= p.off:
			return fmt.Errorf("%w: an index that does not rise", ErrFormat)
		}
		before = p
	}
	return nil
}
