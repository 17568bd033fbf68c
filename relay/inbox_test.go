package relay

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// piecewise gives out pieces, one a read.
type piecewise [][]byte

func (p *piecewise) read(b []byte) (int, error) {
	if len(*p) == 0 {
		return 0, io.EOF
	}
	n := copy(b, (*p)[0])
	if (*p)[0] = (*p)[0][n:]; len((*p)[0]) == 0 {
		*p = (*p)[1:]
	}
	return n, nil
}

func TestAnInboxGivesOutARecordAtATimeAndTellsWhenItIsEmpty(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		var stream []byte
		ends := map[int]bool{} // of records
		for range 20 {
			n := rnd.IntN(3) * rnd.IntN(10_000) // some are empty
			stream = append(stream, 23, 3, 3)
			stream = binary.BigEndian.AppendUint16(stream, uint16(n))
			for range n {
				stream = append(stream, byte(rnd.Uint32()))
			}
			ends[len(stream)] = true
		}
		var pieces piecewise
		for at := 0; at < len(stream); {
			n := min(1+rnd.IntN(1+rnd.IntN(40_000)), len(stream)-at)
			pieces = append(pieces, bytes.Clone(stream[at:at+n]))
			at += n
		}
		heard, idle := 0, 0
		in := &inbox{read: pieces.read, heard: func() { heard++ }, buf: make([]byte, inboxSize)}
		in.idle = func() {
			if idle++; in.from != in.to {
				t.Errorf("seed %d: something is there", seed)
			}
		}
		var got []byte
		for {
			b := make([]byte, 1+rnd.IntN(20_000))
			n, err := in.Read(b)
			for i := 1; i < n; i++ {
				if ends[len(got)+i] {
					t.Fatalf("seed %d: more than the rest of a record", seed)
				}
			}
			got = append(got, b[:n]...)
			if errors.Is(err, io.EOF) {
				break
			}
			if n == 0 || err != nil {
				t.Fatalf("seed %d: %d bytes, %v", seed, n, err)
			}
		}
		if !bytes.Equal(got, stream) {
			t.Fatalf("seed %d: what comes out is not what went in", seed)
		}
		if idle != heard+1 {
			t.Errorf("seed %d: it was empty %d times, and something came %d times", seed, idle, heard)
		}
	}
}
