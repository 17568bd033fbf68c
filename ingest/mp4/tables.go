package mp4

import (
	"encoding/binary"
	"io"
)

// span is a table of entries of the same length in a file, seen through a window.
type span struct {
	r     io.ReaderAt
	at    int64
	width int // bytes of an entry
	count uint32
	win   []byte
	first uint32 // entry at which the window begins
	bad   error  // of the file
}

// window is how much of a table is in memory, in bytes.
const window = 2 << 10

// newSpan is the table in a box, behind head bytes of which the last four are the number of its entries,
// as far as the box goes.
func newSpan(r io.ReaderAt, x box, head int64, width int) *span {
	s := &span{r: r, at: x.from + head, width: width}
	var b [4]byte
	if x.to-x.from < head {
		return s
	}
	if n, err := r.ReadAt(b[:], x.from+head-4); n < len(b) {
		s.bad = err
		return s
	}
	s.count = uint32(min(int64(binary.BigEndian.Uint32(b[:])), (x.to-s.at)/int64(width)))
	return s
}

// entry returns an entry, nil if there is none.
func (s *span) entry(i uint32) []byte {
	if s == nil || i >= s.count {
		return nil
	}
	from := int64(i) - int64(s.first)
	if from < 0 || (from+1)*int64(s.width) > int64(len(s.win)) {
		n := min(int64(s.count-i), window/int64(s.width))
		if s.win == nil {
			s.win = make([]byte, 0, window)
		}
		s.first, from = i, 0
		got, err := s.r.ReadAt(s.win[:n*int64(s.width)], s.at+int64(i)*int64(s.width))
		s.win = s.win[:got]
		if got < s.width {
			s.bad, s.count = err, i
			return nil
		}
	}
	return s.win[from*int64(s.width):][:s.width]
}

// mostSame is how many samples of one size are believed, of which no table tells: those of sound in six
// days.
const mostSame = 1 << 24

// tables are those of a track's samples (ISO/IEC 14496-12, 8.6 to 8.7); what is missing is nil.
type tables struct {
	stts, ctts, stsc, stss *span
	chunks                 *span // stco or co64
	sizes                  *span // nil if all are size
	bits                   int   // of an entry in stz2, of which two may share a byte
	size                   uint32
	count                  uint32 // samples
}

// sizeTable takes stsz or stz2.
func (t *tables) sizeTable(r io.ReaderAt, x box) {
	const head = 12
	var b [head]byte
	if n, _ := r.ReadAt(b[:], x.from); n < head || x.to-x.from < head {
		return
	}
	t.count = be32(b[:], 8)
	switch {
	case x.typ == "stz2":
		t.bits = int(b[7])
		if t.bits != 4 && t.bits != 8 && t.bits != 16 {
			t.count = 0
			return
		}
		bytes := (int64(t.count)*int64(t.bits) + 7) / 8
		t.sizes = newSpan(r, x, head, max(t.bits/8, 1))
		if bytes > x.to-t.sizes.at {
			t.count = uint32((x.to - t.sizes.at) * 8 / int64(t.bits))
		}
		if t.bits == 4 {
			t.sizes.count = (t.count + 1) / 2
		}
	case be32(b[:], 4) > 0:
		t.size, t.count = be32(b[:], 4), min(t.count, mostSame)
	default:
		t.sizes = newSpan(r, x, head, 4)
		t.count = t.sizes.count
	}
}

// sizeOf is how long a sample is.
func (t *tables) sizeOf(i uint32) uint32 {
	switch {
	case t.sizes == nil:
		return t.size
	case t.bits == 4:
		b := t.sizes.entry(i / 2)
		switch {
		case b == nil:
			return 0
		case i%2 == 0:
			return uint32(b[0] >> 4)
		}
		return uint32(b[0] & 15)
	}
	size := uint32(0)
	for _, c := range t.sizes.entry(i) {
		size = size<<8 | uint32(c)
	}
	return size
}

// bad is why a table could not be read, nil if all were.
func (t *tables) bad() error {
	for _, s := range []*span{t.stts, t.ctts, t.stsc, t.stss, t.chunks, t.sizes} {
		if s != nil && s.bad != nil {
			return s.bad
		}
	}
	return nil
}

// sampleAt is one sample, in the clock of its track.
type sampleAt struct {
	at       int64
	size     uint32
	dts, pts int64
	key      bool
	entry    uint32 // number of its description, from 1
	data     []byte // of a stream, where it has been read
}

// cursor goes through tables. Its zero value but for tables is at the first sample.
type cursor struct {
	*tables
	next   uint32 // number of the sample, from 0
	dts    int64
	offset int64 // of the sample in its chunk, and of the chunk

	time, times   uint32 // entry of stts, and how many of it have been used
	shift, shifts uint32 // of ctts
	run           uint32 // entry of stsc
	chunk, left   uint32 // chunk that comes next, and samples left of the one before
	described     uint32
	sync          uint32 // entry of stss
}

// sample returns the next one, and reports false if there is none.
func (c *cursor) sample() (s sampleAt, ok bool) {
	if c.tables == nil || c.next >= c.count {
		return s, false
	}
	for c.left == 0 {
		if !c.openChunk() {
			c.next = c.count
			return s, false
		}
	}
	size := c.sizeOf(c.next)
	s = sampleAt{at: c.offset, size: size, dts: c.dts, pts: c.dts + c.later(), key: c.isKey(), entry: c.described}
	c.dts += c.duration()
	c.offset += int64(size)
	c.left--
	c.next++
	return s, true
}

// openChunk goes to the next chunk. It reports false if there is none.
func (c *cursor) openChunk() bool {
	b := c.chunks.entry(c.chunk)
	switch len(b) {
	case 4:
		c.offset = int64(binary.BigEndian.Uint32(b))
	case 8:
		c.offset = int64(binary.BigEndian.Uint64(b) & (1<<62 - 1))
	default:
		return false
	}
	c.chunk++
	for {
		next := c.stsc.entry(c.run + 1)
		if next == nil || binary.BigEndian.Uint32(next) > c.chunk {
			break
		}
		c.run++
	}
	e := c.stsc.entry(c.run)
	if e == nil {
		return false
	}
	c.left, c.described = be32(e, 4), be32(e, 8)
	return true
}

// duration is how long it is from the sample to the next.
func (c *cursor) duration() int64 {
	e := c.stts.entry(c.time)
	for e != nil && c.times >= be32(e, 0) {
		more := c.stts.entry(c.time + 1)
		if more == nil {
			break // the last one goes on
		}
		c.time, c.times, e = c.time+1, 0, more
	}
	c.times++
	return int64(int32(be32(e, 4))) // some writers step back
}

// later is how much later than it is decoded the sample is shown. Some write numbers below zero
// whatever the version.
func (c *cursor) later() int64 {
	e := c.ctts.entry(c.shift)
	for e != nil && c.shifts >= be32(e, 0) {
		c.shift, c.shifts = c.shift+1, 0
		e = c.ctts.entry(c.shift)
	}
	if e == nil {
		return 0
	}
	c.shifts++
	return int64(int32(be32(e, 4)))
}

// isKey reports whether the sample is one to start at: each, where no table says which.
func (c *cursor) isKey() bool {
	if c.stss == nil {
		return true
	}
	for {
		e := c.stss.entry(c.sync)
		if e == nil || be32(e, 0) > c.next+1 {
			return false
		}
		c.sync++
		if be32(e, 0) == c.next+1 {
			return true
		}
	}
}
