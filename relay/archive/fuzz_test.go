package archive

import (
	"bytes"
	"os"
	"testing"

	"relay/relay/stream"
)

// FuzzSegment opens anything as a segment, and reads it.
func FuzzSegment(f *testing.F) {
	film := newFilm(10)
	f.Add([]byte{})
	f.Add(preface(film.id()))
	for _, b := range samples(f, film) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.NewReader(b)
		s, err := readSegment(in, in.Size(), film.id())
		if err != nil {
			return
		}
		r := &Reader{a: &Archive{id: film.id(), segments: []*segment{s}}, seg: s, in: frames{from: in, at: int64(prefaceLen), end: s.size}}
		for _, p := range append(s.places, place{header: int64(prefaceLen), off: int64(prefaceLen)}) {
			if err := r.start(p); err != nil {
				t.Fatal(err)
			}
			r.last, r.begun = stream.Position{}, false
			for last := (stream.Position{}); ; {
				it, ok, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				if it.Chunk.Verify(film.id()) != nil || it.Chunk.Position().Compare(last) <= 0 {
					t.Fatal("a chunk comes that was not signed, or out of order")
				}
				last = it.Chunk.Position()
			}
		}
	})
}

// samples are a complete segment, and one without its index.
func samples(f *testing.F, film *film) [][]byte {
	a := open(f, f.TempDir(), film, Limits{})
	film.still = true
	film.run(f, 12, 60)
	cursor := film.ring.Since(stream.Position{})
	for {
		it, wait, err := cursor.Poll()
		if err != nil {
			f.Fatal(err)
		}
		if wait != nil {
			break
		}
		if err := a.add(it); err != nil {
			f.Fatal(err)
		}
	}
	if err := a.finish(); err != nil {
		f.Fatal(err)
	}
	s := a.segments[0]
	b, err := os.ReadFile(s.path)
	if err != nil || len(s.places) == 0 {
		f.Fatal(err, len(s.places))
	}
	return [][]byte{b, b[:s.size], b[:s.size-10]}
}
