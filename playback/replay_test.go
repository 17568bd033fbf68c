package playback

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"relay/ingest/flv"
	"relay/playback/provenance"
	"relay/relay/archive"
	"relay/relay/seal"
	"relay/relay/stream"
)

// evening keeps two minutes of a channel in a folder, sealed if content is not zero.
func evening(t *testing.T, content seal.Content) (s *source, dir string) {
	t.Helper()
	s, dir = newSource(t, stream.Limits{}), t.TempDir()
	s.writer = stream.NewSealedWriter(s.ring, s.key, content, stream.NextEpoch(s.writer.Epoch(), time.Now(), 3), time.Now())
	s.header("evening")
	a, err := archive.Open(dir, s.id, archive.Limits{Age: 10 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(t.Context(), s.ring) }()
	s.film(0, 120)
	s.ring.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return s, dir
}

// replayed are the tags of a replay that is read to its end, and what a checker finds of them.
func replayed(t *testing.T, r *Replay) (tags []flv.Tag, found provenance.Report) {
	t.Helper()
	in, c := flv.NewReader(r), provenance.NewChecker(r.Of())
	for {
		tag, err := in.Next()
		if err == io.EOF {
			return tags, c.Report()
		}
		if err != nil {
			t.Fatal(err)
		}
		c.Add(tag)
		if !provenance.Is(tag) {
			tags = append(tags, bytes.Clone(tag))
		}
	}
}

func TestAReplayIsWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dir := evening(t, seal.Content{})
		a, err := archive.OpenOld(dir)
		if err != nil || a.ID() != s.id {
			t.Fatal(err)
		}
		r, err := NewReplay(a, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for range 2 {
			tags, found := replayed(t, r)
			tags = tags[2:] // configurations, of the header
			s.sameTags(tags, 0)
			if len(tags) != len(s.tags) {
				t.Errorf("%d tags of %d", len(tags), len(s.tags))
			}
			if found.Proved != uint64(len(s.tags)) || found.Unproved > 0 || r.Of() != s.id {
				t.Errorf("found %+v of %d tags", found, len(s.tags))
			}
			if _, err := r.Seek(0, io.SeekStart); err != nil {
				t.Fatal(err)
			}
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.relay"))
		if err != nil || len(files) < 5 {
			t.Fatalf("%d segments, %v", len(files), err)
		}
		if a, err = archive.OpenOld(files[1]); err != nil {
			t.Fatal(err)
		}
		one, err := NewReplay(a, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer one.Close()
		tags, _ := replayed(t, one)
		first := 0
		for !bytes.Equal(s.tags[first], tags[2]) {
			first++
		}
		s.sameTags(tags[2:], first)
	})
}

func TestAPrivateReplayWantsTheSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := seal.New().Content(seal.Channel{1})
		s, dir := evening(t, content)
		a, err := archive.OpenOld(dir)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReplay(a, func() *stream.Unsealer { return stream.NewUnsealer(content) })
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if tags, _ := replayed(t, r); len(tags) != len(s.tags)+2 {
			t.Errorf("%d tags of %d", len(tags), len(s.tags))
		}
		for name, unsealer := range map[string]func() *stream.Unsealer{
			"another secret": func() *stream.Unsealer { return stream.NewUnsealer(seal.New().Content(seal.Channel{1})) },
			"none":           nil,
		} {
			if _, err := NewReplay(a, unsealer); !errors.Is(err, ErrSealed) {
				t.Errorf("with %s: error %v", name, err)
			}
		}
	})
}

func TestWhatIsNoReplay(t *testing.T) {
	dir := t.TempDir()
	if _, err := archive.OpenOld(dir); err != archive.ErrFormat {
		t.Errorf("an empty folder: %v", err)
	}
	path := filepath.Join(dir, "a.relay")
	for _, b := range [][]byte{nil, []byte("FLV\x01\x05"), []byte("relay stream 1\r\n"), append([]byte("relay stream 1\r\n"), make([]byte, 32)...)} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := archive.OpenOld(path)
		if err == nil {
			_, err = NewReplay(a, nil)
		}
		if err == nil {
			t.Errorf("%q is a replay", b)
		}
	}
}
