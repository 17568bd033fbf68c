package remux

import (
	"errors"
	"os"
	"strings"
	"testing"

	"relay/ingest/flv"
)

func TestOutputsAreAsTheDesignSays(t *testing.T) {
	b, err := os.ReadFile("../design.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, o := range Outputs {
		codecs := "all"
		if o.Codecs != nil {
			codecs = strings.Join(o.Codecs, ", ")
		}
		want.WriteString("| `" + strings.Join([]string{o.Name + "`", codecs, o.LateSound, o.LatePictures, o.Pause}, " | ") + " |\n")
	}
	if !strings.Contains(string(b), want.String()) {
		t.Errorf("playback/design.md has not these rows:\n%s", want.String())
	}
}

// samples are what begins a stream of each codec: its configuration, if it has one, and a frame.
func samples(t *testing.T) map[string][]flv.Tag {
	_, demo := clip(t, "demo.flv")
	begin := func(typ flv.Type) []flv.Tag {
		var all []flv.Tag
		for _, tag := range demo {
			if tag.Type() == typ && len(all) < 2 {
				all = append(all, tag)
			}
		}
		return all
	}
	tag := func(typ flv.Type, body string) flv.Tag { return flv.NewTag(typ, 0, []byte(body)) }
	return map[string][]flv.Tag{
		"h264":       begin(flv.Video),
		"aac":        begin(flv.Audio),
		"av1":        {tag(flv.Video, "\x90av01\x81\x08\x0c\x00"+string(av1Sequence)), tag(flv.Video, "\x91av01\x12\x00")},
		"vp9":        {tag(flv.Video, "\x91vp09\x82\x49\x83\x42\x00\x13\xf0\x0e\xf6\x00\x38\x24\x1c\x18")},
		"mp3":        {tag(flv.Audio, string(mp3Frame))},
		"opus":       {tag(flv.Audio, "\x90OpusOpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00"), tag(flv.Audio, "\x91Opus\xfc\xff\xfe")},
		"h263":       {tag(flv.Video, "\x12\x00\x00\x84")},
		"flashsv":    {tag(flv.Video, "\x13\x10\x00\x10\x00")},
		"vp6":        {tag(flv.Video, "\x14\x00\x78\x46")},
		"vp6a":       {tag(flv.Video, "\x15\x00\x00\x00\x00\x78")},
		"flashsv2":   {tag(flv.Video, "\x16\x10\x00\x10\x00")},
		"vp8":        {tag(flv.Video, "\x91vp08\x10\x02\x00\x9d\x01\x2a")},
		"vvc":        {tag(flv.Video, "\x91vvc1\x00\x00\x00\x00\x00\x00\x02\x00\x41")},
		"pcm":        {tag(flv.Audio, "\x3e\x00\x00\x00\x00")},
		"adpcm":      {tag(flv.Audio, "\x1e\x00\x00\x00")},
		"nellymoser": {tag(flv.Audio, "\x52\x01\x02")},
		"g711a":      {tag(flv.Audio, "\x72\xd5\xd5")},
		"g711u":      {tag(flv.Audio, "\x82\xff\xff")},
		"speex":      {tag(flv.Audio, "\xb2\x01\x02")},
		"flac":       {tag(flv.Audio, "\x90fLaCfLaC\x80\x00\x00\x22"), tag(flv.Audio, "\x91fLaC\xff\xf8")},
		"ac3":        {tag(flv.Audio, "\x91ac-3\x0b\x77\x00\x00\x00")},
		"eac3":       {tag(flv.Audio, "\x91ec-3\x0b\x77\x00\x00\x00")},
	}
}

// TestEachOutputTakesTheCodecsThatItSays tries every codec that FLV has a name for but HEVC, of
// which the end-to-end tests make some.
func TestEachOutputTakesTheCodecsThatItSays(t *testing.T) {
	for codec, tags := range samples(t) {
		if got := flv.Classify(tags[0]).Codec; got != codec {
			t.Errorf("the sample of %s is one of %q", codec, got)
		}
		lacks := Lacks(codec)
		h := NewHLS()
		for name, convert := range map[string]func(flv.Batch) (int, error){
			"mp4": sized(NewMP4().Convert),
			"ts":  sized(NewTS().Convert),
			"hls": func(b flv.Batch) (int, error) { err := h.Write(b); return h.part.size, err },
		} {
			// A second without pictures has sound come alone.
			later := flv.NewTag(tags[0].Type(), 2*pictureWait, tags[len(tags)-1].Body())
			n, err := convert(flv.BatchOf(append(tags, later)...))
			var refused *CodecError
			switch taken := err == nil && n > 0; {
			case taken == (lacks[name] != nil):
				t.Errorf("%s of %s: %d bytes, %v; the table says %v", name, codec, n, err, lacks)
			case !taken && (!errors.As(err, &refused) || refused.Codec != codec):
				t.Errorf("%s of %s is refused with %v", name, codec, err)
			}
		}
		h.Close()
	}
}

func sized(convert converter) func(flv.Batch) (int, error) {
	return func(b flv.Batch) (n int, err error) {
		out, err := convert(b)
		for _, o := range out {
			n += len(o)
		}
		return n, err
	}
}
