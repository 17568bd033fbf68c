package flv

import (
	"bytes"
	"testing"
)

func TestWhatIsEncodedIsDecodedAgain(t *testing.T) {
	mp3Frame := []byte{0xff, 0xfb, 0x90, 0x64, 1, 2, 3}
	for _, c := range []struct {
		typ  Type
		in   Coded
		head []byte // of the body, in front of the data
	}{
		{Video, Coded{Codec: h264, Config: true, Data: []byte{1, 2}}, []byte{0x17, 0, 0, 0, 0}},
		{Video, Coded{Codec: h264, Key: true, Offset: 80, Data: []byte{1, 2}}, []byte{0x17, 1, 0, 0, 80}},
		{Video, Coded{Codec: h264, Offset: -2, Data: []byte{1, 2}}, []byte{0x27, 1, 0xff, 0xff, 0xfe}},
		{Video, Coded{Codec: hevc, Config: true, Data: []byte{1, 2}}, []byte("\x90hvc1")},
		{Video, Coded{Codec: hevc, Key: true, Data: []byte{1, 2}}, []byte("\x93hvc1")},
		{Video, Coded{Codec: hevc, Offset: 300, Data: []byte{1, 2}}, []byte("\xa1hvc1\x00\x01\x2c")},
		{Video, Coded{Codec: av1, Config: true, Data: []byte{1, 2}}, []byte("\x90av01")},
		{Video, Coded{Codec: av1, Key: true, Data: []byte{1, 2}}, []byte("\x91av01")},
		{Video, Coded{Codec: "vp9", Data: []byte{1, 2}}, []byte("\xa1vp09")},
		{Audio, Coded{Codec: aac, Config: true, Data: []byte{1, 2}}, []byte{0xaf, 0}},
		{Audio, Coded{Codec: aac, Key: true, Data: []byte{1, 2}}, []byte{0xaf, 1}},
		{Audio, Coded{Codec: mp3, Key: true, Data: mp3Frame}, []byte{0x2f}},
		{Audio, Coded{Codec: mp3, Key: true, Data: []byte{0xff, 0xf3, 0x90, 0xc4, 1}}, []byte{0x2a}}, // MPEG-2, 22.05 kHz, one channel
		{Audio, Coded{Codec: mp3, Key: true, Data: []byte{0xff, 0xfb, 0x94, 0x64, 1}}, []byte{0x2f}}, // 48 kHz
		{Audio, Coded{Codec: "opus", Config: true, Data: []byte("OpusHead")}, []byte("\x90Opus")},
		{Audio, Coded{Codec: "ac3", Key: true, Data: []byte{1, 2}}, []byte("\x91ac-3")},
		{Audio, Coded{Codec: "eac3", Key: true, Data: []byte{1, 2}}, []byte("\x91ec-3")},
	} {
		tag, ok := Encode(c.typ, 7, c.in)
		if !ok {
			t.Errorf("%s is not written", c.in.Codec)
			continue
		}
		if want := append(bytes.Clone(c.head), c.in.Data...); !bytes.Equal(tag.Body(), want) || tag.Timestamp() != 7 || tag.Type() != c.typ {
			t.Errorf("%s: body %x, want %x", c.in.Codec, tag.Body(), want)
		}
		if out, ok := Decode(tag); !ok || out.Codec != c.in.Codec || out.Config != c.in.Config || out.Key != c.in.Key ||
			out.Offset != c.in.Offset && c.in.Codec != av1 && c.in.Codec != "vp9" || !bytes.Equal(out.Data, c.in.Data) {
			t.Errorf("%+v comes back as %+v, %v", c.in, out, ok)
		}
	}
	for _, c := range []Coded{{Codec: "speex", Data: []byte{1}}, {Codec: mp3, Data: []byte{1}}, {Codec: h264, Data: make([]byte, MaxBody)}} {
		if _, ok := Encode(Audio, 0, c); ok {
			t.Errorf("%s of %d bytes is written", c.Codec, len(c.Data))
		}
	}
}

func TestMetadataSaysWhatItWasMadeOf(t *testing.T) {
	for _, want := range []Metadata{
		{HasVideo: true, HasAudio: true, VideoCodec: "hevc", AudioCodec: "opus", Width: 1280, Height: 720, FrameRate: 29.97, SampleRate: 48000, Channels: 2},
		{HasVideo: true, VideoCodec: "h264", Width: 640, Height: 360},
		{HasAudio: true, AudioCodec: "eac3", SampleRate: 48000, Channels: 6},
	} {
		if got, ok := ParseMetadata(want.Body()); !ok || got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}
