package mpegts

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"relay/ingest/convert"
	"relay/ingest/flv"
	"relay/ingest/ingesttest"
	"relay/playback/remux"
)

// These tests need the real ffmpeg; without it they fail.

// clip makes an MPEG-TS of pictures, sound or both.
func clip(t *testing.T, args string) string {
	t.Helper()
	return ingesttest.Clip(t, "clip.ts", args)
}

// read returns the tags of a file.
func read(t *testing.T, path string) []flv.Tag {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return readAll(t, bytes.NewReader(b), b)
}

func readAll(t *testing.T, from io.Reader, head []byte) []flv.Tag {
	t.Helper()
	f, ok := Sniff(head[:min(len(head), SniffLen)])
	if !ok {
		t.Fatal("it is not taken for MPEG-TS")
	}
	return ingesttest.ReadAll(t, NewReader(from, f, 0, func(what convert.Trouble, which string) { t.Error(what, which) }), io.EOF)
}

// Encoders as people have them, and how many pictures and frames of sound there are in them.
var clips = []struct {
	name, args string
	flv        bool // ffmpeg writes the codecs into FLV, too
	codecs     [2]string
}{
	{"H.264 without B-frames, AAC", "-c:v libx264 -preset ultrafast -g 25 -c:a aac", true, [2]string{"h264", "aac"}},
	{"H.264 with B-frames, AAC", "-c:v libx264 -preset veryfast -bf 3 -x264-params b-adapt=0:keyint=25 -c:a aac -ar 44100", true, [2]string{"h264", "aac"}},
	{"H.264 with open GOPs, MP3", "-c:v libx264 -preset veryfast -bf 3 -x264-params open-gop=1:keyint=25:b-adapt=0 -c:a libmp3lame", true, [2]string{"h264", "mp3"}},
	{"H.264 in slices, several frames of AAC a PES", "-c:v libx264 -preset veryfast -x264-params slices=4:aud=1 -c:a aac -ac 1 -pes_payload_size 6000", true, [2]string{"h264", "aac"}},
	{"HEVC with B-frames, AAC", "-c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=3:keyint=25:pools=1 -c:a aac", false, [2]string{"hevc", "aac"}},
	{"HEVC, Opus", "-c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=0:pools=1 -c:a libopus", false, [2]string{"hevc", "opus"}},
	{"H.264, one channel of Opus", "-c:v libx264 -preset ultrafast -c:a libopus -ac 1", false, [2]string{"h264", "opus"}},
	{"H.264, E-AC-3", "-c:v libx264 -preset ultrafast -c:a eac3", false, [2]string{"h264", "eac3"}},
	{"H.264 alone", "-map 0:v -c:v libx264 -preset ultrafast", true, [2]string{"h264", ""}},
	{"AAC alone", "-map 1:a -c:a aac", true, [2]string{"", "aac"}},
	{"Blu-ray's packets", "-c:v libx264 -preset ultrafast -c:a ac3 -mpegts_m2ts_mode 1", false, [2]string{"h264", "ac3"}},
}

// TestFrames compares with what ffmpeg's own demuxer finds: each frame, its times to the
// millisecond, so that sound and pictures are as far apart as they were sent; and its bytes with those
// that ffmpeg itself puts into FLV.
func TestFramesAreThoseThatFFmpegFinds(t *testing.T) {
	for _, c := range clips {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := clip(t, c.args)
			tags := read(t, path)
			info := flv.Info{}
			var h flv.Header
			for _, tag := range tags {
				h.Add(tag, flv.Classify(tag))
			}
			info = flv.Describe(h.Payload())
			if info.VideoCodec != c.codecs[0] || info.AudioCodec != c.codecs[1] || c.codecs[0] != "" && (info.Width != 192 || info.Height != 108) {
				t.Errorf("described as %+v", info)
			}
			ingesttest.CompareTimes(t, tags, ingesttest.Probe(t, path), 0, true)
			if c.flv {
				compareBytes(t, path, tags)
			}
			decode(t, tags, c.codecs, !c.flv)
		})
	}
}

