package archive

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/stream"
)

// fill copies what one archive lacks from another, as nodes do, and returns how many parts that were.
func fill(t *testing.T, to, from *Archive) (parts int) {
	t.Helper()
	for {
		span, ok := to.Missing()
		if !ok {
			return parts
		}
		r, err := from.Last(span, 30*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		in, err := to.Insert(span)
		if err != nil {
			t.Fatal(err)
		}
		for r != nil {
			it, ok, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok || it.Chunk.Position().Compare(span.Before) >= 0 {
				r.Close()
				break
			}
			if err := in.Add(it.Header, it.Chunk); err != nil {
				t.Fatal(err)
			}
		}
		switch ok, err := in.Commit(); {
		case err != nil:
			t.Fatal(err)
		case !ok:
			to.Absent(span.Before)
		default:
			parts++
		}
	}
}

// TestWhatIsMissingIsFilledIn has an archive that begins late, loses some minutes in between, and is filled
// from one that has all.
func TestWhatIsMissingIsFilledIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFilm(20)
		all, dir := open(t, t.TempDir(), f, Limits{}), t.TempDir()
		stop := keep(t, all, f)
		f.run(t, 250, 500)
		f.restart()
		f.run(t, 150, 500)
		late := open(t, dir, f, Limits{})
		cursor := f.ring.Ahead()
		some := func() { // keeps what has come since
			t.Helper()
			for {
				it, wait, err := cursor.Poll()
				if err != nil {
					t.Fatal(err)
				}
				if wait != nil {
					break
				}
				if err := late.add(it); err != nil {
					t.Fatal(err)
				}
			}
			if err := late.flush(); err != nil {
				t.Fatal(err)
			}
		}
		f.run(t, 100, 500)
		some()
		f.run(t, 200, 500) // while it is away
		cursor = f.ring.Ahead()
		f.run(t, 100, 500)
		some()
		stop()
		want := rest(t, at(t, all, start))
		if had := rest(t, at(t, late, start)); len(had) >= len(want)/2 {
			t.Fatalf("%d of %d chunks are there before", len(had), len(want))
		}
		if parts := fill(t, late, all); parts < 10 {
			t.Errorf("it was filled in %d parts", parts)
		}
		same(t, rest(t, at(t, late, start)), f.all)
		if err := late.finish(); err != nil {
			t.Fatal(err)
		}
		late.Close()
		again := open(t, dir, f, Limits{})
		same(t, rest(t, at(t, again, start)), f.all)
		if span, ok := again.Missing(); ok && span.After != (stream.Position{}) {
			t.Errorf("it lacks %v", span)
		}
	})
}

func TestNoMoreIsFilledInThanMayBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFilm(21)
		all := open(t, t.TempDir(), f, Limits{})
		stop := keep(t, all, f)
		f.run(t, 2000, 2000)
		stop()
		for _, l := range []Limits{{Age: 5 * time.Minute}, {Bytes: 2_000_000}} {
			late := open(t, t.TempDir(), f, l)
			items := rest(t, at(t, all, timeOf(markOf(f.all[1990]))))
			for _, it := range items {
				if err := late.add(it); err != nil {
					t.Fatal(err)
				}
			}
			if err := late.finish(); err != nil {
				t.Fatal(err)
			}
			fill(t, late, all)
			st := late.Stats()
			if span := st.To.Sub(st.From); l.Age > 0 && (span < l.Age-time.Second || span > l.Age+35*time.Second) {
				t.Errorf("%v are there of %v", span, l.Age)
			}
			if l.Bytes > 0 && (st.Bytes > l.Bytes || st.Bytes < l.Bytes/2) {
				t.Errorf("%d bytes are there of %d", st.Bytes, l.Bytes)
			}
			had := rest(t, at(t, late, start))
			same(t, had, f.all[len(f.all)-len(had):])
		}
	})
}

// TestAPartIsTakenInOrderAlone adds what does not belong there, and abandons parts.
func TestAPartIsTakenInOrderAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFilm(22), t.TempDir()
		a := open(t, t.TempDir(), f, Limits{})
		stop := keep(t, a, f)
		f.run(t, 60, 500)
		stop()
		items := rest(t, at(t, a, start))
		late := open(t, dir, f, Limits{})
		for _, it := range items[40:] {
			if err := late.add(it); err != nil {
				t.Fatal(err)
			}
		}
		if err := late.finish(); err != nil {
			t.Fatal(err)
		}
		span, ok := late.Missing()
		if !ok || span.Before != items[40].Chunk.Position() {
			t.Fatalf("%v, %v", span, ok)
		}
		span.After = items[7].Chunk.Position()
		in, err := late.Insert(span)
		if err != nil {
			t.Fatal(err)
		}
		add := func(i int) error { return in.Add(items[i].Header, items[i].Chunk) }
		for what, err := range map[string]error{
			"one that is not asked for": add(4), "one that is there": add(40), "no key chunk first": add(9), "another epoch's header": func() error {
				f.restart()
				f.run(t, 1, 10)
				return in.Add(items[8].Header, f.all[len(f.all)-1])
			}(),
		} {
			if !errors.Is(err, ErrNoPart) {
				t.Errorf("%s: error %v", what, err)
			}
		}
		if err := errors.Join(add(8), add(9)); err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{9, 8, 11} {
			if err := add(i); !errors.Is(err, ErrNoPart) {
				t.Errorf("chunk %d behind 9: error %v", i, err)
			}
		}
		if err := in.Abandon(); err != nil {
			t.Fatal(err)
		}
		if in, err = late.Insert(span); err != nil {
			t.Fatal(err)
		}
		if ok, err := in.Commit(); ok || err != nil {
			t.Errorf("a part with nothing in it: %v, %v", ok, err)
		}
		if _, err := late.Insert(span); err != nil { // and is killed
			t.Fatal(err)
		}
		late.Close()
		open(t, dir, f, Limits{})
		if left, err := filepath.Glob(filepath.Join(dir, "*"+partSuffix)); err != nil || len(left) > 0 {
			t.Errorf("%v are left", left)
		}
		if _, err := os.Stat(dir); err != nil {
			t.Fatal(err)
		}
	})
}
