package flv

import (
	"bytes"
	"math"
	"testing"

	"github.com/nareix/joy4/format/flv/flvio"
)

func TestParseMetadata(t *testing.T) {
	for name, c := range map[string]struct {
		fields flvio.AMFMap
		want   Metadata
	}{
		"legacy IDs": {
			flvio.AMFMap{"width": 1280.0, "height": 720.0, "framerate": 29.97, "videocodecid": 7.0, "audiocodecid": 10.0, "encoder": "Lavf60"},
			Metadata{HasVideo: true, HasAudio: true, VideoCodec: "h264", AudioCodec: "aac", Width: 1280, Height: 720, FrameRate: 29.97, Encoder: "Lavf60"},
		},
		"FourCC numbers": {
			flvio.AMFMap{"videocodecid": float64('a'<<24 | 'v'<<16 | '0'<<8 | '1'), "audiocodecid": float64('O'<<24 | 'p'<<16 | 'u'<<8 | 's')},
			Metadata{HasVideo: true, HasAudio: true, VideoCodec: "av1", AudioCodec: "opus"},
		},
		"FourCC names":     {flvio.AMFMap{"videocodecid": "hvc1"}, Metadata{HasVideo: true, VideoCodec: "hevc"}},
		"no video":         {flvio.AMFMap{"videocodecid": 0.0, "audiocodecid": 2.0}, Metadata{HasAudio: true, AudioCodec: "mp3"}},
		"sound":            {flvio.AMFMap{"audiocodecid": 2.0, "audiosamplerate": 44100.0, "stereo": false}, Metadata{HasAudio: true, AudioCodec: "mp3", SampleRate: 44100, Channels: 1}},
		"channels":         {flvio.AMFMap{"audiosamplerate": 1e9, "stereo": true, "audiochannels": 6.0}, Metadata{Channels: 6}},
		"unknown codec":    {flvio.AMFMap{"videocodecid": 99.0}, Metadata{HasVideo: true}},
		"said outright":    {flvio.AMFMap{"hasVideo": false, "hasAudio": true, "width": 640.0, "height": 480.0}, Metadata{HasAudio: true, Width: 640, Height: 480}},
		"nonsense numbers": {flvio.AMFMap{"width": math.Inf(1), "height": math.NaN(), "framerate": -1.0, "audiocodecid": 10.0}, Metadata{HasAudio: true, AudioCodec: "aac"}},
		"escape codes":     {flvio.AMFMap{"encoder": "a\x1b[31m\nb\xff"}, Metadata{Encoder: "a[31m b"}},
	} {
		if got, _ := ParseMetadata(metadata(c.fields)); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestMetadataThatTellsNothing(t *testing.T) {
	for name, body := range map[string][]byte{
		"empty":              nil,
		"another":            []byte("\x02\x00\x06onText\x05"),
		"no object":          append(bytes.Clone(onMetaData), 5),
		"nothing":            onMetaData,
		"empty object":       metadata(flvio.AMFMap{}),
		"many values":        metadata(flvio.AMFMap{"times": make(flvio.AMFArray, MaxAMFValues)}),
		"longer than 64 KiB": metadata(flvio.AMFMap{"x": string(make([]byte, MaxScript))}),
	} {
		if m, ok := ParseMetadata(body); ok {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestStripSetDataFrame(t *testing.T) {
	body := metadata(flvio.AMFMap{"width": 1.0})
	if got := StripSetDataFrame(append(bytes.Clone(setDataFrame), body...)); !bytes.Equal(got, body) {
		t.Errorf("%q", got)
	}
	if got := StripSetDataFrame(body); !bytes.Equal(got, body) {
		t.Errorf("%q", got)
	}
}
