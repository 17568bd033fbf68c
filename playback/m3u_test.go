package playback

import (
	"testing"

	"relay/ingest/flv"
)

func TestBestFormatOfAStream(t *testing.T) {
	for _, tc := range []struct {
		video, audio string
		best, vlc    string
	}{
		{"h264", "aac", ".flv", ".ts"},
		{"h264", "mp3", ".flv", ".ts"},
		{"h264", "opus", ".ts", ".ts"},
		{"hevc", "aac", ".ts", ".ts"},
		{"av1", "opus", ".mp4", ".mp4"},
		{"vp9", "opus", ".mp4", ".mp4"},
		{"", "aac", ".flv", ".flv"},
		{"h263", "speex", ".flv", ".flv"},
	} {
		info := flv.Info{VideoCodec: tc.video, AudioCodec: tc.audio, HasVideo: tc.video != "", HasAudio: true}
		if got := BestSuffix(info); got != tc.best {
			t.Errorf("%s and %s: %s, want %s", tc.video, tc.audio, got, tc.best)
		}
		if got := VLCSuffix(info); got != tc.vlc {
			t.Errorf("%s and %s in VLC: %s, want %s", tc.video, tc.audio, got, tc.vlc)
		}
	}
}
