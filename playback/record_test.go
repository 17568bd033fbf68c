package playback

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// sink is a writer that keeps what it gets, and can be told to fail.
type sink struct {
	bytes.Buffer
	err error
}

func (s *sink) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	return s.Buffer.Write(b)
}

func TestRecordingIsWhatTheWriterWasGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		ts := s.group(0)
		var file sink
		done := make(chan error, 1)
		go func() { done <- Recording{Ring: s.ring, Start: GOP}.Run(t.Context(), &file) }()
		synctest.Wait()
		s.group(ts)
		s.ring.Close()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(file.Bytes(), s.sinceKey(0)) {
			t.Fatalf("%d bytes were recorded, want %d", file.Len(), len(s.sinceKey(0)))
		}
	})
}

// Whoever records from the second hour on wants a file that begins at 0.
func TestRecordingBeginsAtZero(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "cli", "demo", "demo.flv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var tags []flv.Tag
	var h flv.Header
	for r := flv.NewReader(f); ; {
		tag, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		h.Add(tag, flv.Classify(tag))
		tags = append(tags, tag)
	}
	record := func(suffix string, shift uint32) []byte {
		s := newSource(t, stream.Limits{})
		if err := s.writer.SetHeader(h.Payload()); err != nil {
			t.Fatal(err)
		}
		for _, tag := range tags {
			tag, flags := slices.Clone(tag), stream.EndsChunk // so that no timer cuts chunks
			flv.PutTimestamp(tag, tag.Timestamp()+shift)
			if flv.Classify(tag).Key && len(s.keys) == 0 {
				flags |= stream.StartHere
				s.keys = append(s.keys, len(s.tags))
			}
			s.write(tag, flags)
		}
		s.flush()
		s.ring.Close()
		var file sink
		if err := (Recording{Ring: s.ring, Start: GOP, Suffix: suffix}).Run(t.Context(), &file); err != nil {
			t.Fatal(err)
		}
		return file.Bytes()
	}
	for _, suffix := range []string{"x.mp4", "x.ts"} {
		want := record(suffix, 40) // from 0 on, tags are in fewer pieces, which cuts fragments elsewhere
		for _, shift := range []uint32{4_946_000, 1<<31 - 100, 1<<32 - 100} {
			if got := record(suffix, shift); !bytes.Equal(got, want) {
				t.Errorf("%s from %d ms on: %d bytes, not the %d as from 40", suffix, shift, len(got), len(want))
			}
		}
		if len(want) < 100_000 {
			t.Errorf("%s has %d bytes", suffix, len(want))
		}
		if suffix == "x.mp4" {
			var parts fmp4.Parts
			if err := parts.Unmarshal(want[bytes.Index(want, []byte("moof"))-4:]); err != nil || parts[0].Tracks[0].BaseTime != 0 {
				t.Errorf("%v, the first fragment is at %+v", err, parts[0].Tracks[0].BaseTime)
			}
		}
	}
}

func TestRecordingEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- Recording{Ring: s.ring, Start: GOP}.Run(ctx, &sink{}) }()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestRecordingToAFullDiskIsAnError(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.group(0)
	full := errors.New("no space left on device")
	if err := (Recording{Ring: s.ring, Start: GOP}).Run(t.Context(), &sink{err: full}); !errors.Is(err, full) {
		t.Fatalf("error %v, want one that wraps %v", err, full)
	}
}

func TestRecordingToAClosedPipeEndsCleanly(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.group(0)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	if err := (Recording{Ring: s.ring, Start: GOP}).Run(t.Context(), w); err != nil {
		t.Fatal(err)
	}
}

// smallDisk is a file on a disk that has room for so many bytes.
type smallDisk struct {
	*os.File
	room int
}

func (d *smallDisk) Write(b []byte) (int, error) {
	n, err := d.File.Write(b[:min(len(b), d.room)])
	d.room -= n
	if err == nil && n < len(b) {
		err = syscall.ENOSPC
	}
	return n, err
}

func TestRecordingThatFillsTheDiskEndsWithWhatIsWhole(t *testing.T) {
	for _, suffix := range []string{".flv", ".mp4"} {
		synctest.Test(t, func(t *testing.T) {
			s := newSource(t, stream.Limits{})
			s.header(avcRecord(testSPS, testPPS))
			ts := s.group(0)
			f, err := os.Create(t.TempDir() + "/recording" + suffix)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			done := make(chan error, 1)
			go func() {
				done <- Recording{Ring: s.ring, Start: GOP, Suffix: suffix}.Run(t.Context(), &smallDisk{f, 200_000})
			}()
			for range 5 { // of 85 KB each
				synctest.Wait()
				ts = s.group(ts)
			}
			if err := <-done; !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("error %v, want one that says that the disk is full", err)
			}
			b, err := os.ReadFile(f.Name())
			if err != nil {
				t.Fatal(err)
			}
			if len(b) < 100_000 || len(b) >= 200_000 {
				t.Errorf("%s: %d bytes are left of 200000", suffix, len(b))
			}
			if suffix == ".flv" {
				parse(t, b) // fails on half a tag
				return
			}
			for len(b) > 0 {
				n := 0
				if len(b) >= 8 {
					n = int(binary.BigEndian.Uint32(b))
				}
				if n < 8 || n > len(b) {
					t.Fatalf("a box of %d bytes, %d are left", n, len(b))
				}
				b = b[n:]
			}
		})
	}
}
