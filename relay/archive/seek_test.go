package archive

import (
	"flag"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/stream"
)

// How much of 6 Mb/s is kept: -args -kept 2h takes 5.4 GB and two minutes.
var kept = flag.Duration("kept", time.Minute, "how long the archive is that TestSeek reads, and tells the times of")

// TestSeek opens an archive as a program does that was killed, without its last index, and begins in each
// minute of it. With -v it says how long that takes: from the request to ten seconds of media.
func TestSeek(t *testing.T) {
	const rate, perSecond = 6_000_000 / 8, 50
	dir, limits := filepath.Join(t.TempDir(), "kept"), Limits{Age: *kept + time.Hour, Bytes: 1 << 40}
	f := newFilm(11)
	// A clock that runs as fast as chunks are made.
	synctest.Test(t, func(t *testing.T) {
		f.restart()
		a := open(t, dir, f, limits)
		cursor := f.ring.Since(stream.Position{})
		tag := make([]byte, rate/perSecond)
		for i := range tag {
			tag[i] = byte(f.rnd.Uint32())
		}
		for i := range int(kept.Seconds() * perSecond) {
			flags := stream.EndsChunk
			if i%(2*perSecond) == 0 {
				flags |= stream.StartHere
			}
			if err := f.w.WriteTag(tag, flags); err != nil {
				t.Fatal(err)
			}
			for {
				it, wait, err := cursor.Poll()
				if err != nil {
					t.Fatal(err)
				}
				if wait != nil {
					break
				}
				if err := a.add(it); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second / perSecond)
		}
		if err := a.flush(); err != nil {
			t.Fatal(err)
		}
		a.file.Close() // a kill writes no index
	})
	begun := time.Now()
	a := open(t, dir, f, limits)
	t.Logf("%.2f GB, opened in %v", float64(a.Stats().Bytes)/1e9, time.Since(begun).Round(time.Microsecond))
	var most time.Duration
	st := a.Stats()
	for at := st.From; at.Before(st.To.Add(-10 * time.Second)); at = at.Add(time.Minute - 7*time.Second) {
		begun := time.Now()
		r, err := a.At(at)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < 10*rate; {
			it, ok, err := r.Next()
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			if made := timeOf(markOf(it.Chunk)); n == 0 && (made.After(at) || at.Sub(made) > 2*time.Second) {
				t.Fatalf("asked for %v, it begins at %v", at, made)
			}
			n += len(it.Chunk.Payload())
		}
		r.Close()
		most = max(most, time.Since(begun))
	}
	t.Logf("from the request to ten seconds of media: %v at most", most.Round(time.Millisecond))
}
