package words

import (
	"slices"
	"strings"
	"testing"
	"time"

	"relay/ingest"
	"relay/ingest/flv"
)

// codesOf asks the adviser again each second and returns what it said, in order.
func codesOf(a *Adviser, from time.Time, seconds int, o SourceView) []string {
	var codes []string
	for i := range seconds + 1 {
		for _, w := range a.Look(from.Add(time.Duration(i)*time.Second), o) {
			codes = append(codes, w.Code)
		}
	}
	return codes
}

// sending is an encoder whose settings are all good.
func sending() SourceView {
	return SourceView{
		Encoder: ingest.Status{
			Live: true, Sessions: 1, Tags: 100, KeyInterval: 2 * time.Second,
			Info: flv.Info{HasVideo: true, HasAudio: true, VideoCodec: "h264", AudioCodec: "aac"},
		},
		Started: true, BitRate: 6_000_000, Slots: 8, FarSlots: 3,
		Server: "rtmp://127.0.0.1:1935/live", Key: "abcd",
	}
}

func TestAdvice(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	for name, c := range map[string]struct {
		change  func(*SourceView)
		seconds int
		want    []string
	}{
		"all is well":                {func(*SourceView) {}, 100, nil},
		"keyframes 4 s apart":        {func(o *SourceView) { o.Encoder.KeyInterval = 4 * time.Second }, 100, nil},
		"keyframes too far apart":    {func(o *SourceView) { o.Encoder.KeyInterval = 4040 * time.Millisecond }, 100, []string{warnKeyframes}},
		"no keyframe any more":       {func(o *SourceView) { o.Encoder.Keyless = true }, 100, []string{warnKeyframes}},
		"no keyframe for a moment":   {func(o *SourceView) { o.Started, o.Encoder.KeyInterval = false, 0 }, 10, nil},
		"no keyframe":                {func(o *SourceView) { o.Started, o.Encoder.KeyInterval = false, 0 }, 60, []string{warnNoKeyframe}},
		"no video, so no keyframe":   {func(o *SourceView) { o.Started, o.Encoder.Info.HasVideo = false, false }, 60, nil},
		"HEVC":                       {func(o *SourceView) { o.Encoder.Info.VideoCodec = "hevc" }, 9, []string{warnCodec}},
		"an empty picture":           {func(o *SourceView) { o.Encoder.Dropped = flv.Flaws{flv.EmptyPicture: 3} }, 60, []string{warnDropped}},
		"flaws of two kinds":         {func(o *SourceView) { o.Encoder.Dropped = flv.Flaws{flv.EmptyPicture: 3, flv.BadSoundConfig: 1} }, 60, []string{warnDropped, warnDropped}},
		"AV1 and Opus":               {func(o *SourceView) { o.Encoder.Info.VideoCodec, o.Encoder.Info.AudioCodec = "av1", "opus" }, 60, nil},
		"VP9 and MP3":                {func(o *SourceView) { o.Encoder.Info.VideoCodec, o.Encoder.Info.AudioCodec = "vp9", "mp3" }, 60, nil},
		"unknown codecs":             {func(o *SourceView) { o.Encoder.Info.VideoCodec, o.Encoder.Info.AudioCodec = "", "" }, 60, nil},
		"Speex":                      {func(o *SourceView) { o.Encoder.Info.AudioCodec = "speex" }, 9, []string{warnCodec}},
		"upload too small":           {func(o *SourceView) { o.Upload, o.FarSlots = 4_000_000, 0 }, 100, []string{warnUpload}},
		"upload found too small":     {func(o *SourceView) { o.FarSlots = 0 }, 100, []string{warnUpload}},
		"upload small for a moment":  {func(o *SourceView) { o.FarSlots = 0 }, 9, nil},
		"bit rate not known yet":     {func(o *SourceView) { o.BitRate, o.FarSlots = 0, 0 }, 100, nil},
		"no children wanted":         {func(o *SourceView) { o.Slots, o.FarSlots = 0, 0 }, 100, nil},
		"encoder on its way":         {func(o *SourceView) { o.Encoder = ingest.Status{} }, 29, nil},
		"no encoder":                 {func(o *SourceView) { o.Encoder = ingest.Status{} }, 100, []string{warnNoEncoder}},
		"no encoder is waited for":   {func(o *SourceView) { o.Encoder, o.Server = ingest.Status{}, "" }, 100, nil},
		"the encoder went":           {func(o *SourceView) { o.Encoder.Live = false }, 100, nil},
		"upload, while nobody sends": {func(o *SourceView) { o.Encoder.Live, o.FarSlots = false, 0 }, 100, nil},
	} {
		o := sending()
		c.change(&o)
		if got := codesOf(&Adviser{}, start, c.seconds, o); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestEachEncoderIsToldOfMissingKeyframes(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	var a Adviser
	o := sending()
	o.Started, o.Encoder.KeyInterval = false, 0
	if got := codesOf(&a, start, 20, o); !slices.Equal(got, []string{warnNoKeyframe}) {
		t.Errorf("the first: %v", got)
	}
	o.Encoder.Sessions++
	if got := codesOf(&a, start.Add(time.Minute), 20, o); !slices.Equal(got, []string{warnNoKeyframe}) {
		t.Errorf("the second: %v", got)
	}
}

// Every warning says what to do, on one line.
func TestAdviceIsOneLineWithAHint(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	bad := sending()
	bad.Encoder.KeyInterval, bad.Encoder.Info.VideoCodec, bad.Upload, bad.FarSlots = 9*time.Second, "hevc", 4_000_000, 0
	mute := sending()
	mute.Encoder = ingest.Status{}
	exposed := mute
	exposed.Exposed = "1935"
	var a, b, c Adviser
	var all []Warning
	for i := range 61 {
		now := start.Add(time.Duration(i) * time.Second)
		all = append(all, a.Look(now, bad)...)
		all = append(all, b.Look(now, mute)...)
		all = append(all, c.Look(now, exposed)...)
	}
	if len(all) != 5 {
		t.Fatalf("%d warnings: %v", len(all), all)
	}
	text := ""
	for _, w := range all {
		if w.Text == "" || w.Hint == "" || strings.ContainsAny(w.Text+w.Hint, "\n\r") {
			t.Errorf("%+v", w)
		}
		text += w.Text + "\n" + w.Hint + "\n"
	}
	for _, want := range []string{
		"keyframes are 9.0 s apart", "Keyframe Interval = 2 s", "most browsers cannot decode HEVC", "VLC and mpv can",
		"--upload 4.0 Mb/s is too small for this stream of 6.0 Mb/s", "below 3.6 Mb/s",
		"Server rtmp://127.0.0.1:1935/live, Stream Key abcd", "--rtmp :1935", "a firewall here may block TCP port 1935",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing says %q:\n%s", want, text)
		}
	}
}
