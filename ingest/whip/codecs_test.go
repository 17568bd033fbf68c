//go:build !lean

package whip

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"relay/ingest/flv"
	"relay/ingest/ingesttest"
)

// ofIVF are the pictures of a file of libvpx's: a head of 32 bytes, and 12 in front of each picture.
func ofIVF(b []byte) (pictures [][]byte) {
	for b = b[32:]; len(b) >= 12; {
		n := int(binary.LittleEndian.Uint32(b))
		pictures = append(pictures, b[12:12+n])
		b = b[12+n:]
	}
	return pictures
}

// between are the pictures of a file of NAL units in which a delimiter, with its start code, is in front of each.
func between(b []byte, delimiter string) (pictures [][]byte) {
	for _, p := range bytes.Split(b, []byte(delimiter))[1:] {
		pictures = append(pictures, append([]byte(delimiter), p...))
	}
	return pictures
}

// TestAnEncoderPublishesInEachCodec has calls of all that the endpoint says that it takes. OBS sends H.264 with B-frames where the
// encoder takes no notice of what it was told (obs-studio 11782): nothing is left out or swapped, and each is shown when it should be.
func TestAnEncoderPublishesInEachCodec(t *testing.T) {
	const every = 40 * time.Millisecond
	inLine := func(i int) int { return i }
	for name, c := range map[string]struct {
		mime, codec, file, args string
		pictures                func(b []byte) [][]byte
		shown                   func(i int) int // when the i-th is, in pictures
	}{
		"HEVC": {
			webrtc.MimeTypeH265, "hevc", "clip.hevc", "-map 0:v -c:v libx265 -preset ultrafast -x265-params log-level=error:pools=1:bframes=0:aud=1:repeat-headers=1:keyint=10",
			func(b []byte) [][]byte { return between(b, "\x00\x00\x00\x01\x46\x01") }, inLine,
		},
		"VP9": {webrtc.MimeTypeVP9, "vp9", "clip.ivf", "-map 0:v -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 10 -lag-in-frames 0 -auto-alt-ref 0", ofIVF, inLine},
		"AV1": {webrtc.MimeTypeAV1, "av1", "clip.ivf", "-map 0:v -c:v libaom-av1 -usage realtime -cpu-used 8 -g 10 -lag-in-frames 0", ofIVF, inLine},
		"H.264 with B-frames": {
			webrtc.MimeTypeH264, "h264", "clip.h264", "-map 0:v -c:v libx264 -preset veryfast -bf 2 -x264-params aud=1:b-adapt=0:b-pyramid=none:keyint=250:scenecut=0:repeat-headers=1",
			func(b []byte) [][]byte { return between(b, "\x00\x00\x00\x01\x09") },
			func(i int) int { // a P is sent in front of the two B that are shown before it
				if i == 0 {
					return 0
				}
				return i + [...]int{2, -1, -1}[(i-1)%3]
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(ingesttest.Clip(t, c.file, c.args))
			if err != nil {
				t.Fatal(err)
			}
			pictures := c.pictures(b)
			const most = 31
			if len(pictures) < most {
				t.Fatalf("the clip has %d pictures", len(pictures))
			}
			n := newNode(t)
			e := n.publish(t, settings{mime: c.mime})
			for i, p := range pictures[:most] {
				for range every / (20 * time.Millisecond) {
					if err := e.sound.WriteSample(media.Sample{Data: opusFrame, Duration: 20 * time.Millisecond}); err != nil {
						t.Fatal(err)
					}
				}
				// The time of the next one is later by that, or wraps until it is earlier.
				ticks := uint32((c.shown(i+1) - c.shown(i)) * 3600)
				if err := e.pictures.WriteSample(media.Sample{Data: p, Duration: time.Duration(ticks)*time.Second/90000 + 100}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(every) // an encoder's pace
			}
			n.until(t, "all pictures", func() bool { return len(n.frames(flv.Video)) == most })
			var shown []int64
			last := int64(-1)
			for i, tag := range n.frames(flv.Video) {
				coded, _ := flv.Decode(tag)
				at := int64(tag.Timestamp())
				if coded.Codec != c.codec || coded.Key != (i == 0) && i < 10 || at < last || coded.Offset < 0 && i > 3 {
					t.Errorf("picture %d is %s, a key frame: %t, decoded at %d ms after %d and shown %d ms later", i, coded.Codec, coded.Key, at, last, coded.Offset)
				}
				last = at
				shown = append(shown, at+int64(coded.Offset))
			}
			// Reports move pictures to where they are against the sound, by an eighth of the time that passes at most.
			inOrder := make([]int64, most)
			for i, at := range shown {
				inOrder[c.shown(i)] = at
			}
			for i := range most - 1 {
				if step := time.Duration(inOrder[i+1]-inOrder[i]) * time.Millisecond; step < every/4 || step > 2*every {
					t.Errorf("%v are between two pictures, want %v: %v", step, every, inOrder)
				}
			}
		})
	}
}
