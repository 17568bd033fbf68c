package sink

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"relay/ingest/flv"
	"relay/playback"
	"relay/relay/stream"
)

// TestRecordingBeginsWithWhatCameFirst records sound, of which each frame is a place to start,
// into a pipe that is opened only when many more have come.
func TestRecordingBeginsWithWhatCameFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "evening.flv")
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		ring := stream.NewRing(stream.Limits{})
		w := stream.NewWriter(ring, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), stream.Epoch{Ms: 1}, time.Now())
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- Sink{path: path, start: playback.GOP}.Write(ctx, nil, ring) }()
		synctest.Wait() // it is there before the first frame
		var h flv.Header
		if err := w.SetHeader(h.Payload()); err != nil {
			t.Fatal(err)
		}
		frame := func(i int) flv.Tag { return flv.NewTag(flv.Audio, uint32(20*i), []byte{0xaf, 1, byte(i)}) }
		send := func(i int) {
			if err := w.WriteTag(frame(i), stream.StartHere|stream.EndsChunk); err != nil {
				t.Fatal(err)
			}
		}
		send(0)
		want := h.Payload()
		for i := range 50 {
			if i > 0 {
				send(i)
			}
			want = append(want, frame(i)...)
		}
		pipe, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer pipe.Close()
		ring.Close()
		got, err := io.ReadAll(pipe)
		if err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes were recorded, want %d", len(got), len(want))
		}
	})
}
