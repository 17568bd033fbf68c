package archive

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/stream"
)

// film makes a channel's chunks, one for each beat, and a key chunk every two seconds. Its clock runs as
// fast as it is asked for chunks.
type film struct {
	key   ed25519.PrivateKey
	ring  *stream.Ring
	w     *stream.Writer
	epoch stream.Epoch
	rnd   *rand.Rand
	made  int
	still bool // the clock stands
	all   []*stream.Chunk
}

const (
	beat    = 500 * time.Millisecond
	perKey  = 4
	perHour = int(time.Hour / beat)
)

func newFilm(seed uint64) *film {
	rnd := rand.New(rand.NewPCG(seed, 12))
	b := make([]byte, ed25519.SeedSize)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	f := &film{key: ed25519.NewKeyFromSeed(b), ring: stream.NewRing(stream.Limits{}), rnd: rnd}
	f.restart()
	return f
}

func (f *film) id() stream.ChannelID { return stream.IDOf(f.key) }

// restart begins another run of the source.
func (f *film) restart() {
	f.epoch = stream.NextEpoch(f.epoch, time.Now(), f.rnd.Uint64())
	f.w = stream.NewWriter(f.ring, f.key, f.epoch, time.Now())
	f.w.SetHeader([]byte("header of " + f.epoch.String()))
	f.made = 0
}

// run makes n chunks of about size bytes. It is called in a bubble.
func (f *film) run(t testing.TB, n, size int) {
	t.Helper()
	cursor := f.ring.Since(f.last())
	for range n {
		flags := stream.TagFlags(0)
		if f.made%perKey == 0 {
			flags = stream.StartHere
		}
		f.made++
		tag := make([]byte, size/2+f.rnd.IntN(size)+1)
		for i := range tag {
			tag[i] = byte(f.rnd.Uint32())
		}
		if err := f.w.WriteTag(tag, flags); err != nil {
			t.Fatal(err)
		}
		if err := f.w.Flush(); err != nil {
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
			f.all = append(f.all, it.Chunk)
		}
		if !f.still {
			time.Sleep(beat)
		}
	}
}

func (f *film) last() stream.Position {
	if len(f.all) == 0 {
		return stream.Position{}
	}
	return f.all[len(f.all)-1].Position()
}

// keep runs an archive of the film until the function that is returned is called.
func keep(t testing.TB, a *Archive, f *film) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, f.ring) }()
	return func() error { cancel(); return <-done }
}

func open(t testing.TB, dir string, f *film, l Limits) *Archive {
	t.Helper()
	a, err := Open(dir, f.id(), l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// rest reads all that there is.
func rest(t testing.TB, r *Reader) (all []stream.Item) {
	t.Helper()
	if r == nil {
		return nil
	}
	defer r.Close()
	for {
		it, ok, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return all
		}
		if it.Header == nil || it.Header.Epoch() != it.Chunk.Epoch() || it.Header.Gen() != it.Chunk.Gen() {
			t.Fatalf("chunk %d has another's header", it.Chunk.Seq())
		}
		all = append(all, it)
	}
}

func at(t testing.TB, a *Archive, when time.Time) *Reader {
	t.Helper()
	r, err := a.At(when)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// same fails if the items are not those chunks.
func same(t testing.TB, items []stream.Item, want []*stream.Chunk) {
	t.Helper()
	if len(items) != len(want) {
		t.Fatalf("%d chunks, want %d", len(items), len(want))
	}
	for i, it := range items {
		if !it.Chunk.Same(want[i]) {
			t.Fatalf("chunk %d of %d is another", i, len(want))
		}
		follows := i > 0 && want[i-1].Epoch() == want[i].Epoch() && want[i-1].Seq()+1 == want[i].Seq()
		if it.Jump == follows {
			t.Fatalf("chunk %d of %d: jump %v", i, len(want), it.Jump)
		}
	}
}

var start = time.Time{}

// TestWhatIsKeptIsReadBack has two runs of a source, one of which changes its header, and opens the
// archive again in between.
func TestWhatIsKeptIsReadBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFilm(1), t.TempDir()
		begun := time.Now()
		a := open(t, dir, f, Limits{})
		stop := keep(t, a, f)
		f.run(t, 400, 3000)
		f.w.SetHeader([]byte("another header"))
		f.run(t, 200, 3000)
		same(t, rest(t, at(t, a, start)), f.all)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		f.restart()
		f.run(t, 1, 10) // which the ring has when it is kept again
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		a = open(t, dir, f, Limits{})
		same(t, rest(t, at(t, a, start)), f.all[:len(f.all)-1])
		time.Sleep(time.Hour)
		f.restart()
		stop = keep(t, a, f)
		f.run(t, 500, 3000)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		same(t, rest(t, at(t, a, start)), f.all)
		for range 20 {
			when := begun.Add(time.Duration(f.rnd.Int64N(int64(time.Since(begun)))))
			items := rest(t, at(t, a, when))
			first := items[0].Chunk
			if made := timeOf(markOf(first)); !first.Has(stream.Key) || made.After(when) || when.Sub(made) > perKey*beat && when.Before(begun.Add(300*time.Second)) {
				t.Fatalf("asked for %v, it begins at %v", when, made)
			}
			same(t, items, f.all[len(f.all)-len(items):])
			behind := len(f.all) - 1 - f.rnd.IntN(len(items))
			r, err := a.After(f.all[behind].Position())
			if err != nil {
				t.Fatal(err)
			}
			items = rest(t, r)
			if len(items) > 0 && items[0].Chunk.Epoch() == f.all[behind].Epoch() && items[0].Jump {
				t.Fatal("what follows is a jump")
			}
			for i, it := range items {
				if !it.Chunk.Same(f.all[behind+1+i]) {
					t.Fatalf("behind chunk %d, chunk %d is another", behind, i)
				}
			}
			if len(items) != len(f.all)-behind-1 {
				t.Fatalf("%d chunks behind %d of %d", len(items), behind, len(f.all))
			}
		}
	})
}

