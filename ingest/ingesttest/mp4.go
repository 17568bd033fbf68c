//go:build e2e

package ingesttest

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"relay/ingest/flv"
)

// FromMP4 returns what is in a fragmented MP4 file, of which each fragment begins with a keyframe,
// as an encoder sends it by enhanced RTMP: the configurations, and the frames in the order of their
// times. legacy, if it is not 0, is the codec ID under which HEVC goes in place of that. Debian's
// ffmpeg writes no such tags itself.
func FromMP4(t *testing.T, mp4 []byte, legacy byte) (configs, frames []flv.Tag) {
	t.Helper()
	var init fmp4.Init
	if err := init.Unmarshal(bytes.NewReader(mp4)); err != nil {
		t.Fatal(err)
	}
	var all fmp4.Parts
	if err := all.Unmarshal(mp4); err != nil {
		t.Fatal(err)
	}
	for _, track := range init.Tracks {
		config, coded := framing(t, track.Codec, mp4, legacy)
		if config != nil {
			configs = append(configs, flv.NewTag(typeOf(track.Codec), 0, config))
		}
		scaled := func(n int64) time.Duration { return time.Duration(n) * time.Second / time.Duration(track.TimeScale) }
		for _, part := range all {
			for _, pt := range part.Tracks {
				if pt.ID != track.ID {
					continue
				}
				at := int64(pt.BaseTime)
				for i, s := range pt.Samples {
					key := i == 0
					body := append(coded(key, scaled(int64(s.PTSOffset))), s.Payload...)
					frames = append(frames, flv.NewTag(typeOf(track.Codec), uint32(scaled(at)/time.Millisecond), body))
					at += int64(s.Duration)
				}
			}
		}
	}
	if len(frames) == 0 {
		t.Fatal("the file is empty")
	}
	slices.SortStableFunc(frames, func(a, b flv.Tag) int { return int(a.Timestamp()) - int(b.Timestamp()) })
	return configs, frames
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
