//go:build e2e

package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"relay/cli/e2e/internal/program"
	"relay/ingest/flv"
)

// clip is media as messages of enhanced RTMP, which Debian's ffmpeg cannot publish
// itself.
type clip struct {
	configs []clipFrame
	frames  []clipFrame // in the order of their times
	long    time.Duration
}

type clipFrame struct {
	at   time.Duration
	typ  flv.Type
	body []byte
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
	var init fmp4.Init
	if err := init.Unmarshal(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	var all fmp4.Parts
	if err := all.Unmarshal(b); err != nil {
		t.Fatal(err)
	}
	c := &clip{long: clipSeconds * time.Second}
	for _, track := range init.Tracks {
		config, coded := framing(t, track.Codec, b, legacy)
		if config != nil {
			c.configs = append(c.configs, clipFrame{typ: typeOf(track.Codec), body: config})
		}
		scaled := func(n int64) time.Duration { return time.Duration(n) * time.Second / time.Duration(track.TimeScale) }
		for _, part := range all {
			for _, pt := range part.Tracks {
				if pt.ID != track.ID {
					continue
				}
				at := int64(pt.BaseTime)
				for i, s := range pt.Samples {
					key := i == 0 // a fragment begins with a keyframe, as its own flags would say
					if d := scaled(at); d < c.long {
						c.frames = append(c.frames, clipFrame{d, typeOf(track.Codec), append(coded(key, scaled(int64(s.PTSOffset))), s.Payload...)})
					}
					at += int64(s.Duration)
				}
			}
		}
	}
	if len(c.frames) == 0 {
		t.Fatal("the clip is empty")
	}
	slices.SortStableFunc(c.frames, func(a, b clipFrame) int { return int(a.at - b.at) })
	return c
}

func typeOf(c codecs.Codec) flv.Type {
	if c.IsVideo() {
		return flv.Video
	}
	return flv.Audio
}

// framing is what precedes a codec's frames in FLV, and the tag with its configuration from the
// box of an MP4 file, nil if there is none.
func framing(t *testing.T, codec codecs.Codec, mp4 []byte, legacy byte) (config []byte, coded func(key bool, offset time.Duration) []byte) {
	t.Helper()
	frameType := func(key bool) byte {
		if key {
			return 1
		}
		return 2
	}
	plain := func(id byte, box string) ([]byte, func(bool, time.Duration) []byte) {
		return append([]byte{1<<4 | id, 0, 0, 0, 0}, contents(t, mp4, box)...), func(key bool, offset time.Duration) []byte {
			return append([]byte{frameType(key)<<4 | id, 1}, offset24(offset)...)
		}
	}
	enhanced := func(fourCC, box string, offsets bool) ([]byte, func(bool, time.Duration) []byte) {
		return append([]byte("\x90"+fourCC), contents(t, mp4, box)...), func(key bool, offset time.Duration) []byte {
			b := append([]byte{0x80 | frameType(key)<<4 | 1}, fourCC...)
			if offsets {
				b = append(b, offset24(offset)...)
			}
			return b
		}
	}
	sound := func(b ...byte) func(bool, time.Duration) []byte {
		return func(bool, time.Duration) []byte { return slices.Clone(b) }
	}
	switch c := codec.(type) {
	case *codecs.H264:
		return plain(7, "avcC")
	case *codecs.H265:
		if legacy != 0 {
			return plain(legacy, "hvcC")
		}
		return enhanced("hvc1", "hvcC", true)
	case *codecs.AV1:
		return enhanced("av01", "av1C", false)
	case *codecs.VP9:
		return enhanced("vp09", "vpcC", false)
	case *codecs.MPEG4Audio:
		asc, err := c.Config.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return append([]byte{0xaf, 0}, asc...), sound(0xaf, 1)
	case *codecs.Opus:
		id, err := (&opus.IDHeader{Version: 1, ChannelCount: uint8(c.ChannelCount), PreSkip: 312, InputSampleRate: 48000}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return append([]byte("\x90Opus"), id...), sound([]byte("\x91Opus")...)
	case *codecs.MPEG1Audio:
		return nil, sound(0x2f)
	}
	t.Fatalf("no framing for %T", codec)
	return nil, nil
}

// offset24 is a composition time in milliseconds, as FLV writes it.
func offset24(d time.Duration) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(d/time.Millisecond))[1:]
}

// contents are the bytes in an MP4 box, wherever it stands.
func contents(t *testing.T, mp4 []byte, box string) []byte {
	t.Helper()
	const head = 8
	i := bytes.Index(mp4, []byte(box)) - 4
	if i < 0 {
		t.Fatalf("there is no %s", box)
	}
	return mp4[i+head : i+int(binary.BigEndian.Uint32(mp4[i:]))]
}

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
			if sendRaw(w, m.typ, 0, m.body) != nil {
				return
			}
		}
		begun := time.Now()
		for round := time.Duration(0); ; round += c.long {
			for _, m := range c.frames {
				select {
				case <-quit:
					return
				case <-time.After(time.Until(begun.Add(round + m.at))):
				}
				if sendRaw(w, m.typ, round+m.at, m.body) != nil {
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