// compareBytes compares frames and configurations with those in FLV by ffmpeg, which leaves
// parameter sets and delimiters in H.264's frames.
func compareBytes(t *testing.T, path string, tags []flv.Tag) {
	t.Helper()
	r := flv.NewReader(bytes.NewReader(ingesttest.FFmpeg(t, "-i", path, "-c", "copy", "-f", "flv", "-")))
	theirs := ingesttest.ReadAll(t, r, io.EOF)
	for _, typ := range []flv.Type{flv.Video, flv.Audio} {
		want, got := ingesttest.Frames(theirs, typ), ingesttest.Frames(tags, typ)
		if len(want) != len(got) {
			t.Errorf("%d frames of type %d, ffmpeg has %d", len(got), typ, len(want))
			continue
		}
		for i := range got {
			w, _ := flv.Decode(want[i])
			g, _ := flv.Decode(got[i])
			if w.Codec == "h264" {
				w.Data = pictureOnly(w.Data)
			}
			if !bytes.Equal(w.Data, g.Data) || w.Offset-g.Offset > 1 || g.Offset-w.Offset > 1 {
				t.Fatalf("frame %d of type %d has %d bytes at offset %d, ffmpeg's has %d at %d", i, typ, len(g.Data), g.Offset, len(w.Data), w.Offset)
			}
			if typ == flv.Audio && want[i].Body()[0] != got[i].Body()[0] && g.Codec == "mp3" {
				t.Fatalf("its tag begins with %#x, ffmpeg's with %#x", got[i].Body()[0], want[i].Body()[0])
			}
		}
		w, g := configOf(theirs, typ), configOf(tags, typ)
		if typ == flv.Audio && !bytes.HasPrefix(w, g) || typ == flv.Video && !sameSets(w, g) {
			t.Errorf("configuration %x, ffmpeg's is %x", g, w)
		}
	}
}

// sameSets reports whether two configurations of H.264 have the same parameter sets.
func sameSets(a, b []byte) bool {
	x, ok1 := flv.Coded{Codec: "h264", Data: a}.ParameterSets()
	y, ok2 := flv.Coded{Codec: "h264", Data: b}.ParameterSets()
	return ok1 == ok2 && x.Equal(y)
}

func configOf(tags []flv.Tag, typ flv.Type) []byte {
	for _, tag := range tags {
		if c, ok := flv.Decode(tag); ok && c.Config && tag.Type() == typ {
			return c.Data
		}
	}
	return nil
}

// pictureOnly leaves parameter sets and delimiters out of a frame of H.264.
func pictureOnly(b []byte) (kept []byte) {
	for len(b) >= 4 {
		n := 4 + int(b[0])<<24 + int(b[1])<<16 + int(b[2])<<8 + int(b[3])
		if typ := b[4] & 0x1f; typ < 7 || typ > 9 {
			kept = append(kept, b[:n]...)
		}
		b = b[n:]
	}
	return kept
}

// outputs are what viewers get, besides FLV of enhanced RTMP, which this ffmpeg does not know.
var outputs = map[string]func(t *testing.T, tags []flv.Tag) []byte{
	"mp4": func(t *testing.T, tags []flv.Tag) []byte { return converted(t, remux.NewMP4().Convert, tags) },
	"ts":  func(t *testing.T, tags []flv.Tag) []byte { return converted(t, remux.NewTS().Convert, tags) },
	"flv": func(_ *testing.T, tags []flv.Tag) []byte {
		var h flv.Header
		b := h.Payload()
		for _, tag := range tags {
			b = append(b, tag...)
		}
		return b
	},
}

func converted(t *testing.T, convert func(flv.Batch) (net.Buffers, error), tags []flv.Tag) []byte {
	t.Helper()
	out, err := convert(flv.BatchOf(tags...))
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(out...)
}

// decode has ffmpeg decode each output, and counts the frames of the codecs that the output has a
// place for.
func decode(t *testing.T, tags []flv.Tag, codecs [2]string, enhanced bool) {
	t.Helper()
	for name, output := range outputs {
		if name == "flv" && enhanced {
			continue
		}
		args := []string{"-copyts", "-i", filepath.Join(t.TempDir(), "out."+name)}
		want := make(map[string]int)
		for i, codec := range codecs {
			if lacks := remux.Lacks(codec); codec == "" || len(lacks[name]) > 0 {
				continue
			}
			args = append(args, "-map", "0:"+[]string{"v", "a"}[i])
			want[codec] = len(ingesttest.Frames(tags, []flv.Type{flv.Video, flv.Audio}[i]))
		}
		if err := os.WriteFile(args[2], output(t, tags), 0o600); err != nil {
			t.Fatal(err)
		}
		found := "\n" + string(ingesttest.FFmpeg(t, append(args, "-fps_mode", "passthrough", "-f", "framecrc", "-")...))
		stream := 0
		for _, codec := range codecs {
			n, ok := want[codec]
			if !ok {
				continue
			}
			got := strings.Count(found, fmt.Sprintf("\n%d,", stream))
			if n-got > 1 || got > n { // a decoder of sound may leave out its first frame
				t.Errorf("%d frames of %s are decoded out of .%s, of %d", got, codec, name, n)
			}
			stream++
		}
	}
}

