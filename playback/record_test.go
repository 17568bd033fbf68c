package playback

import (
	"bytes"
	"context"
	"errors"
	"os"
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
		go func() { done <- Record(t.Context(), s.ring, GOP, &file) }()
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
		go func() { done <- Record(ctx, s.ring, GOP, &sink{}) }()
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
	if err := Record(t.Context(), s.ring, GOP, &sink{err: full}); !errors.Is(err, full) {
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
	if err := Record(t.Context(), s.ring, GOP, w); err != nil {
		t.Fatal(err)
	}
}
