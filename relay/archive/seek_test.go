package archive

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/stream"
)

// How much of 6 Mb/s is kept: -args -kept 2h takes 5.4 GB and some minutes.
var kept = flag.Duration("kept", time.Minute, "how long the archive is that TestSeek reads, and tells the times of")

const (
	// killedEnv names the folder in which [TestKilledProcess] keeps the first half.
	killedEnv = "RELAY_ARCHIVE_KILLED"

	keptRate  = 6_000_000 / 8 // bytes a second
	keptChunk = 20 * time.Millisecond
	keptKey   = 2 * time.Second

	// mostLost is what a kill may cost: what was gathered, and not written yet.
	mostLost = 250 * time.Millisecond
)

// killedAt is when the first half ends: a moment before what was gathered is written.
func killedAt() time.Duration { return *kept/2 + 480*time.Millisecond }

// broadcast makes so much of what is kept, by a clock that runs as fast as chunks are made. It is called in a bubble.
func broadcast(t *testing.T, f *film, length time.Duration) {
	t.Helper()
	tag := make([]byte, keptRate*keptChunk/time.Second)
	for i := range tag {
		tag[i] = byte(f.rnd.Uint32())
	}
	for made := time.Duration(0); made < length; made += keptChunk {
		flags := stream.EndsChunk
		if made%keptKey == 0 {
			flags |= stream.StartHere
		}
		if err := f.w.WriteTag(tag, flags); err != nil {
			t.Fatal(err)
		}
		time.Sleep(keptChunk)
	}
}

// TestKilledProcess is the process that [TestSeek] starts: it keeps the first half, and is killed while it does.
func TestKilledProcess(t *testing.T) {
	dir := os.Getenv(killedEnv)
	if dir == "" {
		t.Skip("for TestSeek")
	}
	synctest.Test(t, func(t *testing.T) {
		f := newFilm(11)
		keep(t, open(t, dir, f, Limits{Age: *kept + time.Hour, Bytes: 1 << 40}), f)
		broadcast(t, f, killedAt())
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		t.Fatal("it lives on after a kill: ", self.Kill()) // SIGKILL, where there are signals
	})
}

// TestSeek kills a program that keeps a channel in the middle, has another one go on, and begins in each minute before
// and after. With -v it says how long that takes: from the request to ten seconds of media.
func TestSeek(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	first := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$", "-kept", kept.String())
	first.Env = append(os.Environ(), killedEnv+"="+dir)
	if said, err := first.CombinedOutput(); err == nil || len(said) > 0 {
		t.Fatalf("it was not killed: %v\n%s", err, said)
	}
	t.Logf("the first program: %v", first.ProcessState)

	opened := func(f *film) *Archive {
		begun := time.Now()
		a := open(t, dir, f, Limits{Age: *kept + time.Hour, Bytes: 1 << 40})
		t.Logf("%.2f GB, opened in %v", float64(a.Stats().Bytes)/1e9, time.Since(begun).Round(time.Microsecond))
		return a
	}
	a := opened(newFilm(11))
	left := a.Stats().To
	var killed time.Time
	synctest.Test(t, func(t *testing.T) {
		f := newFilm(11)
		time.Sleep(killedAt())
		killed = time.Now()
		f.restart()
		stop := keep(t, a, f)
		broadcast(t, f, *kept-killedAt())
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	})
	a.Close()
	lost := killed.Sub(left) - keptChunk // that is how long the last chunk is
	if t.Logf("the kill cost %v", lost); lost > mostLost || lost <= 0 {
		t.Errorf("want no more than %v", mostLost)
	}

	a = opened(newFilm(11))
	st := a.Stats()
	if end := killed.Add(*kept - killedAt()); st.To.Before(end.Add(-keptChunk)) {
		t.Errorf("it ends at %v, want %v", st.To, end)
	}
	var before, after time.Duration // at most
	for at := st.From; at.Before(st.To.Add(-10 * time.Second)); at = at.Add(min(time.Minute-7*time.Second, *kept/9)) {
		begun := time.Now()
		r, err := a.At(at)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < 10*keptRate; {
			it, ok, err := r.Next()
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			if made := timeOf(markOf(it.Chunk)); n == 0 && (made.After(at) || at.Sub(made) > keptKey+lost) {
				t.Fatalf("asked for %v, it begins at %v", at, made)
			}
			n += len(it.Chunk.Payload())
		}
		r.Close()
		if at.Before(killed) {
			before = max(before, time.Since(begun))
		} else {
			after = max(after, time.Since(begun))
		}
	}
	t.Logf("from the request to ten seconds of media: %v at most before the kill, %v after", before.Round(time.Millisecond), after.Round(time.Millisecond))

	// All is there, but for what the kill cost.
	r := at(t, a, start)
	defer r.Close()
	var last *stream.Chunk
	n, jumps := 0, 0
	for {
		it, ok, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		if it.Jump {
			jumps++
			if last != nil && (it.Chunk.Epoch() == last.Epoch() || !timeOf(markOf(last)).Equal(left)) {
				t.Fatalf("something is missing behind %v", timeOf(markOf(last)))
			}
		}
		last = it.Chunk
		n++
	}
	if want := int((*kept - lost) / keptChunk); n != want || jumps != 2 {
		t.Errorf("%d chunks in %d pieces, want %d in 2", n, jumps, want)
	}
}
