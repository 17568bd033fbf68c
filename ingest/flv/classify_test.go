package flv

import "testing"

func TestClassify(t *testing.T) {
	video, audio := Slot{Type: Video}, Slot{Type: Audio}
	for name, c := range map[string]struct {
		typ  Type
		body string
		want Kind
	}{
		"AVC config":            {Video, "\x17\x00\x00\x00\x00", Kind{Config: true, Slot: video, Codec: "h264"}},
		"AVC key frame":         {Video, "\x17\x01\x00\x00\x00", Kind{Key: true, Codec: "h264"}},
		"AVC generated key":     {Video, "\x47\x01\x00\x00\x00", Kind{Key: true, Codec: "h264"}},
		"AVC inter frame":       {Video, "\x27\x01\x00\x00\x00", Kind{Codec: "h264"}},
		"AVC end":               {Video, "\x17\x02\x00\x00\x00", Kind{Codec: "h264"}},
		"AVC command":           {Video, "\x57\x00", Kind{}},
		"AVC cut short":         {Video, "\x17", Kind{}},
		"legacy HEVC config":    {Video, "\x1c\x00\x00\x00\x00", Kind{Config: true, Slot: video, Codec: "hevc"}},
		"legacy HEVC key":       {Video, "\x1c\x01\x00\x00\x00", Kind{Key: true, Codec: "hevc"}},
		"legacy AV1 config":     {Video, "\x1d\x00", Kind{Config: true, Slot: video, Codec: "av1"}},
		"VP6 key":               {Video, "\x14", Kind{Key: true, Codec: "vp6"}},
		"VP6 inter":             {Video, "\x24", Kind{Codec: "vp6"}},
		"unknown video key":     {Video, "\x1f", Kind{Key: true}},
		"HEVC config":           {Video, "\x90hvc1", Kind{Config: true, Slot: video, Codec: "hevc"}},
		"HEVC key":              {Video, "\x91hvc1", Kind{Key: true, Codec: "hevc"}},
		"HEVC key X":            {Video, "\x93hvc1", Kind{Key: true, Codec: "hevc"}},
		"HEVC inter":            {Video, "\xa1hvc1", Kind{Codec: "hevc"}},
		"HEVC end":              {Video, "\x92hvc1", Kind{Codec: "hevc"}},
		"AV1 config":            {Video, "\x90av01", Kind{Config: true, Slot: video, Codec: "av1"}},
		"AV1 in TS":             {Video, "\x95av01", Kind{Config: true, Slot: video, Codec: "av1"}},
		"VP9 colour":            {Video, "\x94vp09", Kind{Config: true, Slot: Slot{Type: Video, Part: Extra}, Codec: "vp9"}},
		"colour as command":     {Video, "\xd4vp08", Kind{Config: true, Slot: Slot{Type: Video, Part: Extra}, Codec: "vp8"}},
		"enhanced command":      {Video, "\xd1\x00", Kind{}},
		"enhanced command long": {Video, "\xd1\x00abcdef", Kind{}},
		"unknown FourCC":        {Video, "\x91zzzz", Kind{Key: true}},
		"FourCC cut short":      {Video, "\x91hv", Kind{}},
		"second track config":   {Video, "\x96\x00avc1\x01", Kind{Config: true, Slot: Slot{Type: Video, Track: 1}, Codec: "h264"}},
		"second track key":      {Video, "\x96\x01avc1\x01", Kind{Codec: "h264"}},
		"first track key":       {Video, "\x96\x01avc1\x00", Kind{Key: true, Codec: "h264"}},
		"many tracks key":       {Video, "\x96\x11avc1\x00\x00\x00\x01", Kind{Key: true, Codec: "h264"}},
		"many codecs key":       {Video, "\x96\x21avc1\x00\x00\x00\x01", Kind{Key: true, Codec: "h264"}},
		"multitrack cut short":  {Video, "\x96", Kind{}},
		"track cut short":       {Video, "\x96\x00avc1", Kind{}},
		"ModEx":                 {Video, "\x97\x02abc\x01av01", Kind{Key: true, Codec: "av1"}},
		"ModEx twice":           {Video, "\x97\x00a\x07\x00a\x00av01", Kind{Config: true, Slot: video, Codec: "av1"}},
		"ModEx long":            {Video, "\x97\xff\x00\x02abc\x01av01", Kind{Key: true, Codec: "av1"}},
		"ModEx and multitrack":  {Video, "\x97\x00a\x06\x00av01\x02", Kind{Config: true, Slot: Slot{Type: Video, Track: 2}, Codec: "av1"}},
		"ModEx cut short":       {Video, "\x97\xff\x00", Kind{}},
		"ModEx too long":        {Video, "\x97\xff\xff\xffabc", Kind{}},
		"AAC config":            {Audio, "\xaf\x00\x12\x10", Kind{Config: true, Slot: audio, Codec: "aac"}},
		"AAC frame":             {Audio, "\xaf\x01\x00", Kind{Codec: "aac"}},
		"AAC cut short":         {Audio, "\xaf", Kind{}},
		"MP3":                   {Audio, "\x2f", Kind{Codec: "mp3"}},
		"Speex":                 {Audio, "\xb0", Kind{Codec: "speex"}},
		"unknown audio":         {Audio, "\xd0\x00", Kind{}},
		"Opus config":           {Audio, "\x90Opus", Kind{Config: true, Slot: audio, Codec: "opus"}},
		"Opus frame":            {Audio, "\x91Opus", Kind{Codec: "opus"}},
		"Opus channels":         {Audio, "\x94Opus", Kind{Config: true, Slot: Slot{Type: Audio, Part: Extra}, Codec: "opus"}},
		"FLAC config":           {Audio, "\x90fLaC", Kind{Config: true, Slot: audio, Codec: "flac"}},
		"AC-3":                  {Audio, "\x91ac-3", Kind{Codec: "ac3"}},
		"audio second track":    {Audio, "\x95\x00mp4a\x01", Kind{Config: true, Slot: Slot{Type: Audio, Track: 1}, Codec: "aac"}},
		"onMetaData":            {Script, string(onMetaData), Kind{Config: true, Slot: Slot{Type: Script}}},
		"another script":        {Script, "\x02\x00\x06onText", Kind{}},
		"unknown type":          {15, "\x17\x00", Kind{}},
		"encrypted":             {0x29, "\x17\x00", Kind{}},
	} {
		if got := Classify(NewTag(c.typ, 0, []byte(c.body))); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		for n := range len(c.body) {
			Classify(NewTag(c.typ, 0, []byte(c.body[:n])))
		}
	}
}

func FuzzClassify(f *testing.F) {
	for _, s := range []string{"\x17\x00", "\x90hvc1", "\x97\x00a\x06\x20av01\x02", "\x97\xff\x00\x02abc\x01av01"} {
		f.Add(uint8(Video), []byte(s))
	}
	f.Add(uint8(Audio), []byte("\x95\x00mp4a\x01"))
	f.Fuzz(func(t *testing.T, typ uint8, body []byte) {
		k := Classify(NewTag(Type(typ), 0, body))
		if k.Key && (k.Config || Type(typ) != Video) {
			t.Fatalf("%+v", k)
		}
		if !k.Config && k.Slot != (Slot{}) {
			t.Fatalf("%+v", k)
		}
	})
}
