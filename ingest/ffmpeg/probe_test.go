package ffmpeg

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestVersions(t *testing.T) {
	const libs = "\nbuilt with gcc\nlibavutil      57. 28.100 / 57. 28.100\nlibavformat    %s.100 / 59. 27.100\n"
	for line, want := range map[string]string{
		"ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000" + fmt.Sprintf(libs, "59. 27"): "5.1.9-0+deb12u1 [59 27]",
		"ffmpeg version N-117404-g1234 Copyright\r" + fmt.Sprintf(libs, "61.  9"):         "N-117404-g1234 [61 9]",
		"something else":                          " [0 0]",
		"ffmpeg version \x1b[31m Copyright":       "\ufffd[31m [0 0]",
		"\nlibavformat 99999999999999999999. 1.1": " [0 0]",
	} {
		v, format := versionIn(line)
		if got := fmt.Sprint(v, " ", format); got != want {
			t.Errorf("%q is %q, want %q", line, got, want)
		}
	}
	for format, want := range map[[2]int]bool{{59, 27}: false, {60, 3}: false, {60, 16}: true, {61, 1}: true, {}: false} {
		if got := (Program{Format: format}).since(v6_1); got != want {
			t.Errorf("libavformat %v is that of 6.1 or later: %t", format, got)
		}
	}
}

// The title is what a stranger has put into the file to be taken for a stream.
const probed = `[hls @ 0x5605cba8a880] Skip ('#EXT-X-VERSION:3')
Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:a.mp4':
  Metadata:
    title           : Stream #0:9: Video: x
                    :   Stream #0:7: Video: evil
  Duration: 01:02:04.00, start: 0.000000, bitrate: 833 kb/s
  Stream #0:0: Video: mjpeg (Baseline), yuvj444p(pc, bt470bg/unknown/unknown), 600x600 [SAR 1:1 DAR 1:1], 90k tbr, 90k tbn (attached pic)
  Stream #0:1[0x1](und): Video: h264 (High 10) (avc1 / 0x31637661), yuv420p10le(tv, bt709, top first), 640x360 [SAR 1:1 DAR 16:9], 752 kb/s, 30 fps, 30 tbr, 15360 tbn (default)
    Metadata:
      handler_name    : VideoHandler
  Stream #0:2(eng): Subtitle: subrip
  Stream #0:3[0x2](und): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, mono, fltp, 69 kb/s (default)
  Stream #0:4: Audio: opus, 48000 Hz, stereo, fltp
At least one output file must be specified
`

func TestWhatAnInputHasIsRead(t *testing.T) {
	m, ok := readMedia(probed)
	if !ok || m.Format != "mov,mp4,m4a,3gp,3g2,mj2" || m.Duration != time.Hour+2*time.Minute+4*time.Second {
		t.Fatalf("%+v", m)
	}
	if v := m.Video; v == nil || *v != (Track{Index: 1, Codec: "h264", PixelFormat: "yuv420p10le", Interlaced: true, Width: 640}) {
		t.Errorf("%+v", v)
	}
	if s := m.Sound; s == nil || *s != (Track{Index: 3, Codec: "aac"}) {
		t.Errorf("%+v", s)
	}
	// Version 4 indents streams further.
	old, _ := readMedia(strings.ReplaceAll(probed, "\n  Stream", "\n    Stream"))
	if old.Video == nil || old.Video.Index != 1 {
		t.Errorf("%+v", old)
	}
	live, ok := readMedia("Input #0, hls, from 'http://h/x.m3u8':\n  Duration: N/A, start: 1.4\n  Stream #0:0: Video: h264 (High), yuv420p, 640x360, 30 fps\n")
	if !ok || live.Duration != 0 || !live.paced() || live.Video == nil || live.Sound != nil {
		t.Errorf("%+v", live)
	}
	if _, ok := readMedia("  Stream #0:0: Video: h264\n"); ok {
		t.Error("there is a stream without an input")
	}
}

func TestWhatFitsIsCopied(t *testing.T) {
	old, late := Program{Format: [2]int{59, 27}}, Program{Format: [2]int{61, 1}}
	for _, c := range []struct {
		p                    Program
		format, video, sound string
		aac                  bool
		want                 string // container, and what is copied
	}{
		{old, "mov,mp4,m4a,3gp,3g2,mj2", "h264 yuv420p", "aac", false, "flv video sound"},
		{old, "matroska,webm", "h264 yuv420p", "mp3", false, "flv video sound"},
		{old, "matroska,webm", "h264 yuv420p", "opus", false, "mpegts video sound"},
		{old, "matroska,webm", "h264 yuv420p", "opus", true, "flv video"},
		{old, "matroska,webm", "h264 yuv420p", "mp3", true, "flv video"},
		{old, "matroska,webm", "h264 yuv420p10le", "ac3", false, "mpegts sound"},
		{old, "matroska,webm", "hevc yuv420p10le", "eac3", false, "mpegts video sound"},
		{old, "matroska,webm", "hevc yuv420p", "vorbis", false, "mpegts video"},
		{old, "matroska,webm", "hevc yuv420p", "", false, "mpegts video"},
		{old, "matroska,webm", "vp9 yuv420p", "opus", false, "mpegts sound"},
		{late, "matroska,webm", "vp9 yuv420p", "opus", false, "flv video"},
		{late, "matroska,webm", "av1 yuv420p", "aac", false, "flv video sound"},
		{old, "hls", "h264 yuv420p", "aac", false, "mpegts video sound"},
		{old, "aac", "", "aac", false, "mpegts sound"},
		{late, "hls", "av1 yuv420p", "aac", false, "flv video sound"},
		{old, "wav", "", "pcm_s16le", false, "flv"},
		{old, "avi", "mpeg4 yuv420p", "mp3", false, "flv sound"},
		{old, "avi", "h264 yuv420p", "aac", false, "flv sound"}, // it does not say when pictures are shown
		{late, "hevc", "hevc yuv420p", "", false, "flv"},
	} {
		m := Media{Format: c.format}
		if codec, pixels, _ := strings.Cut(c.video, " "); codec != "" {
			m.Video = &Track{Codec: codec, PixelFormat: pixels}
		}
		if c.sound != "" {
			m.Sound = &Track{Codec: c.sound}
		}
		o := c.p.outputOf(m, c.aac)
		got := o.Container
		if o.CopyVideo {
			got += " video"
		}
		if o.CopySound {
			got += " sound"
		}
		if got != c.want {
			t.Errorf("libavformat %v: %s, %s and %s (AAC alone: %t): %s, want %s", c.p.Format, c.format, c.video, c.sound, c.aac, got, c.want)
		}
	}
}

func FuzzReadMedia(f *testing.F) {
	f.Add(probed)
	f.Add("Input #0, x, from\n  Duration: 9999999999999999999:1:1\n  Stream #0:99999999999999999999: Audio: a\n")
	f.Fuzz(func(t *testing.T, s string) {
		if m, ok := readMedia(s); ok && (m.Duration < 0 || m.Video != nil && m.Video.Index < 0) {
			t.Errorf("%+v", m)
		}
		_ = dshowDevices(s)
		_ = avfDevices(s)
		_ = sources("pulse", s)
		_, _ = versionIn(s)
	})
}
