package flv

import (
	"errors"
	"io"
	"os"
	"testing"
)

const (
	avcC    = "\x01\x64\x00\x1e\xff\xe1\x00\x04\x67\x64\x00\x1e\x01\x00\x02\x68\xee"
	keyHead = "\x17\x01\x00\x00\x00"
)

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		typ  Type
		body string
		want Flaw
	}{
		"a whole picture":                     {Video, keyHead + "\x00\x00\x00\x02\x65\x88", ""},
		"two units":                           {Video, keyHead + "\x00\x00\x00\x02\x06\x80\x00\x00\x00\x02\x65\x88", ""},
		"a unit of no length among others":    {Video, keyHead + "\x00\x00\x00\x00\x00\x00\x00\x02\x65\x88", ""},
		"three bytes behind the last unit":    {Video, keyHead + "\x00\x00\x00\x02\x65\x88\x00\x00\x00", ""},
		"no body":                             {Video, "", EmptyPicture},
		"a key frame and nothing":             {Video, "\x17", CutPicture},
		"a key frame's type":                  {Video, "\x17\x01", CutPicture},
		"half a composition time":             {Video, "\x17\x01\x00\x00", CutPicture},
		"no bytes in a key frame":             {Video, keyHead, EmptyPicture},
		"no bytes in a frame":                 {Video, "\x27\x01\x00\x00\x00", EmptyPicture},
		"units of no length":                  {Video, keyHead + "\x00\x00\x00\x00", CutPicture},
		"half a length":                       {Video, keyHead + "\x00\x00", CutPicture},
		"a unit that is cut":                  {Video, keyHead + "\x00\x00\x00\x03\x65\x88", CutPicture},
		"a second unit that is cut":           {Video, keyHead + "\x00\x00\x00\x02\x06\x80\x00\x00\x00\x03\x65\x88", CutPicture},
		"a length that is negative":           {Video, keyHead + "\xff\xff\xff\xff\x65\x88", CutPicture},
		"the end of a sequence":               {Video, "\x17\x02\x00\x00\x00", ""},
		"the end of a sequence, short":        {Video, "\x17\x02", ""},
		"a command":                           {Video, "\x57\x00", ""},
		"an enhanced command":                 {Video, "\xd1\x00", ""},
		"an enhanced command, longer":         {Video, "\xd1\x00abc", ""},
		"a packet type that nobody knows":     {Video, "\x17\x09\x00\x00\x00", ""},
		"a configuration of no bytes":         {Video, "\x17\x00\x00\x00\x00", BadVideoConfig},
		"a configuration cut in its framing":  {Video, "\x17\x00", BadVideoConfig},
		"a configuration of no sets":          {Video, "\x17\x00\x00\x00\x00\x01\x64\x00\x1e\xff\xe0\x00", BadVideoConfig},
		"a configuration that is cut":         {Video, "\x17\x00\x00\x00\x00" + avcC[:12], BadVideoConfig},
		"another configuration":               {Video, "\x17\x00\x00\x00\x00" + avcC, ""},
		"HEVC, of which nothing is known":     {Video, "\x91hvc1\x00\x00\x00\x01", ""},
		"HEVC with start codes":               {Video, "\x91hvc1\x00\x00\x00\x00\x00\x00\x01\x26\x01\xaf", StartCodes},
		"H.264 with start codes in a track":   {Video, "\x96\x01avc1\x00\x00\x00\x00\x00\x00\x00\x01\x65\x88\x84", StartCodes},
		"HEVC of no bytes":                    {Video, "\x91hvc1\x00\x00\x00", EmptyPicture},
		"HEVC without an offset, of no bytes": {Video, "\x93hvc1", EmptyPicture},
		"HEVC cut in its offset":              {Video, "\x91hvc1\x00", CutPicture},
		"half a FourCC":                       {Video, "\x91hv", CutPicture},
		"AV1 of no bytes":                     {Video, "\x91av01", EmptyPicture},
		"AV1":                                 {Video, "\x91av01\x12", ""},
		"an AV1 configuration of no bytes":    {Video, "\x90av01", BadVideoConfig},
		"a modifier that is cut":              {Video, "\x97\xff\x00", CutPicture},
		"colour information of no bytes":      {Video, "\x94vp09", ""},
		"the end of an enhanced sequence":     {Video, "\x92hvc1", ""},
		"a second track of no bytes":          {Video, "\x96\x01av01\x01", EmptyPicture},
		"a second track, of its own sets":     {Video, "\x96\x03avc1\x01\x00\x00\x00\x09\x65", ""},
		"a picture of an unknown codec":       {Video, "\x91zzzz\x01", ""},
		"VP6":                                 {Video, "\x14\x00", ""},
		"VP6 of no bytes":                     {Video, "\x14", EmptyPicture},
		"no sound":                            {Audio, "", EmptySound},
		"AAC":                                 {Audio, "\xaf\x01\x21", ""},
		"AAC without a type":                  {Audio, "\xaf", CutSound},
		"AAC of no bytes":                     {Audio, "\xaf\x01", EmptySound},
		"an AAC configuration of a byte":      {Audio, "\xaf\x00\x12", BadSoundConfig},
		"an AAC configuration":                {Audio, "\xaf\x00\x12\x10", ""},
		"AAC of a type that nobody knows":     {Audio, "\xaf\x07", ""},
		"MP3 of no bytes":                     {Audio, "\x2f", EmptySound},
		"Opus of no bytes":                    {Audio, "\x91Opus", EmptySound},
		"the end of Opus":                     {Audio, "\x92Opus", ""},
		"enhanced sound without a FourCC":     {Audio, "\x91Op", CutSound},
		"an empty script":                     {Script, "", ""},
	} {
		var j Judge
		if k := j.Next(NewTag(Video, 0, []byte("\x17\x00\x00\x00\x00"+avcC))); k.Flaw != "" {
			t.Fatalf("the first configuration: %s", k.Flaw)
		}
		tag := NewTag(c.typ, 0, []byte(c.body))
		got := j.Next(tag)
		if got.Flaw != c.want {
			t.Errorf("%s: %q, want %q", name, got.Flaw, c.want)
		}
		want := Classify(tag)
		want.Key = want.Key && want.Codec != "" // nobody starts at a stray picture
		if got.Flaw = ""; got != want {
			t.Errorf("%s: %+v is not what its first bytes say", name, got)
		}
	}
	var j Judge
	if k := j.Next(NewTag(Video, 0, []byte("\x91zzzz\x01"))); !k.Key {
		t.Error("a stream of a codec that nobody knows has no key frames")
	}
}

// Without a configuration nothing is known of how pictures are framed.
func TestPictureBeforeAnyConfigurationPasses(t *testing.T) {
	var j Judge
	if k := j.Next(NewTag(Video, 0, []byte(keyHead+"\x65\x88"))); k.Flaw != "" || !k.Key {
		t.Errorf("%+v", k)
	}
}

func TestRealMediaHasNoFlaw(t *testing.T) {
	for _, name := range []string{"video.flv", "audio.flv"} {
		f, err := os.Open("../../testdata/flv/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var j Judge
		tags := 0
		for r := NewReader(f); ; tags++ {
			tag, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if k := j.Next(tag); k.Flaw != "" {
				t.Errorf("%s, tag %d: %s", name, tags, k.Flaw)
			}
		}
		if tags < 50 {
			t.Errorf("%s has %d tags", name, tags)
		}
	}
}
