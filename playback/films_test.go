//go:build e2e

package playback

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"relay/ingest/flv"
	"relay/ingest/ingesttest"
)

// film is what a real encoder sends, with other settings than those that all have.
type film struct {
	name    string
	args    string // of ffmpeg; they follow x264 and a key frame a second
	input   string // of pictures, in ffmpeg's words; "" for the usual one
	unheard bool   // only FLV has a place for the sound
	mute    string // an output that has none
	config  string // of the sound, in place of what ffmpeg makes of it
	ragged  bool   // a decoder that comes later complains of what it has not got
	modern  bool   // it goes in enhanced RTMP, which ffmpeg does not write
	lacks   map[string]string
}

// clip is what most encoders are made of: 16 s with a key frame every 2 s.
var clip = film{name: "clip", args: "-t 16 -bf 2 -force_key_frames expr:gte(t,n_forced*2) -g 30", input: "testsrc2=size=160x90:rate=15"}

// films are 8 s long each, if they do not say so.
var films = []film{
	{name: "AAC at 22.05 kHz, mono", args: "-ar 22050 -ac 1"},
	{name: "AAC at 24 kHz", args: "-ar 24000"},
	// In three ways of ISO/IEC 14496-3 (1.6.5): a decoder has to try, it is told behind the
	// configuration of a plain decoder, or in front of it. The frames have no part for it, which
	// they need not have.
	{name: "HE-AAC, not told", args: "-ar 24000 -ac 1", config: "\x13\x08"},
	{name: "HE-AAC, told to who knows it", args: "-ar 24000 -ac 1", config: "\x13\x08\x56\xe5\x98"},
	{name: "HE-AAC, told to all", args: "-ar 24000 -ac 1", config: "\x2b\x09\x88\x00"},
	{name: "AAC at 32 kHz", args: "-ar 32000"},
	{name: "AAC at 96 kHz, stereo", args: "-ar 96000 -ac 2 -b:a 256k"},
	{name: "AAC in six channels", args: "-ac 6"},
	{name: "MP3 at 44.1 kHz", args: "-c:a libmp3lame -ar 44100"},
	{name: "MP3 at 22.05 kHz, mono", args: "-c:a libmp3lame -ar 22050 -ac 1", mute: ".ts"},
	{name: "G.711 A-law", args: "-c:a pcm_alaw -ar 8000 -ac 1", unheard: true},
	{name: "G.711 mu-law", args: "-c:a pcm_mulaw -ar 8000 -ac 1", unheard: true},
	{name: "Speex", args: "-c:a libspeex -ar 16000 -ac 1", unheard: true},
	{name: "Nellymoser", args: "-c:a nellymoser -ar 22050 -ac 1", unheard: true},
	{name: "raw sound", args: "-c:a pcm_s16le -ar 44100", unheard: true},
	{name: "ADPCM", args: "-c:a adpcm_swf -ar 44100", unheard: true},
	{name: "1 picture a second", input: "testsrc2=size=160x90:rate=1"},
	{name: "23.976 pictures a second", input: "testsrc2=size=160x90:rate=24000/1001"},
	{name: "60 pictures a second", input: "testsrc2=size=160x90:rate=60"},
	{name: "120 pictures a second", input: "testsrc2=size=160x90:rate=120"},
	{name: "240 pictures a second", input: "testsrc2=size=160x90:rate=240"},
	{name: "some pictures left out", input: "testsrc2=size=160x90:rate=50,select='not(mod(n\\,7))+not(mod(n\\,3))'", args: "-vsync vfr"},
	{name: "10 bits", args: "-pix_fmt yuv420p10le"},
	{name: "4:2:2", args: "-pix_fmt yuv422p"},
	{name: "4:4:4", args: "-pix_fmt yuv444p"},
	{name: "interlaced", input: "testsrc2=size=160x96:rate=25", args: "-flags +ildct+ilme -x264-params tff=1"},
	{name: "many slices", args: "-x264-params slices=6"},
	{name: "delimiters and timing", args: "-x264-params aud=1:pic-struct=1"},
	{name: "filler", args: "-b:v 300k -maxrate 300k -bufsize 300k -x264-params nal-hrd=cbr"},
	{name: "B-frames that others refer to", args: "-bf 3 -x264-params b-pyramid=normal:b-adapt=0"},
	{name: "open groups of pictures", args: "-bf 3 -x264-params open-gop=1:b-adapt=0", ragged: true},
	{name: "intra refresh", args: "-x264-params intra-refresh=1", ragged: true},
	{name: "2.5 s between key frames", args: "-force_key_frames expr:gte(t,n_forced*2.5) -g 1000"},
	{name: "a portrait", input: "testsrc2=size=90x160:rate=25"},
	{name: "sizes that are odd", input: "testsrc2=size=162x94:rate=25", args: "-pix_fmt yuv420p"},
	{name: "HEVC with B-frames", args: "-c:v libx265 -x265-params log-level=none:bframes=2 -g 25 -tag:v hvc1", modern: true},
	{name: "AV1", args: "-c:v libaom-av1 -cpu-used 8 -usage realtime -g 25 -b:v 300k", modern: true, lacks: noTS("av1")},
	{name: "VP9", args: "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 -b:v 300k", modern: true, lacks: noTS("vp9")},
	{name: "Opus", args: "-c:a libopus -b:a 64k -ac 2", modern: true},
}

