package pcpin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"relay/ingest/flv"
	"relay/relay/pcp"
	"relay/relay/stream"
)

// taken takes down what comes of packets: k and i for pictures, s for sounds, c for configurations,
// each with its timestamp, and | where another stream begins.
type taken struct {
	said  strings.Builder
	bytes int
}

func (t *taken) write(tag flv.Tag) error {
	t.bytes += len(tag)
	switch k := flv.Classify(tag); {
	case k.Config:
		t.said.WriteString("c ")
	case k.Key:
		fmt.Fprintf(&t.said, "k%d ", tag.Timestamp())
	case tag.Type() == flv.Audio:
		fmt.Fprintf(&t.said, "s%d ", tag.Timestamp())
	default:
		fmt.Fprintf(&t.said, "i%d ", tag.Timestamp())
	}
	return nil
}

func (t *taken) restart() { t.said.WriteString("| ") }

// step is one thing that comes: a packet, or what stands for none.
type step struct {
	head []byte
	conn bool // another connection
	cont byte
	pos  uint32
	data string
}

const size = 200 // of a tag here, in bytes

func k(ts uint32) string { return tagOf(ts, 0x17, size-15) }
func i(ts uint32) string { return tagOf(ts, 0x27, size-15) }
func s(ts uint32) string { return tagOf(ts, 0xaf, size-15) }