// TestAProgramThatIsKilledLosesNothingOnDisk copies the folder at any moment, with the newest file cut
// anywhere, as a kill, a crash of the system, or a full disk leave it.
func TestAProgramThatIsKilledLosesNothingOnDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFilm(2), t.TempDir()
		a := open(t, dir, f, Limits{})
		stop := keep(t, a, f)
		f.run(t, 400, 3000)
		crash := t.TempDir()
		if err := os.CopyFS(filepath.Join(crash, "kept"), os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		had := len(rest(t, at(t, a, start)))
		stop()
		for range 20 {
			b := open(t, filepath.Join(crash, "kept"), f, Limits{})
			items := rest(t, at(t, b, start))
			if len(items) > had || len(items) < had-12 {
				t.Fatalf("%d chunks are left of %d", len(items), had)
			}
			same(t, items, f.all[:len(items)])
			had = len(items)
			newest := b.segments[len(b.segments)-1]
			b.Close()
			if err := os.Truncate(newest.path, max(0, newest.total-int64(f.rnd.IntN(10_000)))); err != nil {
				t.Fatal(err)
			}
		}
		// It goes on behind what is there.
		b := open(t, filepath.Join(crash, "kept"), f, Limits{})
		stop = keep(t, b, f)
		f.run(t, 20, 3000)
		stop()
		items := rest(t, at(t, b, start))
		if last := items[len(items)-1].Chunk; !last.Same(f.all[len(f.all)-1]) {
			t.Error("what comes now is not kept")
		}
	})
}

func TestArchiveIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, l := range []Limits{{Age: 5 * time.Minute}, {Bytes: 4_000_000}, {Age: 20 * time.Second, Bytes: 1 << 40}} {
			f, dir := newFilm(3), t.TempDir()
			a := open(t, dir, f, l)
			stop := keep(t, a, f)
			for range 60 {
				f.run(t, 30, 4000)
				onDisk := int64(0)
				files, err := os.ReadDir(dir)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range files {
					if fi, err := e.Info(); err == nil {
						onDisk += fi.Size()
					}
				}
				st := a.Stats()
				if onDisk != st.Bytes {
					t.Fatalf("%d bytes are on disk, %d are counted", onDisk, st.Bytes)
				}
				if onDisk > a.limits.Bytes {
					t.Fatalf("%d bytes are on disk, the limit is %d", onDisk, a.limits.Bytes)
				}
				span := st.To.Sub(st.From)
				if most := a.limits.Age + max(a.limits.Age/segmentParts, minSegmentAge) + perKey*beat + time.Second; span > most {
					t.Fatalf("%v are kept, the limit is %v", span, a.limits.Age)
				}
				if l.Bytes == 0 && f.made > 700 && span < l.Age {
					t.Fatalf("only %v are kept of %v", span, l.Age)
				}
				if l.Age == 0 && f.made > 1500 && onDisk < l.Bytes*9/10 {
					t.Fatalf("only %d bytes are kept of %d", onDisk, l.Bytes)
				}
			}
			items := rest(t, at(t, a, start))
			same(t, items, f.all[len(f.all)-len(items):])
			stop()
		}
	})
}