// TestTheTableOfWhatComesOutIsTrue compares the table of the design with what each output says that it
// takes; that it does, the tests there and those here say.
func TestTheTableOfWhatComesOutIsTrue(t *testing.T) {
	b, err := os.ReadFile("../design.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range [][3]string{
		{"H.264", "h264", "type 0x1b | yes | V_MPEG4/ISO/AVC | avc1, avc3"},
		{"HEVC", "hevc", "type 0x24, or registered `HEVC` | yes | V_MPEGH/ISO/HEVC | hvc1, hev1, and Dolby Vision by what is below"},
		{"AV1", "av1", "refused by its name | yes | V_AV1 | av01"},
		{"VP9", "vp9", "has no place there | yes | V_VP9 | vp09"},
		{"AAC", "aac", "ADTS 0x0f, LATM 0x11 | generic, LATM | A_AAC | mp4a"},
		{"Opus", "opus", "registered `Opus` | yes | A_OPUS | Opus"},
		{"MP3", "mp3", "types 0x03 and 0x04; MP2 is told and left out | yes; MP2 is told and left out | A_MPEG/L3 | mp4a, .mp3"},
		{"AC-3", "ac3", "type 0x81, DVB's descriptor, or registered `AC-3` | yes | A_AC3 | ac-3"},
		{"E-AC-3", "eac3", "types 0x84 and 0x87, DVB's descriptor, or registered `EAC3` | left out by its name | A_EAC3 | ec-3"},
	} {
		lacks := remux.Lacks(row[1])
		want := "| " + row[0] + " | as sent | " + row[2]
		for _, output := range []string{"flv", "rtmp", "mp4", "hls", "ts", "srt", "rtsp"} {
			said := "yes"
			if lacks[output] != nil {
				said = "no"
			}
			want += " | " + said
		}
		if want += " |\n"; !strings.Contains(string(b), want) {
			t.Errorf("ingest/design.md has not this row:\n%s", want)
		}
	}
}

// From the first key frame until the first tags go out pass 300 ms of what is sent at most: sound is waited for, and is among them.
// Where a muxer puts a longer time of sound into one unit, as ffmpeg does with that of few bits, it is sent no sooner than that.
func TestTheFirstTagsGoOutSoon(t *testing.T) {
	const soon, waited, picture = 300 * time.Millisecond, 500 * time.Millisecond, 40 * time.Millisecond
	for name, c := range map[string]struct {
		args  string
		most  time.Duration
		sound bool
	}{
		"pictures alone":            {"-map 0:v -c:v libx264 -preset ultrafast", soon, false},
		"pictures and sound":        {"-c:v libx264 -preset ultrafast -tune zerolatency -c:a aac", soon, true},
		"HEVC, and Opus":            {"-c:v libx265 -preset ultrafast -x265-params log-level=error:pools=1 -c:a libopus", soon, true},
		"B-frames, and AAC":         {"-c:v libx264 -preset veryfast -bf 3 -c:a aac -b:a 128k -ac 2", soon, true},
		"B-frames, and MP3":         {"-c:v libx264 -preset veryfast -bf 3 -c:a libmp3lame -b:a 128k -ac 2", soon, true},
		"B-frames, MP3 of few bits": {"-c:v libx264 -preset veryfast -bf 3 -c:a libmp3lame -b:a 64k", waited + picture, true},
		"AAC of few bits in LATM":   {"-c:v libx264 -preset ultrafast -c:a aac -b:a 32k -mpegts_flags latm", waited + picture, true},
	} {
		b, err := os.ReadFile(clip(t, c.args))
		if err != nil {
			t.Fatal(err)
		}
		d := NewDemuxer(0, nil)
		var video pes
		var first, newest int64
		pictures, out, heard := 0, false, false
		for ; len(b) >= packetLen && !out; b = b[packetLen:] {
			if p, ok := parsePacket(b[:packetLen]); ok && p.pid == 0x100 {
				video.next(p, func(unit []byte, _ bool) {
					u, _ := parsePES(unit)
					if newest = int64(u.pts); u.hasDTS {
						newest = int64(u.dts)
					}
					if pictures++; pictures == 1 {
						first = newest
					}
				})
			}
			tags, err := d.Packet(b[:packetLen])
			if err != nil {
				t.Fatal(err)
			}
			out = len(tags) > 0
			for _, tag := range tags {
				heard = heard || tag.Type() == flv.Audio
			}
		}
		// The unit is whole when the next begins, which is a picture later.
		took := time.Duration(newest-first)*time.Second/convert.Rate + picture
		t.Logf("%s: %v", name, took)
		if !out || took > c.most || heard != c.sound {
			t.Errorf("%s: the first tags go out %v after the first key frame began, with sound: %v", name, took, heard)
		}
	}
}

