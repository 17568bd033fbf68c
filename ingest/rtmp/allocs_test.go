package rtmp

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"relay/ingest/flv"
)

// again is what it has, over and over.
type again struct {
	of []byte
	at int
}

func (a *again) Read(p []byte) (int, error) {
	n := copy(p, a.of[a.at:])
	a.at = (a.at + n) % len(a.of)
	return n, nil
}

// An encoder's message costs no memory that becomes garbage, whatever its length.
func TestAMessageCostsNoAllocation(t *testing.T) {
	for _, size := range []int{300, 12_500, 75_000} {
		b := []byte{6, 0, 0, 100, byte(size >> 16), byte(size >> 8), byte(size), msgVideo}
		b = binary.LittleEndian.AppendUint32(b, 1)
		body := bytes.Repeat([]byte{0x27, 1, 0, 0, 0, 1}, size)[:size]
		for rest := body; len(rest) > 0; {
			n := min(len(rest), firstChunkSize)
			b = append(b, rest[:n]...)
			if rest = rest[n:]; len(rest) > 0 {
				b = append(b, 0xc0|6)
			}
		}
		tags := new(tagger)
		r := newChunkReader(io.Reader(&again{of: b}), nil)
		n := testing.AllocsPerRun(100, func() {
			m, err := r.read()
			if err != nil {
				t.Fatal(err)
			}
			if err := tags.tagsOf(m, func(g flv.Tag) error {
				if len(g.Body()) != size {
					t.Errorf("a body of %d bytes, want %d", len(g.Body()), size)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		})
		if n > 0 {
			t.Errorf("%v allocations for a message of %d bytes, want none", n, size)
		}
	}
}

// What players over RTMP get of a tag is made once for all of them, of a few allocations: the two of
// the batch, the heads in front of the body and its pieces, and the list of them.
func TestConvertingATagCostsAFewAllocations(t *testing.T) {
	c := group(1)
	for size, bound := range map[int]float64{300: 3, 12_500: 3, 200_000: 4} {
		body := "\x27\x01\x00\x00\x50" + string(make([]byte, size))
		if n := testing.AllocsPerRun(200, func() { c.Convert(flv.BatchOf(video(0, body))) }); n > bound+1 { // the tag itself
			t.Errorf("%v allocations for a tag of %d bytes, want %v at most", n, size, bound+1)
		}
	}
}