// noTS says that MPEG-TS has no place for a codec.
func noTS(codec string) map[string]string { return map[string]string{".ts": codec} }

// odd are the files that are not played everywhere, or have tags of no use.
var odd = map[string]struct {
	refused string // a codec that only FLV has a place for
	dropped uint64
}{
	"gst-flvmux-alaw.flv":  {refused: "g711a"},
	"gst-flvmux-flv1.flv":  {refused: "h263", dropped: 1}, // it ends with an empty picture
	"gst-flvmux-speex.flv": {refused: "speex"},
}

// others are the files that other programs than ffmpeg have written.
func others(t *testing.T) (all []ingesttest.Encoder) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "testdata", "flv", "others", "*.flv"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		e := ingesttest.Encoder{Name: filepath.Base(path), Tags: ingesttest.ReadFile(t, path)}
		first, at := e.Tags[0].Timestamp(), uint32(0)
		for _, tag := range e.Tags { // as fast as they would be sent
			if since := tag.Timestamp() - first; int32(since) > 0 {
				at = max(at, since)
			}
			e.Sent = append(e.Sent, at)
		}
		e.Late, e.Refused, e.Dropped = at/2, odd[e.Name].refused, odd[e.Name].dropped
		found, said := decode(t, []string{path})
		e.Pictures, e.Sounds, e.Faulty = found[0].pictures, found[0].sounds, said != ""
		all = append(all, e)
	}
	return all
}

// shoot has ffmpeg make the film.
func (f film) shoot(t *testing.T) ingesttest.Encoder {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.flv")
	var fragments []string
	if f.modern {
		path = filepath.Join(t.TempDir(), "film.mp4")
		fragments = strings.Fields("-movflags frag_keyframe+empty_moov+delay_moov+default_base_moof")
	}
	input := f.input
	if input == "" {
		input = "testsrc2=size=160x90:rate=25"
	}
	args := []string{
		"-nostdin", "-v", "error", "-f", "lavfi", "-i", input, "-f", "lavfi", "-i", "sine=sample_rate=48000", "-t", "8",
		"-c:v", "libx264", "-preset", "ultrafast", "-force_key_frames", "expr:gte(t,n_forced)", "-c:a", "aac", "-pix_fmt", "yuv420p",
	}
	cmd := exec.CommandContext(t.Context(), "ffmpeg", append(slices.Concat(args, strings.Fields(f.args), fragments), path)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	e := ingesttest.Encoder{Name: f.name, Late: 4000, Keyless: f.ragged, Unheard: f.unheard, Mute: f.mute, Lacks: f.lacks}
	if f.modern {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		configs, frames := ingesttest.FromMP4(t, b, 0)
		e.Tags, e.Unread = append(configs, frames...), "it is enhanced RTMP, which it does not know yet"
	} else {
		e.Tags = ingesttest.ReadFile(t, path)
	}
	if f.config != "" {
		for i, tag := range e.Tags {
			if c, ok := flv.Decode(tag); ok && tag.Type() == flv.Audio && c.Config {
				e.Tags[i] = flv.NewTag(flv.Audio, tag.Timestamp(), append(slices.Clone(tag.Body()[:2]), f.config...))
			}
		}
	}
	found, said := decode(t, []string{path})
	e.Pictures, e.Sounds, e.Faulty = found[0].pictures, found[0].sounds, said != ""
	return e
}
