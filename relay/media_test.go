package relay

import (
	"context"
	"time"

	"relay/relay/stream"
)

// The stream of the benchmarks: 30 pictures a second of one length, one in 60 a place to start,
// and AAC of 128 kb/s.
const (
	mediaFrame      = time.Second / 30
	mediaGroup      = 60
	mediaSoundSize  = 372 // bytes
	mediaSoundEvery = 1024 * time.Second / 44100
	mediaSoundRate  = 128_000 // bit/s
)

// media writes the stream of the benchmarks in its own time.
type media struct {
	w     *stream.Writer
	frame []byte
	sound []byte

	frames, sounds int // written
}

// newMedia makes media of so many bit/s in all.
func newMedia(w *stream.Writer, rate int) *media {
	return &media{w: w, frame: make([]byte, (rate-mediaSoundRate)/8*int(mediaFrame/time.Microsecond)/1e6), sound: make([]byte, mediaSoundSize)}
}

// next writes the tag that is due next, and returns when the one after it is.
func (m *media) next() (at time.Duration, err error) {
	if m.soundAt() < m.frameAt() {
		m.sounds++
		err = m.w.WriteTag(m.sound, 0)
	} else {
		f := stream.EndsChunk
		if m.frames%mediaGroup == 0 {
			f |= stream.StartHere
		}
		m.frames++
		err = m.w.WriteTag(m.frame, f)
	}
	return min(m.frameAt(), m.soundAt()), err
}

func (m *media) frameAt() time.Duration { return time.Duration(m.frames) * mediaFrame }

func (m *media) soundAt() time.Duration { return time.Duration(m.sounds) * mediaSoundEvery }

// run writes until ctx ends.
func (m *media) run(ctx context.Context) error {
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		at, err := m.next()
		if err != nil {
			return err
		}
		timer.Reset(time.Until(start.Add(at)))
	}
}