func TestTagsOfPackets(t *testing.T) {
	const at = 1000
	h := step{head: head}
	other := headOf(config)
	audio := headOf(sound)
	const chunk = stream.MaxChunk
	cut := func(tag string, n int) (a, b string) { return tag[:n], tag[n:] }
	k4, _ := cut(k(4), 50)
	i2, i2b := cut(i(2), 50)
	for _, c := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"one after the other", []step{h, {pos: at, data: k(0) + i(1)}, {cont: 1, pos: at + 2*size, data: s(2) + i(3)}}, "c c c k0 i1 s2 i3"},
		{"from a place to start on", []step{h, {cont: 1, pos: at, data: i(0)}, {cont: 4, pos: at + size, data: s(1)}, {pos: at + 2*size, data: k(2)}}, "c c c k2"},
		{"a tag in two packets", []step{h, {pos: at, data: k(0) + i2}, {cont: 1, pos: at + size + 50, data: i2b + i(3)}}, "c c c k0 i2 i3"},
		{"a tag's head in two packets", []step{h, {pos: at, data: k(0)[:5]}, {cont: 1, pos: at + 5, data: k(0)[5:]}}, "c c c k0"},
		{"nothing that is only begun", []step{h, {pos: at, data: k4}}, ""},
		{"a hole in a tag", []step{h, {pos: at, data: k(0)}, {cont: 1, pos: at + size, data: i2}, {cont: 1, pos: at + size + 90, data: i2b[40:] + i(3)}, {cont: 1, pos: at + 3*size, data: i(3)}, {pos: at + 4*size, data: k(4)}}, "c c c k0 k4"},
		{"a hole between tags", []step{h, {pos: at, data: k(0)}, {cont: 1, pos: at + size, data: i(1)}, {cont: 1, pos: at + 3*size, data: i(3)}, {pos: at + 4*size, data: k(4)}}, "c c c k0 i1 k4"},
		{"a hole in front of a place to start", []step{h, {pos: at, data: k(0) + i2}, {pos: at + 9*size, data: k(4)}}, "c c c k0 k4"},
		{"positions of chunks", []step{h, {pos: 7 * chunk, data: k(0) + i2}, {cont: 1, pos: 8 * chunk, data: i2b}, {cont: 1, pos: 11 * chunk, data: i(3)}, {cont: 1, pos: 11*chunk + 300, data: i(5)}}, "c c c k0 i2 i3 i5"},
		{"positions of chunks, and a hole in a tag", []step{h, {pos: 7 * chunk, data: k(0)}, {cont: 1, pos: 8 * chunk, data: i2}, {cont: 1, pos: 9 * chunk, data: i(3)}, {cont: 1, pos: 10 * chunk, data: i(5)}, {pos: 11 * chunk, data: k(6)}}, "c c c k0 k6"},
		{"positions of chunks, and a large hole", []step{h, {pos: 7 * chunk, data: k(0)}, {cont: 1, pos: 8 * chunk, data: i(1)}, {cont: 1, pos: 50 * chunk, data: i(3)}, {pos: 51 * chunk, data: k(4)}}, "c c c k0 i1 k4"},
		{"a packet twice", []step{h, {pos: at, data: k(0)}, {pos: at, data: k(0)}, {cont: 1, pos: at + size, data: i(1)}, {pos: at, data: k(0)}}, "c c c k0 i1"},
		{"a packet whose beginning has come", []step{h, {pos: at, data: k(0) + i2}, {cont: 1, pos: at + size, data: i(2) + i(3)}}, "c c c k0 i2 i3"},
		{"the same head again", []step{h, {pos: at, data: k(0)}, h, {cont: 1, pos: at + size, data: i(1)}}, "c c c k0 i1"},
		{"a stream anew", []step{h, {pos: at, data: k(0)}, h, {cont: 1, pos: 1, data: i(0)}, {pos: 1 + size, data: k(1)}}, "c c c k0 | c c c k1"},
		{"another head, and the stream goes on", []step{h, {pos: at, data: k(0)}, {head: other}, {pos: at + size, data: k(1)}}, "c c c k0 c k1"},
		{"another head and another stream", []step{h, {pos: at, data: k(0)}, {head: other}, {pos: 10, data: k(1)}}, "c c c k0 | c k1"},
		{"another host that goes on", []step{h, {pos: at, data: k(0) + i2}, {conn: true}, h, {cont: 1, pos: at + size + 50, data: i2b}}, "c c c k0 i2"},
		{"another host that begins before", []step{h, {pos: at, data: k(0) + i(1)}, {conn: true}, h, {pos: at, data: k(0)}, {cont: 1, pos: at + size, data: i(1) + i(2)}}, "c c c k0 i1 i2"},
		{"another host that begins behind", []step{h, {pos: at, data: k(0) + i2}, {conn: true}, h, {cont: 1, pos: at + 9*size, data: i(3)}, {pos: at + 10*size, data: k(4)}}, "c c c k0 k4"},
		{"another host of another stream", []step{h, {pos: at, data: k(0) + i2}, {conn: true}, {head: other}, {pos: at - 100, data: k(4)}}, "c c c k0 | c k4"},
		{"another host, far before", []step{h, {pos: resumable + 2*at, data: k(0)}, {conn: true}, h, {pos: at, data: k(4)}}, "c c c k0 | c c c k4"},
		{"another host that goes on with whole tags", []step{h, {pos: 7 * chunk, data: k(0)}, {cont: 1, pos: 8 * chunk, data: i(1)}, {cont: 1, pos: 9 * chunk, data: i2}, {conn: true}, h, {cont: 1, pos: 9 * chunk, data: i(2)}}, "c c c k0 i1 i2"},
		{"another host with the same tags in other packets", []step{h, {pos: 7 * chunk, data: k(0)}, {cont: 1, pos: 8 * chunk, data: i(1) + i(2) + i(3)}, {conn: true}, h, {cont: 1, pos: 9 * chunk, data: i(2)}, {cont: 1, pos: 10 * chunk, data: i(3) + i(4)}}, "c c c k0 i1 i2 i3 i4"},
		{"another host with the same tags in other packets, from the middle of a chunk", []step{h, {pos: 7 * chunk, data: k(0)}, {cont: 1, pos: 8 * chunk, data: i(1)}, {cont: 1, pos: 8*chunk + 16000, data: i(2) + i(3) + i(4)}, {conn: true}, h, {cont: 1, pos: 9 * chunk, data: i(3) + i(4)}, {cont: 1, pos: 10 * chunk, data: i(5)}}, "c c c k0 i1 i2 i3 i4 i5"},
		{"another host that sends the tag again that was begun", []step{h, {pos: 7 * chunk, data: k(0)}, {cont: 1, pos: 8 * chunk, data: i2}, {conn: true}, h, {cont: 1, pos: 8 * chunk, data: i(2)[:40]}, {cont: 1, pos: 8*chunk + 40, data: i(2)[40:] + i(3)}}, "c c c k0 i2 i3"},
		{"positions round 2^32", []step{h, {pos: 1<<32 - size, data: k(0)}, {cont: 1, pos: 0, data: i(1)}, {cont: 1, pos: size, data: i(2)}, {cont: 1, pos: 0, data: i(1)}}, "c c c k0 i1 i2"},
		{"no marks, and a beginning within a tag", []step{h, {pos: at, data: i2b + i(3)}, {pos: at + 350, data: k(4)}, {pos: at + 350 + size, data: i2}, {pos: at + 400 + size, data: i2b}}, "c c c k4 i2"},
		{"bytes that look like a tag at the beginning", []step{h, {pos: at, data: "\x09\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00xabcd" + strings.Repeat("x", 30)}, {pos: at + 46, data: k(4)}}, "c c c k4"},
		{"sound alone, which is never marked", []step{{head: audio}, {cont: 4, pos: at, data: s(0)}, {cont: 4, pos: at + size, data: s(1)}}, "c s0 s1"},
		{"another file", []step{h, {pos: at, data: k(0) + string(headOf()[:5])}, {cont: 1, pos: at + size + 5, data: string(headOf()[5:]) + i(1)}}, "c c c k0 i1"},
		{"noise", []step{h, {pos: at, data: k(0)}, {cont: 1, pos: at + size, data: "FLVs of old"}, {cont: 1, pos: at + size + 11, data: i(1)}, {pos: at + 2*size + 11, data: k(2)}}, "c c c k0 k2"},
		{"a tag that is too long", []step{h, {pos: at, data: k(0)}, {cont: 1, pos: at + size, data: "\x09\xa0\x00\x01\x00\x00\x00\x00\x00\x00\x00"}, {pos: at + size + 11, data: k(2)}}, "c c c k0 k2"},
		{"back pointers that are wrong", []step{h, {pos: at, data: wrongEnd(k(0), 0) + wrongEnd(i(1), size-15) + wrongEnd(i(2), 99)}}, "c c c k0 i1 i2"},
	} {
		sp := newSplice()
		var to taken
		sp.connected()
		for n, st := range c.steps {
			var err error
			switch {
			case st.conn:
				sp.connected()
			case st.head != nil:
				err = sp.takeHead(st.head)
			default:
				_, err = sp.takeData(&pcp.Packet{Pos: st.pos, Cont: st.cont, Data: []byte(st.data)}, &to)
			}
			if err != nil {
				t.Errorf("%s: step %d: %v", c.name, n, err)
			}
		}
		if got := strings.TrimSpace(to.said.String()); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// wrongEnd is a tag with another back pointer.
func wrongEnd(tag string, n uint32) string {
	return tag[:len(tag)-4] + string([]byte{0, 0, byte(n >> 8), byte(n)})
}

func TestAStreamThatIsNowhereMarkedBegins(t *testing.T) {
	sp := newSplice()
	var to taken
	if err := sp.takeHead(head); err != nil {
		t.Fatal(err)
	}
	for n := range uint32(startless + 2) {
		sp.takeData(&pcp.Packet{Pos: n * size, Cont: 2, Data: []byte(i(n))}, &to)
	}
	if got, want := to.said.String(), fmt.Sprintf("c c c i%d i%d ", startless, startless+1); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestARingOfRelaysIsLeft(t *testing.T) {
	sp := newSplice()
	var to taken
	sp.connected()
	var err error
	n := 0
	for ; err == nil && n < 100; n++ {
		sp.takeHead(head)
		if _, err = sp.takeData(&pcp.Packet{Pos: uint32(len(head)) + 1000 - uint32(n), Data: []byte(k(0))}, &to); err == nil {
			sp.takeHead(headOf(config))
			_, err = sp.takeData(&pcp.Packet{Pos: uint32(len(head)) + 1000 - uint32(n), Data: []byte(k(0))}, &to)
		}
	}
	if !errors.Is(err, ErrRepeats) || n > mostBegun {
		t.Errorf("%v after %d rounds", err, n)
	}
}

// Whatever comes: what goes out are whole tags, and no more than came.
func FuzzSplice(f *testing.F) {
	f.Add([]byte(k(0)+i(1)), []byte{0, 1, 0, 200}, true)
	f.Add([]byte(k(0)[:100]+i(1)), []byte{1, 1, 7, 20, 0, 3}, false)
	f.Fuzz(func(t *testing.T, data, steps []byte, sound bool) {
		sp := newSplice()
		var to taken
		first := head
		if sound {
			first = headOf(flv.NewTag(flv.Audio, 0, []byte(aacConfig)))
		}
		if err := sp.takeHead(first); err != nil {
			t.Fatal(err)
		}
		pos, came := uint32(0), 0
		for n, b := range steps {
			part := data[min(len(data), n*int(b)%1000):]
			part = part[:min(len(part), int(b)*7)]
			switch b % 8 {
			case 6:
				sp.connected()
			case 7:
				sp.takeHead(slices.Concat(first, data[:min(len(data), 40)]))
			}
			if _, err := sp.takeData(&pcp.Packet{Pos: pos + uint32(b%4), Cont: b & 1, Data: part}, &to); err != nil && !errors.Is(err, ErrRepeats) {
				t.Fatal(err)
			}
			pos += uint32(len(part)) + uint32(b)<<8*uint32(b%2)
			came += len(part)
			if len(sp.part) > came || to.bytes > came+(n+1)*(len(first)+len(data)) {
				t.Fatalf("%d bytes are kept and %d went out, of %d", len(sp.part), to.bytes, came)
			}
		}
	})
}
