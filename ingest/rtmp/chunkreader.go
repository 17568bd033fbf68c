package rtmp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	// firstChunkSize is the chunk size until the peer sets another, in bytes (section 5.4.1).
	firstChunkSize = 128
	// maxChunkSize is the largest that the protocol has, in bytes. Encoders that want each
	// message in one chunk send 10 MB or this.
	maxChunkSize = 1<<31 - 1
	// maxMessage is the longest message that is taken, in bytes.
	maxMessage = 10 << 20
	// maxUnfinished bounds the messages of all chunk streams that have begun and are not whole
	// yet, in bytes.
	maxUnfinished = 16 << 20
	// maxChunkStreams is how many chunk streams a peer may use. Encoders use up to ten.
	maxChunkStreams = 64
	// bodyStep is how much memory a message gets at a time, in bytes: more comes when that has
	// been filled.
	bodyStep = 64 << 10
	// keptBody is how much memory a chunk stream keeps for its next message, in bytes.
	keptBody = 256 << 10
)

// Formats of a chunk's header, by what they leave out (section 5.3.1.2).
const (
	wholeHeader = 0
	sameStream  = 1
	sameLength  = 2
	noHeader    = 3
)

var (
	errNoHeader   = errors.New("a chunk leaves out what no chunk before it has said")
	errUnfinished = fmt.Errorf("more than %d MiB of messages that do not end", maxUnfinished>>20)
)

// chunkReader puts messages together from chunks (section 5.3). It believes no length until
// the bytes have come. It belongs to one goroutine.
type chunkReader struct {
	in     *bufio.Reader
	size   uint32 // of the peer's chunks, in bytes
	stream map[uint32]*chunkStream
	last   *chunkStream // of the message that was read last

	unfinished int // bytes of messages that are not whole yet
	repeats    repeats

	// The peer is told what has come whenever that is window bytes more than at the last time;
	// never if window is 0 (section 5.4.3).
	window      uint32
	came, acked uint32 // bytes, which wrap
	acknowledge func(came uint32) error
}

// repeats is what a peer does in front of each further chunk of a message whose timestamp takes
// 32 bits.
type repeats int

const (
	unseen   repeats = iota // there was none yet
	repeated                // it repeats the timestamp, or writes something in its place
	omitted                 // it goes on with the body
)

// chunkStream is what the chunks of one chunk stream have in common.
type chunkStream struct {
	known  bool   // a header has come
	long   bool   // an extended timestamp is part of the header
	field  uint32 // the timestamp or the difference, as the last header had it
	ms     uint32
	length int
	typ    uint8
	on     uint32 // message stream
	body   []byte
	open   bool // body is a part of a message
}

func newChunkReader(r io.Reader, acknowledge func(came uint32) error) *chunkReader {
	return &chunkReader{
		in: bufio.NewReaderSize(r, 16<<10), size: firstChunkSize,
		stream: make(map[uint32]*chunkStream), acknowledge: acknowledge,
	}
}

// read returns the next message. It returns [io.EOF] only between two chunks.
func (r *chunkReader) read() (message, error) {
	if s := r.last; s != nil && cap(s.body) > keptBody {
		s.body = nil
	}
	r.last = nil
	for {
		s, err := r.chunk()
		if err != nil {
			return message{}, err
		}
		if s.open {
			continue
		}
		r.last = s
		return message{s.typ, s.ms, s.on, s.body}, nil
	}
}

// chunk reads one chunk.
func (r *chunkReader) chunk() (*chunkStream, error) {
	format, id, err := r.basicHeader()
	if err != nil {
		return nil, err
	}
	s := r.stream[id]
	if s == nil {
		if len(r.stream) == maxChunkStreams {
			return nil, fmt.Errorf("more than %d chunk streams", maxChunkStreams)
		}
		s = &chunkStream{}
		r.stream[id] = s
	}
	if err := r.header(s, format); err != nil {
		return nil, err
	}
	return s, r.fill(s, min(s.length-len(s.body), int(r.size)))
}

// basicHeader reads what each chunk begins with (section 5.3.1.1).
func (r *chunkReader) basicHeader() (format byte, id uint32, err error) {
	first, err := r.in.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	r.came++
	format, id = first>>6, uint32(first&0x3f)
	if id > 1 {
		return format, id, nil
	}
	b, err := r.take(1 + int(id))
	if err != nil {
		return 0, 0, err
	}
	if id == 0 {
		return format, 64 + uint32(b[0]), nil
	}
	return format, 64 + uint32(binary.LittleEndian.Uint16(b)), nil
}