// TestAReaderFollowsWhatIsWritten reads beside the writer, over ends of segments, and while those in front
// of the reader are dropped.
func TestAReaderFollowsWhatIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFilm(4)
		a := open(t, t.TempDir(), f, Limits{Age: 20 * time.Second})
		defer keep(t, a, f)()
		f.run(t, 8, 2000)
		fast, slow := at(t, a, start), at(t, a, start)
		defer fast.Close()
		defer slow.Close()
		seen := 0
		for range 30 {
			f.run(t, 10, 2000)
			time.Sleep(gather)
			synctest.Wait()
			for {
				it, ok, err := fast.Next()
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				if !it.Chunk.Same(f.all[seen]) {
					t.Fatalf("chunk %d is another", seen)
				}
				seen++
			}
			if seen != len(f.all) {
				t.Fatalf("%d chunks are read of %d", seen, len(f.all))
			}
		}
		it, ok, err := slow.Next()
		if !ok || err != nil || !it.Chunk.Same(f.all[0]) {
			t.Fatalf("the file that a reader has open is gone: %v, %v", ok, err)
		}
		items := rest(t, slow)
		if last := items[len(items)-1].Chunk; !last.Same(f.all[len(f.all)-1]) {
			t.Error("a slow reader does not come to the end")
		}
	})
}

// TestDamageCostsChunksAndNothingElse alters files anywhere, as a bad disk or a person may.
func TestDamageCostsChunksAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seed := uint64(5)
		f, dir := newFilm(seed), t.TempDir()
		a := open(t, dir, f, Limits{})
		stop := keep(t, a, f)
		f.run(t, 300, 2000)
		stop()
		a.Close()
		rnd := rand.New(rand.NewPCG(seed, seed))
		t.Logf("seed %d", seed)
		for range 60 {
			broken := t.TempDir()
			if err := os.CopyFS(filepath.Join(broken, "kept"), os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(broken, "kept", "*"+suffix))
			if err != nil {
				t.Fatal(err)
			}
			path := files[rnd.IntN(len(files))]
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			switch at := rnd.IntN(len(b)); rnd.IntN(3) {
			case 0:
				b[at] ^= 1 << rnd.IntN(8)
				n = 1
			case 1:
				n = copy(b[at:], make([]byte, rnd.IntN(20_000)))
			default:
				b = append(b[:at:at], b[min(len(b), at+rnd.IntN(100)):]...)
				n = len(b)
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			a := open(t, filepath.Join(broken, "kept"), f, Limits{})
			items := rest(t, at(t, a, start))
			a.Close()
			i := 0
			for _, it := range items {
				for i < len(f.all) && !f.all[i].Same(it.Chunk) {
					i++
				}
			}
			if i == len(f.all) {
				t.Fatal("a chunk comes that was never made, or in another order")
			}
			if n == 1 && len(items) < len(f.all)-2*perKey-int(a.limits.Age/segmentParts/beat) {
				t.Fatalf("one bit costs %d chunks of %d", len(f.all)-len(items), len(f.all))
			}
		}
	})
}

func TestAFullDiskEndsTheKeepingOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFilm(6)
		a := open(t, t.TempDir(), f, Limits{})
		stop := keep(t, a, f)
		f.run(t, 100, 2000)
		synctest.Wait()
		had := len(rest(t, at(t, a, start)))
		a.file.Close() // writes fail from here on
		f.run(t, 10, 2000)
		if err := stop(); !errors.Is(err, os.ErrClosed) {
			t.Fatalf("error %v", err)
		}
		same(t, rest(t, at(t, a, start)), f.all[:had])
	})
}

// A source that leaves a number out before each chunk makes no crowd of files.
func TestGapsMakeFewFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFilm(12), t.TempDir()
		a := open(t, dir, f, Limits{})
		cursor := f.ring.Ahead()
		for range 200 {
			f.run(t, 1, 100)
			it, _, err := cursor.Poll()
			if err != nil || it.Chunk == nil {
				t.Fatal(err)
			}
			it.Jump = true
			if err := a.add(it); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.finish(); err != nil {
			t.Fatal(err)
		}
		if most := int(200*beat/minSegmentAge) + 1; len(a.segments) > most || len(a.segments) < 2 {
			t.Errorf("%d files, at most %d are meant to be", len(a.segments), most)
		}
	})
}

// The source's machine begins in 1970, and is told the time by the network while the channel is kept. What can be
// gone back to is not half a century.
func TestWhatWasMadeByAWrongClockGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFilm(13), t.TempDir()
		f.ring, f.epoch = stream.NewRing(stream.Limits{}), stream.Epoch{Ms: 1000, Rand: 1}
		f.w = stream.NewWriter(f.ring, f.key, f.epoch, time.Now())
		f.w.SetHeader([]byte("header"))
		a := open(t, dir, f, Limits{})
		stop := keep(t, a, f)
		f.run(t, 10*perKey+1, 100)
		if !f.w.Follow(time.Now(), time.Now()) {
			t.Fatal("the clock was not set")
		}
		set := time.Now()
		f.run(t, 3*perKey, 100)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if st := a.Stats(); st.From.Before(set.Add(-time.Second)) || st.To.Before(st.From) {
			t.Errorf("kept from %v to %v, set at %v", st.From, st.To, set)
		}
		if r := at(t, a, set.Add(3*time.Second)); r == nil || r.Begins().Before(set) || r.Begins().After(set.Add(3*time.Second)) {
			t.Errorf("who goes back to %v does not get that", set.Add(3*time.Second))
		} else {
			r.Close()
		}
	})
}

