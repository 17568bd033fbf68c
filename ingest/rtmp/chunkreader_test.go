package rtmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// saw is a message as the tests compare it.
type saw struct {
	typ    uint8
	ms     uint32
	stream uint32
	body   string
}

// messagesIn reads all messages, and returns the error that ended them; nil for the end between
// two chunks.
func messagesIn(r *chunkReader) (all []saw, err error) {
	for {
		m, err := r.read()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, saw{m.typ, m.ms, m.stream, string(m.body)})
	}
}

// The exact bytes of what the specification describes, and of what encoders make of it. The chunk
// size is 4.
func TestChunks(t *testing.T) {
	const (
		whole    = "\x06\x00\x00\x64\x00\x00\x06\x09\x01\x00\x00\x00" // 100 ms, 6 bytes of video, stream 1
		endless  = "\x06\xff\xff\xff\x00\x00\x06\x09\x01\x00\x00\x00\x01\x00\x00\x00"
		restLong = "\xc6\x01\x00\x00\x00"
		late     = 1 << 24
	)
	video := func(ms uint32, body string) saw { return saw{msgVideo, ms, 1, body} }
	for name, c := range map[string]struct {
		bytes string
		want  []saw
	}{
		"one message in two chunks": {whole + "abcd" + "\xc6ef", []saw{video(100, "abcdef")}},
		"two messages whose chunks take turns": {
			whole + "abcd" + "\x04\x00\x00\x65\x00\x00\x05\x08\x01\x00\x00\x00" + "1234" + "\xc6ef" + "\xc45",
			[]saw{video(100, "abcdef"), {msgAudio, 101, 1, "12345"}},
		},
		"an empty message": {"\x06\x00\x00\x64\x00\x00\x00\x09\x01\x00\x00\x00", []saw{video(100, "")}},
		"a chunk that says the difference, length and type": {
			whole + "abcd\xc6ef" + "\x46\x00\x00\x28\x00\x00\x02\x08gh",
			[]saw{video(100, "abcdef"), {msgAudio, 140, 1, "gh"}},
		},
		"a chunk that says the difference alone": {
			whole + "abcd\xc6ef" + "\x86\x00\x00\x28ghij\xc6kl",
			[]saw{video(100, "abcdef"), video(140, "ghijkl")},
		},
		"chunks that say nothing, after a difference": {
			whole + "abcd\xc6ef" + "\x86\x00\x00\x28ghij\xc6kl" + "\xc6mnop\xc6qr" + "\xc6stuv\xc6wx",
			[]saw{video(100, "abcdef"), video(140, "ghijkl"), video(180, "mnopqr"), video(220, "stuvwx")},
		},
		"a chunk that says nothing, after a timestamp": { // section 5.3.1.2.4: the difference is as large as that
			whole + "abcd\xc6ef" + "\xc6ghij\xc6kl",
			[]saw{video(100, "abcdef"), video(200, "ghijkl")},
		},
		"a difference over the wrap": {
			"\x06\xff\xff\xff\x00\x00\x01\x09\x01\x00\x00\x00\xff\xff\xff\xf0a" + "\x86\x00\x00\x20b",
			[]saw{video(0xfffffff0, "a"), video(0x10, "b")},
		},
		"chunk stream 64, in two bytes": {
			"\x00\x00\x00\x00\x64\x00\x00\x05\x09\x01\x00\x00\x00abcd" + "\xc0\x00e",
			[]saw{video(100, "abcde")},
		},
		"chunk streams 319 and 65599": {
			"\x00\xff\x00\x00\x64\x00\x00\x05\x09\x01\x00\x00\x00abcd" + "\x01\xff\xff\x00\x00\x65\x00\x00\x05\x08\x01\x00\x00\x001234" + "\xc0\xffe" + "\xc1\xff\xff5",
			[]saw{video(100, "abcde"), {msgAudio, 101, 1, "12345"}},
		},
		"chunk stream 64, in two and in three bytes": {
			"\x01\x00\x00\x00\x00\x64\x00\x00\x05\x09\x01\x00\x00\x00abcd" + "\xc0\x00e",
			[]saw{video(100, "abcde")},
		},
		"a long timestamp, repeated": {endless + "abcd" + restLong + "ef", []saw{video(late, "abcdef")}},
		"a long timestamp, left out": {endless + "abcd" + "\xc6ef" + "\x86\x00\x00\x28ghij\xc6kl", []saw{video(late, "abcdef"), video(late+40, "ghijkl")}},
		"a long timestamp, zeros in its place": {
			endless + "abcd" + "\xc6\x00\x00\x00\x00ef" + endless + "ghij" + "\xc6\x00\x00\x00\x00kl",
			[]saw{video(late, "abcdef"), video(late, "ghijkl")},
		},
		"a long timestamp, left out at the very end": {endless + "abcd" + "\xc6ef", []saw{video(late, "abcdef")}},
		"a long timestamp where the next message says nothing": {
			endless + "abcd" + restLong + "ef" + restLong + "ghij" + restLong + "kl",
			[]saw{video(late, "abcdef"), video(2*late, "ghijkl")},
		},
		"a long difference, with the timestamp repeated": {
			whole + "abcd\xc6ef" + "\x86\xff\xff\xff\x01\x00\x00\x00ghij" + "\xc6\x01\x00\x00\x64kl",
			[]saw{video(100, "abcdef"), video(late+100, "ghijkl")},
		},
		"a long difference, with the difference repeated": {
			whole + "abcd\xc6ef" + "\x86\xff\xff\xff\x01\x00\x00\x00ghij" + restLong + "kl",
			[]saw{video(100, "abcdef"), video(late+100, "ghijkl")},
		},
		"a long timestamp that fits a short one": { // no sender has to, some do
			"\x06\xff\xff\xff\x00\x00\x06\x09\x01\x00\x00\x00\x00\x00\x00\x64abcd" + "\xc6\x00\x00\x00\x64ef",
			[]saw{video(100, "abcdef")},
		},
		"a message that another one interrupts on its chunk stream": {
			whole + "abcd" + whole + "ghij\xc6kl",
			[]saw{video(100, "ghijkl")},
		},
		"a difference where nothing came before": { // as some clients begin
			"\x42\x00\x00\x00\x00\x00\x04\x04\x00\x00\x00\x00",
			[]saw{{msgUserControl, 0, 0, "\x00\x00\x00\x00"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(c.bytes), oneByte{strings.NewReader(c.bytes)}} {
				r := newChunkReader(in, nil)
				r.size = 4
				got, err := messagesIn(r)
				if err != nil || !slices.Equal(got, c.want) {
					t.Errorf("%v, %v; want %v", got, err, c.want)
				}
				if r.unfinished != 0 {
					t.Errorf("%d bytes are held to be unfinished", r.unfinished)
				}
			}
		})
	}
}