// LATM has the same frames of AAC as ADTS, in another wrapping.
func TestLATMHasTheFramesOfADTS(t *testing.T) {
	const enc = "-c:v libx264 -preset ultrafast -c:a aac -ar 44100"
	want, got := read(t, clip(t, enc)), read(t, clip(t, enc+" -mpegts_flags latm"))
	w, g := ingesttest.Frames(want, flv.Audio), ingesttest.Frames(got, flv.Audio)
	if len(w) != len(g) || len(g) < 80 {
		t.Fatalf("%d frames, want %d", len(g), len(w))
	}
	for i := range w {
		if late := int32(g[i].Timestamp() - w[i].Timestamp()); !bytes.Equal(w[i].Body(), g[i].Body()) || late < -1 || late > 1 {
			t.Fatalf("frame %d: %d ms %x, want %d ms %x", i, g[i].Timestamp(), g[i].Body()[:8], w[i].Timestamp(), w[i].Body()[:8])
		}
	}
	if w, g := configOf(want, flv.Audio), configOf(got, flv.Audio); !bytes.HasPrefix(g, w) {
		t.Errorf("configuration %x, want %x", g, w)
	}
}

// A camera over RTP gives no decoding times. They are found in what the pictures say of their order:
// as far from when they are shown as an encoder has it, and never later than that.
func TestDecodingTimesAreFoundInPictures(t *testing.T) {
	for name, c := range map[string]struct {
		format convert.Format
		args   string
	}{
		"H.264 without B-frames": {convert.H264, "-map 0:v -c:v libx264 -preset ultrafast"},
		"H.264 with B-frames":    {convert.H264, "-map 0:v -c:v libx264 -preset veryfast -bf 3 -x264-params b-adapt=0:b-pyramid=2:keyint=25"},
		"HEVC with B-frames":     {convert.HEVC, "-map 0:v -c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=3:keyint=25:pools=1"},
	} {
		b, err := os.ReadFile(clip(t, c.args))
		if err != nil {
			t.Fatal(err)
		}
		conv := convert.New(func(what convert.Trouble) { t.Errorf("%s: %s", name, what) })
		conv.Configure(convert.Track{Format: c.format}, convert.Track{})
		var tags []flv.Tag
		most := int32(0)
		take := func(unit []byte, _ bool) {
			u, _ := parsePES(unit)
			tags = append(tags, conv.Picture(convert.Unit{PTS: int64(u.pts), HasPTS: u.hasPTS, Data: u.data})...)
		}
		var video pes
		for ; len(b) >= packetLen; b = b[packetLen:] {
			if p, ok := parsePacket(b[:packetLen]); ok && p.pid == 0x100 {
				video.next(p, take)
			}
		}
		video.finish(take)
		got := ingesttest.Frames(tags, flv.Video)
		last := uint32(0)
		for _, tag := range got {
			coded, _ := flv.Decode(tag)
			most = max(most, coded.Offset)
			if coded.Offset < 0 || tag.Timestamp() < last {
				t.Fatalf("%s: from %d to %d, shown %d ms later", name, last, tag.Timestamp(), coded.Offset)
			}
			last = tag.Timestamp()
		}
		if len(got) != 50 || (most > 0) != strings.Contains(name, "with B") || most > 250 {
			t.Errorf("%s: %d pictures, shown up to %d ms later", name, len(got), most)
		}
	}
}