// A clock that was an hour ahead in one run is right in the next one. That can be gone back to, too.
func TestARunMayBeginBeforeTheEndOfTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFilm(14), t.TempDir()
		a := open(t, dir, f, Limits{})
		stop := keep(t, a, f)
		f.w.Follow(time.Now(), time.Now().Add(time.Hour))
		f.run(t, 10*perKey, 100)
		again := time.Now()
		f.restart()
		f.run(t, 10*perKey, 100)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if st := a.Stats(); st.From.After(st.To) || st.From.Sub(again).Abs() > time.Second {
			t.Errorf("kept from %v to %v, the second run began at %v", st.From, st.To, again)
		}
		if r := at(t, a, again.Add(5*time.Second)); r == nil || r.Begins().Before(again) || r.Begins().After(again.Add(5*time.Second)) {
			t.Error("who goes back to the second run does not get it")
		} else {
			r.Close()
		}
	})
}

// What has come by the end is kept, however short before it that was.
func TestTheEndIsKept(t *testing.T) {
	for _, closes := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFilm(13)
			a := open(t, t.TempDir(), f, Limits{})
			stop := keep(t, a, f)
			f.run(t, 10, 100)
			f.still = true
			f.run(t, 3, 100)
			if closes {
				f.ring.Close()
			}
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			same(t, rest(t, at(t, a, start)), f.all)
		})
	}
}

// A segment that the system does not let go of gives way to the next ones, and where none can be removed, the
// keeping ends before there are too many bytes.
func TestWhatCannotBeRemovedDoesNotStretchTheBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFilm(14), t.TempDir()
		a := open(t, dir, f, Limits{Bytes: 3_000_000})
		stop := keep(t, a, f)
		f.run(t, 300, 4000)
		synctest.Wait()
		a.mu.Lock()
		held := a.segments[0]
		held.path = filepath.Join(dir, "held") // a folder that is not empty cannot be removed
		a.mu.Unlock()
		if err := os.MkdirAll(filepath.Join(held.path, "by somebody"), 0o700); err != nil {
			t.Fatal(err)
		}
		f.run(t, 1000, 4000)
		if st := a.Stats(); st.Bytes > a.limits.Bytes {
			t.Errorf("%d bytes, %d are the limit", st.Bytes, a.limits.Bytes)
		}
		if a.segments[0] != held || len(a.segments) < 3 {
			t.Errorf("%d segments are left, and the held one is not the first", len(a.segments))
		}
		a.mu.Lock()
		for _, s := range a.segments[:len(a.segments)-1] {
			s.path = held.path
		}
		a.mu.Unlock()
		f.run(t, 1000, 4000)
		if err := stop(); err == nil {
			t.Error("it goes on, and nothing can be removed")
		}
		if st := a.Stats(); st.Bytes > a.limits.Bytes {
			t.Errorf("at the end %d bytes, %d are the limit", st.Bytes, a.limits.Bytes)
		}
	})
}

func TestOneKeepsAtATime(t *testing.T) {
	f, dir := newFilm(7), t.TempDir()
	a := open(t, dir, f, Limits{})
	if _, err := Open(dir, f.id(), Limits{}); !errors.Is(err, ErrInUse) {
		t.Fatalf("error %v", err)
	}
	a.Close()
	open(t, dir, f, Limits{})
}

// TestFilesOfOthersAreLeftAlone has a folder with files that are no segments, or another channel's.
func TestFilesOfOthersAreLeftAlone(t *testing.T) {
	f, dir := newFilm(8), t.TempDir()
	other := newFilm(9)
	for name, b := range map[string][]byte{
		"notes.txt": []byte("mine"), "empty.relay": nil, "short.relay": []byte(magic), "text.relay": bytes.Repeat([]byte("x"), 1000),
		"other.relay": preface(other.id()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.relay"), 0o700); err != nil {
		t.Fatal(err)
	}
	a := open(t, dir, f, Limits{Bytes: 1})
	if r := at(t, a, start); r != nil {
		t.Error("there is something to read")
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 7 {
		t.Errorf("%d files are left of 6 and the lock, %v", len(files), err)
	}
}
