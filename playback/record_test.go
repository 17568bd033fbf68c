package playback

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"syscall"
	"testing"
	"testing/synctest"

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
