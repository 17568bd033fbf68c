package flv

import "testing"

func TestWhatIsAnnouncedReadsBack(t *testing.T) {
	for _, m := range []Metadata{
		{HasVideo: true, VideoCodec: h264, Width: 1280, Height: 720, FrameRate: 29.97},
		{HasAudio: true, AudioCodec: aac, SampleRate: 44100, Channels: 2, Encoder: "e"},
		{HasVideo: true, HasAudio: true, VideoCodec: hevc, AudioCodec: "opus", Width: 1, Height: 1, SampleRate: 48000, Channels: 1},
		{HasVideo: true, VideoCodec: "vp9", Width: 640, Height: 360},
	} {
		body := m.Body()
		if back, ok := ParseMetadata(body); !ok || back != m {
			t.Errorf("%+v reads back as %+v", m, back)
		}
		if err := CheckAMF0(body); err != nil {
			t.Errorf("%+v: %v", m, err)
		}
	}
	if back, ok := ParseMetadata((Metadata{}).Body()); ok {
		t.Errorf("nothing reads back as %+v", back)
	}
}
