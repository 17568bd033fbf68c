package remux

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"
	tscodecs "github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts/codecs"
)

// TestPacketsAreThoseOfTheLibrary compares them byte for byte, with frames of all lengths that fill
// their last packets in different ways. What the tables hold is the library's anyway.
func TestPacketsAreThoseOfTheLibrary(t *testing.T) {
	for name, codecs := range map[string][2]tscodecs.Codec{
		"H.264": {&tscodecs.H264{}, aacCodec()},
		"HEVC":  {&tscodecs.H265{}, aacCodec()},
	} {
		rnd := rand.New(rand.NewPCG(1, 2))
		var want bytes.Buffer
		video, audio := &mpegts.Track{PID: tsVideo, Codec: codecs[0]}, &mpegts.Track{PID: tsAudio, Codec: codecs[1]}
		w := &mpegts.Writer{W: &want, Tracks: []*mpegts.Track{video, audio}}
		if err := w.Initialize(); err != nil {
			t.Fatal(err)
		}
		pictures := &track{name: "h264", rate: videoRate}
		if name == "HEVC" {
			pictures.name = "hevc"
		}
		pictures.sets.LenSize = 4
		sound := &track{name: "aac", rate: 48000}
		ts := NewTS()
		ts.tracks, ts.sound, ts.video = w.Tracks, codecs[1], pictures
		ts.since = tsTablesEvery
		if err := ts.tables.describe(w.Tracks); err != nil {
			t.Fatal(err)
		}
		at := int64(1<<33 - tsBase - 200*3000) // it wraps
		for n := 1; n < 600; n++ {
			unit := make([]byte, n)
			for i := range unit {
				unit[i] = byte(1 + rnd.IntN(255))
			}
			key := n%30 == 1
			switch {
			case name == "H.264" && key:
				unit[0] = 0x65
			case name == "H.264":
				unit[0] = 0x41
			case key:
				unit[0] = 19 << 1
			default:
				unit[0] = 1 << 1
			}
			offset := int64(rnd.IntN(2)) * 3000
			units := [][]byte{unit}
			decoded, shown := tsTime(at, videoRate), tsTime(at+offset, videoRate)
			var err error
			if name == "H.264" {
				err = w.WriteH264(video, shown, decoded, units)
			} else {
				err = w.WriteH265(video, shown, decoded, units)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := ts.write(pictures, frame{at: at, offset: offset, key: key, data: [][]byte{append([]byte{0, 0, byte(n >> 8), byte(n)}, unit...)}}); err != nil {
				t.Fatal(err)
			}
			if err := w.WriteMPEG4Audio(audio, tsTime(at*48/90, 48000), units); err != nil {
				t.Fatal(err)
			}
			if err := ts.write(sound, frame{at: at * 48 / 90, key: true, data: [][]byte{unit}}); err != nil {
				t.Fatal(err)
			}
			at += 3000
		}
		got := withoutCounts(ts.out)
		if lib := withoutCounts(want.Bytes()); !bytes.Equal(got, lib) {
			n := 0
			for n < min(len(got), len(lib)) && got[n] == lib[n] {
				n++
			}
			n -= n % tsPacket
			t.Errorf("%s: %d bytes, the library's are %d; from %d on % x, and % x", name, len(got), len(lib), n, got[n:min(n+40, len(got))], lib[n:min(n+40, len(lib))])
		}
	}
}

func aacCodec() tscodecs.Codec {
	return &tscodecs.MPEG4Audio{Config: mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelConfig: 2}}
}

// withoutCounts is a stream with all continuity counters 0: what the first one is, is for everyone to
// choose.
func withoutCounts(b []byte) []byte {
	b = bytes.Clone(b)
	for at := 3; at < len(b); at += tsPacket {
		b[at] &^= tsCount
	}
	return b
}
