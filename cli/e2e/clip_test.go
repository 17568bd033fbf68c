//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"relay/cli/e2e/internal/program"
	"relay/ingest/flv"
	"relay/ingest/ingesttest"
)

// clip is media as messages of enhanced RTMP, which Debian's ffmpeg cannot publish
// itself.
type clip struct {
	configs []flv.Tag
	frames  []flv.Tag // in the order of their times
	long    time.Duration
}

// legacyHEVC has a clip's HEVC published under codec ID 12, as encoders did before
// there was a standard for it.
const legacyHEVC = 12

// clipSeconds is how long a clip is. It is published again and again.
const clipSeconds = 4

// mp4Clips are the clips that were encoded, by ffmpeg's arguments: several tests send the
// same.
var mp4Clips sync.Map

// encodedMP4 has ffmpeg encode a fragmented MP4 file, once for the same arguments.
func encodedMP4(parts []string) ([]byte, error) {
	once, _ := mp4Clips.LoadOrStore(fmt.Sprintf("%q", parts), sync.OnceValues(func() ([]byte, error) {
		args := append([]string{"-hide_banner", "-nostdin", "-loglevel", "error"}, parts...)
		args = append(args, "-t", strconv.Itoa(clipSeconds), "-movflags", "frag_keyframe+empty_moov+delay_moov+default_base_moof", "-f", "mp4", "pipe:1")
		var said bytes.Buffer
		cmd := program.Command("ffmpeg", args...)
		cmd.Stderr = &said
		b, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("ffmpeg makes no clip: %w: %s", err, said.String())
		}
		return b, nil
	}))
	return once.(func() ([]byte, error))()
}

// encodeClip has ffmpeg encode a clip.
func encodeClip(t *testing.T, legacy byte, parts ...[]string) *clip {
	t.Helper()
	b, err := encodedMP4(slices.Concat(parts...))
	if err != nil {
		t.Fatal(err)
	}
	c := &clip{long: clipSeconds * time.Second}
	c.configs, c.frames = ingesttest.FromMP4(t, b, legacy)
	c.frames = slices.DeleteFunc(c.frames, func(f flv.Tag) bool { return clipTime(f) >= c.long })
	return c
}

func clipTime(f flv.Tag) time.Duration { return time.Duration(f.Timestamp()) * time.Millisecond }

// broadcast publishes a clip at its pace, again and again, until the test ends.
func (c *clip) broadcast(t *testing.T, s *source) {
	t.Helper()
	client, wire := published(t, s)
	wire.off.Store(true)
	w := rawWriter(client)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() { // ends with the test, or the source
		defer close(done)
		for _, m := range c.configs {
			if sendRaw(w, m.Type(), 0, m.Body()) != nil {
				return
			}
		}
		begun := time.Now()
		for round := time.Duration(0); ; round += c.long {
			for _, m := range c.frames {
				select {
				case <-quit:
					return
				case <-time.After(time.Until(begun.Add(round + clipTime(m)))):
				}
				if sendRaw(w, m.Type(), round+clipTime(m), m.Body()) != nil {
					return
				}
			}
		}
	}()
	t.Cleanup(func() {
		close(quit)
		<-done
	})
}
