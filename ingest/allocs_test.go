package ingest

import (
	"bytes"
	"crypto/ed25519"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// A tag on its way into the ring costs the allocations of the chunks that it becomes, and those of
// looking whether a decoder can use it, which do not grow with its length.
func TestATagCostsTheChunksThatItBecomes(t *testing.T) {
	const perChunk = 3 // the frame, the chunk, and the digest that is signed
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	for _, tt := range []struct {
		name   string
		typ    flv.Type
		start  string
		size   int
		chunks float64
		look   float64 // allocations
	}{
		{"sound", flv.Audio, "\xaf\x01", 300, 1, 0},
		{"a picture", flv.Video, "\x27\x01\x00\x00\x00\x00\x00\x13\x7f\x41", 5000, 1, 6},
		{"a long picture", flv.Video, "\x27\x01\x00\x00\x00\x00\x01\x86\x97\x41", 100_000, 7, 6},
	} {
		// Nothing is kept for long, so that the ring does not grow.
		ring := stream.NewRing(stream.Limits{Bytes: 1 << 20})
		w := stream.NewWriter(ring, key, stream.NextEpoch(stream.Epoch{}, time.Now(), 1), time.Now())
		s, err := NewInput(w, nil).Open()
		if err != nil {
			t.Fatal(err)
		}
		write := func(g flv.Tag) {
			if err := s.Write(g); err != nil {
				t.Fatal(err)
			}
		}
		write(flv.NewTag(flv.Video, 0, []byte("\x17\x00\x00\x00\x00\x01\x64\x00\x1f\xff\xe1\x00\x04\x67\x64\x00\x1f\x01\x00\x04\x68\xee\x3c\x80")))
		write(flv.NewTag(flv.Audio, 0, []byte{0xaf, 0, 0x12, 0x10}))
		key := flv.NewTag(flv.Video, 0, []byte("\x17\x01\x00\x00\x00\x00\x00\x00\x02\x65\x88"))
		write(key)
		var tags []flv.Tag
		body := append([]byte(tt.start), bytes.Repeat([]byte{1}, tt.size-len(tt.start))...)
		for i := range 201 {
			tags = append(tags, flv.NewTag(tt.typ, uint32(i)*33, body))
		}
		before := ring.Head().Seq
		n := testing.AllocsPerRun(200, func() {
			write(tags[0])
			tags = tags[1:]
			if err := w.Flush(); err != nil { // as where nothing more has come
				t.Fatal(err)
			}
		})
		if chunks := float64(ring.Head().Seq-before) / 201; chunks != tt.chunks {
			t.Fatalf("%s: %v chunks a tag, want %v", tt.name, chunks, tt.chunks)
		}
		if want := perChunk*tt.chunks + tt.look; n > want {
			t.Errorf("%s: %v allocations, want %v at most", tt.name, n, want)
		}
	}
}