// oneByte reads a byte at a time.
type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

func TestChunksThatCannotBe(t *testing.T) {
	const begun = "\x06\x00\x00\x64\x00\x00\x06\x09\x01\x00\x00\x00"
	streams := strings.Builder{}
	for id := range maxChunkStreams + 1 {
		fmt.Fprintf(&streams, "\x00%c\x00\x00\x00\x00\x00\x00\x09\x01\x00\x00\x00", id)
	}
	for name, c := range map[string]struct {
		bytes string
		want  error // nil for any
	}{
		"no header where nothing came before":   {"\xc6abcd", errNoHeader},
		"no length where nothing came before":   {"\x86\x00\x00\x00abcd", errNoHeader},
		"too many chunk streams":                {streams.String(), nil},
		"a message that is too long":            {"\x06\x00\x00\x64\xff\xff\xff\x09\x01\x00\x00\x00", nil},
		"the end within a basic header":         {"\x01\x00", io.ErrUnexpectedEOF},
		"the end within a header":               {begun[:5], io.ErrUnexpectedEOF},
		"the end within an extended timestamp":  {"\x06\xff\xff\xff\x00\x00\x06\x09\x01\x00\x00\x00\x01\x00", io.ErrUnexpectedEOF},
		"the end within a body":                 {begun + "ab", io.ErrUnexpectedEOF},
		"the end where a timestamp is repeated": {"\x06\xff\xff\xff\x00\x00\x06\x09\x01\x00\x00\x00\x01\x00\x00\x00abcd\xc6\x01", io.ErrUnexpectedEOF},
	} {
		r := newChunkReader(strings.NewReader(c.bytes), nil)
		r.size = 4
		if got, err := messagesIn(r); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// A peer that begins long messages and ends none is cut before it has much.
func TestMessagesThatDoNotEndAreBounded(t *testing.T) {
	var in bytes.Buffer
	for id := byte(2); id < 10; id++ {
		in.WriteString(string([]byte{id}) + "\x00\x00\x00\xa0\x00\x00\x09\x01\x00\x00\x00")
		in.Write(make([]byte, 5<<20))
	}
	r := newChunkReader(&in, nil)
	r.size = 5 << 20
	if _, err := r.read(); !errors.Is(err, errUnfinished) {
		t.Error(err)
	}
	if in.Len() < 20<<20 {
		t.Errorf("%d of 40 MiB were left", in.Len()>>20)
	}
}

func TestAMessageThatIsAbortedIsForgotten(t *testing.T) {
	const begun = "\x06\x00\x00\x64\x00\x00\x06\x09\x01\x00\x00\x00"
	var b bytes.Buffer
	c := newConnection(&b)
	b.WriteString(begun + "abcd" + "\x02\x00\x00\x00\x00\x00\x04\x02\x00\x00\x00\x00\x00\x00\x00\x06" + begun + "ghij\xc6kl")
	c.r.size = 4
	m, err := c.next()
	if err != nil || string(m.body) != "ghijkl" || c.r.unfinished != 0 {
		t.Errorf("%q, %v, %d bytes unfinished", m.body, err, c.r.unfinished)
	}
}

func TestWhatHasComeIsAcknowledged(t *testing.T) {
	var in bytes.Buffer
	for range 100 {
		in.WriteString("\x06\x00\x00\x64\x00\x04\x00\x09\x01\x00\x00\x00")
		in.Write(make([]byte, 1024))
	}
	var told []uint32
	r := newChunkReader(&in, func(came uint32) error { told = append(told, came); return nil })
	r.size, r.window = 4096, 10_000
	if _, err := messagesIn(r); err != nil {
		t.Fatal(err)
	}
	if len(told) != 10 || told[0] != 10*1036 || told[9] != 100*1036 {
		t.Errorf("acknowledged: %v", told)
	}
	if r.came != 100*1036 {
		t.Errorf("%d bytes are counted", r.came)
	}
}

// sender chunks messages as an encoder may that knows the specification well.
type sender struct {
	rnd     *rand.Rand
	out     bytes.Buffer
	size    int
	omits   bool
	streams map[uint32]*sent
}

// sent is what a chunk stream has sent last.
type sent struct {
	saw
	field uint32
	left  string // of the body
}

// basic writes a basic header, not always the shortest.
func (s *sender) basic(format byte, id uint32) {
	switch {
	case id < 64:
		s.out.WriteByte(format<<6 | byte(id))
	case id < 320 && s.rnd.IntN(2) == 0:
		s.out.Write([]byte{format << 6, byte(id - 64)})
	default:
		s.out.Write(binary.LittleEndian.AppendUint16([]byte{format<<6 | 1}, uint16(id-64)))
	}
}

// begin writes the first chunk of a message, with as little of a header as it gets by with or
// with more.
func (s *sender) begin(id uint32, m saw) {
	p := s.streams[id]
	format := byte(wholeHeader)
	field := m.ms
	if p == nil {
		p = &sent{}
		s.streams[id] = p
	} else if p.stream == m.stream && s.rnd.IntN(4) > 0 {
		format, field = sameStream, m.ms-p.ms
		if p.typ == m.typ && len(p.body) == len(m.body) {
			if format = sameLength; field == p.field && s.rnd.IntN(2) == 0 {
				format = noHeader
			}
		}
	}
	s.basic(format, id)
	var head []byte
	short := min(field, longTimestamp)
	if format < noHeader {
		head = append(head, byte(short>>16), byte(short>>8), byte(short))
	}
	if format < sameLength {
		head = append(head, byte(len(m.body)>>16), byte(len(m.body)>>8), byte(len(m.body)), m.typ)
	}
	if format == wholeHeader {
		head = binary.LittleEndian.AppendUint32(head, m.stream)
	}
	if short == longTimestamp && (format < noHeader || !s.omits) {
		head = binary.BigEndian.AppendUint32(head, field)
	}
	s.out.Write(head)
	*p = sent{m, field, m.body}
	s.piece(p)
}

// goOn writes the next chunk of a message.
func (s *sender) goOn(id uint32) {
	p := s.streams[id]
	s.basic(noHeader, id)
	if p.field >= longTimestamp && !s.omits {
		s.out.Write(binary.BigEndian.AppendUint32(nil, p.field))
	}
	s.piece(p)
}

func (s *sender) piece(p *sent) {
	n := min(len(p.left), s.size)
	s.out.WriteString(p.left[:n])
	p.left = p.left[n:]
}

// What any sender chunks is read as it was.
func TestChunksOfManySenders(t *testing.T) {
	seed := rand.Uint64()
	for range 300 {
		seed++
		rnd := rand.New(rand.NewPCG(seed, 0))
		s := &sender{rnd: rnd, size: 1 + rnd.IntN(300), omits: rnd.IntN(3) == 0, streams: make(map[uint32]*sent)}
		ids := []uint32{2, 63, 64, 319, 320, 65599}
		ms := rnd.Uint32()
		if rnd.IntN(2) == 0 {
			ms >>= 12
		}
		var want []saw
		open := map[uint32]bool{}
		for len(want) < 50 || len(open) > 0 {
			id := ids[rnd.IntN(len(ids))]
			if !open[id] {
				if len(want) >= 50 {
					continue
				}
				ms += uint32(rnd.IntN(3)) * 20
				if rnd.IntN(20) == 0 {
					ms += 1 << 25
				}
				body := make([]byte, []int{0, 1, 50, 1000}[rnd.IntN(4)])
				for i := range body {
					body[i] = byte(1 + rnd.IntN(255)) // zeros may stand for a timestamp
				}
				s.begin(id, saw{uint8(8 + rnd.IntN(2)), ms, uint32(1 + rnd.IntN(2)), string(body)})
			} else {
				s.goOn(id)
			}
			if p := s.streams[id]; p.left == "" {
				want = append(want, p.saw)
				delete(open, id)
			} else {
				open[id] = true
			}
		}
		r := newChunkReader(&s.out, nil)
		r.size = uint32(s.size)
		if got, err := messagesIn(r); err != nil || !slices.Equal(got, want) {
			t.Fatalf("seed %d: chunks of %d bytes, timestamps omitted: %v: %d messages of %d, %v", seed, s.size, s.omits, len(got), len(want), err)
		}
	}
}

// FuzzChunks has anything read as chunks. Nothing is held that has not come.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("\x06\x00\x00\x64\x00\x00\x06\x09\x01\x00\x00\x00abcd\xc6ef"), uint32(4))
	f.Add([]byte("\x01\xff\xff\xff\xff\xff\x00\x00\x06\x09\x01\x00\x00\x00\x01\x00\x00\x00abcd\xc1\xff\xff\x01\x00\x00\x00ef"), uint32(4))
	f.Fuzz(func(t *testing.T, b []byte, size uint32) {
		r := newChunkReader(bytes.NewReader(b), nil)
		r.size = max(1, size)
		all, _ := messagesIn(r)
		sum := 0
		for _, m := range all {
			sum += len(m.body)
		}
		if sum > len(b) {
			t.Errorf("messages of %d bytes came out of %d", sum, len(b))
		}
	})
}