// header reads the message header of a chunk, and begins a message if the chunk does.
func (r *chunkReader) header(s *chunkStream, format byte) error {
	if format == noHeader {
		return r.headerless(s)
	}
	// A message that another one interrupts on its own chunk stream will not go on.
	r.drop(s)
	if format == sameLength && !s.known {
		return errNoHeader
	}
	b, err := r.take([...]int{wholeHeader: 11, sameStream: 7, sameLength: 3}[format])
	if err != nil {
		return err
	}
	s.field = uint24(b)
	if format <= sameStream {
		s.length, s.typ = int(uint24(b[3:])), b[6]
	}
	if format == wholeHeader {
		s.on = binary.LittleEndian.Uint32(b[7:])
	}
	if s.length > maxMessage {
		return fmt.Errorf("a message of %d bytes, the most is %d", s.length, maxMessage)
	}
	if s.long = s.field == longTimestamp; s.long {
		if b, err = r.take(4); err != nil {
			return err
		}
		s.field = binary.BigEndian.Uint32(b)
	}
	if format == wholeHeader {
		s.ms = 0
	}
	s.known = true
	r.begin(s)
	return nil
}

// headerless takes a chunk without a header. It continues a message, or begins one like the one
// before. If that one had a timestamp of its own, the difference is as large as that (section
// 5.3.1.2.4).
func (r *chunkReader) headerless(s *chunkStream) error {
	if !s.known {
		return errNoHeader
	}
	next := s.ms
	if !s.open {
		next += s.field
	}
	if s.long {
		if err := r.skipRepeated(s.field, s.ms, next); err != nil {
			return err
		}
	}
	if !s.open {
		r.begin(s)
	}
	return nil
}

// skipRepeated skips the extended timestamp that is repeated in front of a chunk (section
// 5.3.1.3). Some senders repeat the message's own timestamp where its header had a difference.
// Others write zeros in its place, or leave it out. What stands there the first time tells; zeros
// tell nothing, because a body may have them too.
func (r *chunkReader) skipRepeated(expected ...uint32) error {
	if r.repeats == unseen {
		b, err := r.in.Peek(4)
		if err == io.EOF { // there is no room for it
			return nil
		}
		if err != nil {
			return err
		}
		switch v := binary.BigEndian.Uint32(b); {
		case slices.Contains(expected, v):
			r.repeats = repeated
		case v != 0:
			r.repeats = omitted
		}
	}
	if r.repeats == omitted {
		return nil
	}
	_, err := r.take(4)
	return err
}

// begin begins a message with the header that the chunk stream has by now.
func (r *chunkReader) begin(s *chunkStream) {
	s.ms += s.field
	s.body, s.open = s.body[:0], true
}

// drop forgets a message that is not whole.
func (r *chunkReader) drop(s *chunkStream) {
	if s.open {
		r.unfinished -= len(s.body)
		s.body, s.open = nil, false
	}
}

// abort forgets the message that a chunk stream has begun (section 5.4.2).
func (r *chunkReader) abort(id uint32) {
	if s := r.stream[id]; s != nil {
		r.drop(s)
	}
}

// fill reads the next n bytes of a message.
func (r *chunkReader) fill(s *chunkStream, n int) error {
	for n > 0 {
		step := min(n, bodyStep)
		if r.unfinished += step; r.unfinished > maxUnfinished {
			return errUnfinished
		}
		had := len(s.body)
		s.body = slices.Grow(s.body, step)[:had+step]
		if _, err := io.ReadFull(r.in, s.body[had:]); err != nil {
			return unexpected(err)
		}
		n -= step
		if err := r.count(step); err != nil {
			return err
		}
	}
	if len(s.body) == s.length {
		r.unfinished -= s.length
		s.open = false
	}
	return r.count(0)
}

// take reads the next n bytes, which are good until the next read.
func (r *chunkReader) take(n int) ([]byte, error) {
	b, err := r.in.Peek(n)
	if err != nil {
		return nil, unexpected(err)
	}
	r.came += uint32(n)
	_, err = r.in.Discard(n)
	return b, err
}

// count notes that bytes of a body have come, and acknowledges what has.
func (r *chunkReader) count(n int) error {
	r.came += uint32(n)
	if r.window == 0 || r.came-r.acked <= r.window {
		return nil
	}
	r.acked = r.came
	return r.acknowledge(r.came)
}

// unexpected is the error of a read that cannot end here.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func uint24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }
