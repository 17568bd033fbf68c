package mp4

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
	stream           bool // it can be read as a stream
	codecs           [2]string
}{
	{"H.264 without B-frames, AAC", "-c:v libx264 -preset ultrafast -g 25 -c:a aac", "a.mp4", true, false, [2]string{"h264", "aac"}},
	{"tables first", "-c:v libx264 -preset veryfast -bf 3 -c:a aac -movflags faststart", "a.mp4", true, true, [2]string{"h264", "aac"}},
	{"H.264 with B-frames, AAC", "-c:v libx264 -preset veryfast -bf 3 -x264-params b-adapt=0:keyint=25 -c:a aac -ar 44100", "a.mp4", true, false, [2]string{"h264", "aac"}},
	{"times below zero in place of edits", "-c:v libx264 -preset veryfast -bf 3 -x264-params b-adapt=0:keyint=25 -c:a aac -movflags negative_cts_offsets", "a.mp4", true, false, [2]string{"h264", "aac"}},
	{"QuickTime", "-c:v libx264 -preset ultrafast -c:a aac", "a.mov", true, false, [2]string{"h264", "aac"}},
	{"MP3", "-c:v libx264 -preset ultrafast -c:a libmp3lame", "a.mp4", true, false, [2]string{"h264", "mp3"}},
	{"MP3 in QuickTime", "-c:v libx264 -preset ultrafast -c:a libmp3lame", "a.mov", true, false, [2]string{"h264", "mp3"}},
	{"HEVC of an iPhone", "-c:v libx265 -tag:v hvc1 -preset ultrafast -x265-params log-level=error:bframes=3:keyint=25:pools=1 -c:a aac", "a.mov", false, false, [2]string{"hevc", "aac"}},
	{"HEVC, AC-3", "-c:v libx265 -tag:v hev1 -preset ultrafast -x265-params log-level=error:bframes=0:pools=1 -c:a ac3", "a.mp4", false, false, [2]string{"hevc", "ac3"}},
	{"HEVC, E-AC-3", "-c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=0:pools=1 -c:a eac3", "a.mp4", false, false, [2]string{"hevc", "eac3"}},
	{"VP9, Opus", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus", "a.mp4", false, false, [2]string{"vp9", "opus"}},
	{"AV1, Opus", "-c:v libsvtav1 -preset 12 -c:a libopus", "a.mp4", false, false, [2]string{"av1", "opus"}},
	{"fragments", "-c:v libx264 -preset veryfast -bf 3 -g 25 -c:a aac -movflags frag_keyframe+empty_moov+default_base_moof", "a.mp4", true, true, [2]string{"h264", "aac"}},
	{"fragments of the old kind", "-c:v libx264 -preset ultrafast -g 25 -c:a aac -movflags frag_keyframe+empty_moov", "a.mp4", true, true, [2]string{"h264", "aac"}},
	{"fragments of one track each", "-c:v libx264 -preset ultrafast -g 25 -c:a aac -movflags frag_keyframe+empty_moov+separate_moof", "a.mp4", true, true, [2]string{"h264", "aac"}},
	{"fragments of a frame each", "-c:v libx264 -preset ultrafast -g 25 -c:a aac -movflags frag_every_frame+empty_moov+default_base_moof", "a.mp4", true, true, [2]string{"h264", "aac"}},
	{"fragments behind tables that have samples", "-c:v libx264 -preset ultrafast -g 25 -c:a aac -movflags frag_keyframe", "a.mp4", true, true, [2]string{"h264", "aac"}},
	{"fragments with indexes", "-c:v libx264 -preset veryfast -bf 2 -g 25 -c:a aac -movflags frag_keyframe+empty_moov+dash+global_sidx", "a.mp4", true, false, [2]string{"h264", "aac"}},
	{"CMAF", "-c:v libx264 -preset veryfast -bf 2 -g 25 -c:a aac -movflags cmaf+frag_keyframe+empty_moov+delay_moov+negative_cts_offsets", "a.mp4", true, true, [2]string{"h264", "aac"}},
	{"pictures that come late", "-c:v libx264 -preset veryfast -bf 2 -g 25 -c:a aac -filter:v setpts=PTS+0.4/TB -fps_mode passthrough", "a.mp4", true, false, [2]string{"h264", "aac"}},
	{"sound that comes late", "-c:v libx264 -preset veryfast -bf 2 -g 25 -c:a aac -filter:a asetpts=PTS+0.4/TB", "a.mp4", true, false, [2]string{"h264", "aac"}},
	{"H.264 alone", "-map 0:v -c:v libx264 -preset ultrafast", "a.mp4", true, false, [2]string{"h264", ""}},
	{"AAC alone", "-map 1:a -c:a aac", "a.m4a", true, false, [2]string{"", "aac"}},
}

func open(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func fileOf(t *testing.T, f *os.File) *Reader {
	t.Helper()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return NewFile(f, st.Size(), func(what convert.Trouble, which string) { t.Error(what, which) })
}

func TestFramesAreThoseThatFFmpegFinds(t *testing.T) {
	for _, c := range clips {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := ingesttest.Clip(t, c.file, c.args)
			f := open(t, path)
			tags := ingesttest.ReadAll(t, fileOf(t, f), io.EOF)
			var h flv.Header
			for _, tag := range tags {
				h.Add(tag, flv.Classify(tag))
			}
			info := flv.Describe(h.Payload())
			if info.VideoCodec != c.codecs[0] || info.AudioCodec != c.codecs[1] || c.codecs[0] != "" && (info.Width != 192 || info.Height != 108) {
				t.Errorf("described as %+v", info)
			}
			packets := ingesttest.Probe(t, path)
			if c.name == "CMAF" { // ffmpeg 5.1 has its pictures 40 ms late: it shifts them as if decoding times had been
				for i := range packets[flv.Video] {
					p := &packets[flv.Video][i]
					p.PTS, p.DTS = p.PTS-40, p.DTS-40
				}
			}
			ingesttest.CompareTimes(t, tags, packets, originMillis, true)
			if c.flv {
				ingesttest.CompareBytes(t, path, tags)
			}
			f.Seek(0, io.SeekStart)
			s := NewStream(f, func(what convert.Trouble, which string) { t.Error("as a stream:", what, which) })
			if !c.stream {
				return
			}
			streamed := ingesttest.ReadAll(t, s, io.EOF)
			for i := range tags {
				if i >= len(streamed) || string(tags[i]) != string(streamed[i]) {
					t.Fatalf("as a stream, tag %d is another one, of %d", i, len(streamed))
				}
			}
		})
	}
}
