package mpegts

import (
	"bufio"
	"io"

	"relay/ingest/convert"
	"relay/ingest/flv"
)

const (
	// readAhead is the reader's buffer, in bytes: that of flv.Reader, so that one takes over the
	// other's.
	readAhead = 64 << 10
	// SniffLen is how much of a stream [Sniff] wants to see, in bytes, if there is that much.
	SniffLen = 6 * longPacket
	// longPacket is the longest form of a packet, with a code against errors behind it.
	longPacket = 204
	// stampLen is the length of the time in front of a packet of Blu-ray's and cameras' files.
	stampLen = 4
	// strayMost is how much of a stream may be no packets before it is taken for something else.
	strayMost = 1 << 20
)

// Framing is how packets lie in a stream of bytes.
type Framing struct {
	skip   int // bytes in front of the first packet's sync byte
	stride int // from one sync byte to the next
}

// Sniff looks at the beginning of a stream, and reports whether it is MPEG-TS: packets of 188 bytes,
// with a time in front of each (M2TS), or with a code behind. It may begin in the middle of one.
func Sniff(b []byte) (Framing, bool) {
	for _, stride := range []int{packetLen, stampLen + packetLen, longPacket} {
		for _, skip := range []int{0, stampLen} {
			if n := min(3, (len(b)-skip+stride-1)/stride); n > 1 && syncs(b, skip, stride) >= n {
				return Framing{skip, stride}, true
			}
		}
	}
	for _, stride := range []int{packetLen, stampLen + packetLen, longPacket} {
		for skip := range stride {
			if n := syncs(b, skip, stride); n >= 5 && skip+n*stride >= len(b) {
				return Framing{skip, stride}, true
			}
		}
	}
	return Framing{}, false
}

// syncs is how many packets follow each other, as far as b goes.
func syncs(b []byte, skip, stride int) (n int) {
	for at := skip; at < len(b) && b[at] == syncByte; at += stride {
		n++
	}
	return n
}

// Reader reads the tags of a stream of bytes. It belongs to one goroutine.
type Reader struct {
	r       *bufio.Reader
	framing Framing
	demux   *Demuxer
	queue   []flv.Tag
	stray   int   // bytes that were of no packet, since the last one
	end     error // why there is no more
}

// NewReader returns a reader of r, whose beginning is framed like that. The program and told are
// those of [NewDemuxer].
func NewReader(r io.Reader, f Framing, program int, told func(convert.Trouble, string)) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, readAhead), framing: f, demux: NewDemuxer(program, told)}
}

// Stats returns the counts so far.
func (r *Reader) Stats() Stats { return r.demux.Stats() }

// Next returns the next tag, which the caller may keep and change. The error is [io.EOF] at the end
// of a stream that had some, and else one of this package's, or the reader's own.
func (r *Reader) Next() (flv.Tag, error) {
	for len(r.queue) == 0 {
		if r.end != nil {
			return nil, r.end
		}
		r.fill()
	}
	t := r.queue[0]
	r.queue = r.queue[1:]
	return t, nil
}

// fill takes the next packet.
func (r *Reader) fill() {
	if r.framing.skip > 0 {
		if _, r.end = r.r.Discard(r.framing.skip); r.end != nil {
			return
		}
		r.framing.skip = 0
	}
	b, err := r.r.Peek(packetLen)
	if err != nil {
		r.finish(err)
		return
	}
	if b[0] != syncByte || !r.follows() {
		r.search()
		return
	}
	r.stray = 0
	tags, err := r.demux.Packet(b)
	if err != nil {
		r.end = err
	}
	r.queue = append(r.queue[:0], tags...)
	n := min(r.framing.stride, r.r.Buffered())
	if _, err := r.r.Discard(n); err != nil || n == r.framing.stride {
		return
	}
	if _, err := r.r.Discard(r.framing.stride - n); err != nil {
		r.finish(err)
	}
}

// follows reports whether another packet is where it should be, as far as bytes are at hand: a
// sync byte alone says little.
func (r *Reader) follows() bool {
	if r.stray == 0 || r.r.Buffered() <= r.framing.stride {
		return true
	}
	b, err := r.r.Peek(r.framing.stride + 1)
	return err != nil || b[r.framing.stride] == syncByte
}

// search drops what is in front of the next sync byte.
func (r *Reader) search() {
	b, _ := r.r.Peek(r.r.Buffered())
	n := 1
	for n < len(b) && b[n] != syncByte {
		n++
	}
	r.r.Discard(n) // they are there
	r.demux.stats.Damaged++
	if r.stray += n; r.stray > strayMost {
		r.end = ErrLost
	}
}

// finish ends the stream with what it has of a unit.
func (r *Reader) finish(err error) {
	r.end = err
	if err != io.EOF {
		return
	}
	tags, err := r.demux.Flush()
	r.queue = append(r.queue, tags...)
	if err != nil {
		r.end = err
	}
}
