package mkv

import (
	"io"
	"os"
	"testing"

	"relay/ingest/convert"
	"relay/ingest/flv"
	"relay/ingest/ingesttest"
	"relay/ingest/sample"
)

// These tests need the real ffmpeg; without it they fail.

const originMillis = sample.Origin * 1000 / convert.Rate

// clips are files as people have them.
var clips = []struct {
	name, args, file string
	flv              bool // ffmpeg writes the codecs into FLV, too
	codecs           [2]string
}{
	{"H.264 without B-frames, AAC", "-c:v libx264 -preset ultrafast -g 25 -c:a aac", "a.mkv", true, [2]string{"h264", "aac"}},
	{"H.264 with B-frames, AAC", "-c:v libx264 -preset veryfast -bf 3 -x264-params b-adapt=0:keyint=25 -c:a aac -ar 44100", "a.mkv", true, [2]string{"h264", "aac"}},
	{"H.264, MP3", "-c:v libx264 -preset ultrafast -c:a libmp3lame", "a.mkv", true, [2]string{"h264", "mp3"}},
	{"HEVC with B-frames, AC-3", "-c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=3:keyint=25:pools=1 -c:a ac3", "a.mkv", false, [2]string{"hevc", "ac3"}},
	{"HEVC, E-AC-3", "-c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=0:pools=1 -c:a eac3", "a.mkv", false, [2]string{"hevc", "eac3"}},
	{"VP9, Opus", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus", "a.webm", false, [2]string{"vp9", "opus"}},
	{"AV1, six channels of Opus", "-c:v libsvtav1 -preset 12 -c:a libopus -ac 6", "a.webm", false, [2]string{"av1", "opus"}},
	{"a live stream of H.264", "-c:v libx264 -preset ultrafast -g 25 -c:a aac -live 1 -cluster_time_limit 500", "a.mkv", true, [2]string{"h264", "aac"}},
	{"H.264 alone", "-map 0:v -c:v libx264 -preset ultrafast", "a.mkv", true, [2]string{"h264", ""}},
	{"AAC alone", "-map 1:a -c:a aac", "a.mka", true, [2]string{"", "aac"}},
	{"another track first that is not carried", "-map 0:v -map 1:a -map 1:a -c:v libx264 -preset ultrafast -c:a:0 flac -c:a:1 aac", "a.mkv", false, [2]string{"h264", "aac"}},
}

func open(t *testing.T, path string) *Reader {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return NewReader(f, func(what convert.Trouble, which string) { t.Error(what, which) })
}

func TestFramesAreThoseThatFFmpegFinds(t *testing.T) {
	for _, c := range clips {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := ingesttest.Clip(t, c.file, c.args)
			tags := ingesttest.ReadAll(t, open(t, path), io.EOF)
			var h flv.Header
			for _, tag := range tags {
				h.Add(tag, flv.Classify(tag))
			}
			info := flv.Describe(h.Payload())
			if info.VideoCodec != c.codecs[0] || info.AudioCodec != c.codecs[1] || c.codecs[0] != "" && (info.Width != 192 || info.Height != 108) {
				t.Errorf("described as %+v", info)
			}
			packets := ingesttest.Probe(t, path)
			if c.name == clips[len(clips)-1].name {
				packets[flv.Audio] = ingesttest.Probe(t, path, "-select_streams", "a:1")[flv.Audio]
			}
			ingesttest.CompareTimes(t, tags, packets, originMillis, false)
			if c.flv {
				ingesttest.CompareBytes(t, path, tags)
			}
		})
	}
}
