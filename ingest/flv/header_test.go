package flv

import (
	"slices"
	"testing"

	"github.com/nareix/joy4/format/flv/flvio"
)

func add(h *Header, tags ...Tag) (changed bool) {
	for _, t := range tags {
		changed = h.Add(t, Classify(t))
	}
	return changed
}

func bodies(payload []byte) (s []string) {
	for t := range Tags(payload) {
		s = append(s, string(t.Body()))
	}
	return s
}

var (
	avcConfig = NewTag(Video, 7, []byte("\x17\x00\x00\x00\x00avcC"))
	aacConfig = NewTag(Audio, 7, []byte("\xaf\x00\x12\x10"))
)

func TestHeaderOrdersAndReplaces(t *testing.T) {
	meta := NewTag(Script, 3, metadata(flvio.AMFMap{"videocodecid": 7.0, "audiocodecid": 10.0}))
	var h Header
	add(&h, aacConfig, avcConfig, meta)
	want := []string{string(meta.Body()), string(avcConfig.Body()), string(aacConfig.Body())}
	if got := bodies(h.Payload()); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for tag := range Tags(h.Payload()) {
		if tag.Timestamp() != 0 {
			t.Errorf("timestamp %d", tag.Timestamp())
		}
	}
	if avcConfig.Timestamp() != 7 {
		t.Error("the tag was changed")
	}
	if add(&h, avcConfig) {
		t.Error("the same configuration changed the header")
	}
	hvc := NewTag(Video, 9, []byte("\x90hvc1hvcC"))
	if !add(&h, hvc) {
		t.Error("another configuration did not change the header")
	}
	want[1] = string(hvc.Body())
	if got := bodies(h.Payload()); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestHeaderFlags(t *testing.T) {
	const audio, video, both = flvio.FILE_HAS_AUDIO, flvio.FILE_HAS_VIDEO, flvio.FILE_HAS_AUDIO | flvio.FILE_HAS_VIDEO
	frame := func(typ Type, ts uint32) Tag {
		return NewTag(typ, ts, map[Type][]byte{Audio: []byte("\xaf\x01"), Video: []byte("\x27\x01")}[typ])
	}
	meta := func(fields flvio.AMFMap) Tag { return NewTag(Script, 0, metadata(fields)) }
	for name, c := range map[string]struct {
		tags []Tag
		want uint8
	}{
		"nothing":               {nil, both},
		"announced audio":       {[]Tag{meta(flvio.AMFMap{"audiocodecid": 10.0})}, audio},
		"announced and more":    {[]Tag{meta(flvio.AMFMap{"audiocodecid": 10.0}), frame(Video, 0)}, both},
		"announced, not come":   {[]Tag{meta(flvio.AMFMap{"audiocodecid": 10.0, "videocodecid": 7.0}), frame(Video, 0), frame(Video, 9000)}, both},
		"audio for a moment":    {[]Tag{frame(Audio, 0), frame(Audio, 1000)}, both},
		"audio for long":        {[]Tag{aacConfig, frame(Audio, 50_000), frame(Audio, 51_001)}, audio},
		"configuration stamped": {[]Tag{aacConfig, frame(Audio, 50_000)}, both},
		"video for long":        {[]Tag{frame(Video, 1<<32-500), frame(Video, 501)}, video},
		"both":                  {[]Tag{frame(Video, 0), frame(Audio, 0), frame(Video, 5000)}, both},
		"metadata is mute":      {[]Tag{meta(flvio.AMFMap{"title": "x"}), frame(Video, 0), frame(Video, 5000)}, video},
	} {
		var h Header
		add(&h, c.tags...)
		if got := h.Payload()[4]; got != c.want {
			t.Errorf("%s: flags %d, want %d", name, got, c.want)
		}
	}
}

func TestHeaderIsBounded(t *testing.T) {
	var h Header
	for track := range 100 {
		add(&h, NewTag(Video, 0, append([]byte{0x96, 0x00, 'a', 'v', 'c', '1', byte(track)}, make([]byte, maxSlot-7)...)))
	}
	if n := len(h.Payload()); n > MaxHeader {
		t.Errorf("header of %d bytes", n)
	}
	h = Header{}
	for track := range 100 {
		add(&h, NewTag(Video, 0, []byte{0x96, 0x00, 'a', 'v', 'c', '1', byte(track)}))
	}
	if n := len(bodies(h.Payload())); n != maxSlots {
		t.Errorf("%d configurations, want %d", n, maxSlots)
	}
}

func TestAConfigurationThatDoesNotFitRemovesTheOldOne(t *testing.T) {
	var h Header
	add(&h, avcConfig, aacConfig)
	if !add(&h, NewTag(Video, 0, append([]byte("\x17\x00"), make([]byte, maxSlot)...))) {
		t.Error("no change")
	}
	if got := bodies(h.Payload()); !slices.Equal(got, []string{string(aacConfig.Body())}) {
		t.Errorf("%q", got)
	}
}

func TestDescribe(t *testing.T) {
	var h Header
	add(&h, NewTag(Script, 0, metadata(flvio.AMFMap{"videocodecid": 7.0, "audiocodecid": 2.0, "width": 1920.0, "height": 1080.0, "framerate": 30.0, "encoder": "x"})))
	add(&h, NewTag(Video, 0, []byte("\x90hvc1")))
	want := Info{VideoCodec: "hevc", AudioCodec: "mp3", Width: 1920, Height: 1080, FrameRate: 30, HasVideo: true, HasAudio: true, Encoder: "x"}
	p := h.Payload()
	if got := Describe(p); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for n := range p {
		Describe(p[:n])
	}
}

func TestTagsStopsAtWhatIsCutShort(t *testing.T) {
	a, b := NewTag(Audio, 1, []byte("a")), NewTag(Audio, 2, []byte("b"))
	for in, want := range map[string]int{
		string(file(a, b)):                            2,
		string(a) + string(b):                         2,
		string(file(a, b[:len(b)-1])):                 1,
		string(file(a)[:FileHeaderLen-1]):             0,
		"FLV\x01\x05\xff\xff\xff\xff\x00\x00\x00\x00": 0,
		"": 0,
	} {
		n := 0
		for range Tags([]byte(in)) {
			n++
		}
		if n != want {
			t.Errorf("%q: %d tags, want %d", in, n, want)
		}
	}
}
