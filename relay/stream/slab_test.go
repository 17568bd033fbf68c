package stream

import (
	"bytes"
	"testing"
)

// What a ring holds is its own: whoever has brought it may use its memory again.
func TestARingKeepsCopies(t *testing.T) {
	m := newMaker(t)
	r := m.ringOf(Limits{})
	frame := make([]byte, MaxChunk)
	var want [][]byte
	for seq := range uint64(100) {
		made := m.chunk(nil, Key|Tag, seq+1, seq, 1, randBytes(m.rnd, 1+m.rnd.IntN(MaxPayload))).Frame()
		want = append(want, made)
		c, err := ParseChunk(frame[:copy(frame, made)])
		if err != nil {
			t.Fatal(err)
		}
		mustAppend(t, r, c)
	}
	clear(frame)
	for i, e := range r.entries {
		if !bytes.Equal(e.chunk.Frame(), want[i]) || cap(e.chunk.Frame()) != len(want[i]) {
			t.Fatalf("chunk %d is another, or reaches into the next", i+1)
		}
	}
}
