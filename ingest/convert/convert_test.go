package convert

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"relay/ingest/flv"
)

// Units of H.264 as x264 begins them; nothing here decodes them.
var (
	sps      = []byte("\x00\x00\x00\x01\x67\x42\xc0\x0b\xda\x0c\x3f\xef\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\x20\xf1\x42\xaa")
	otherSPS = []byte("\x00\x00\x00\x01\x67\x42\xc0\x0c\xda\x0c\x3f\xef\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\x20\xf1\x42\xaa")
	pps      = []byte("\x00\x00\x00\x01\x68\xce\x0f\xc8")
	otherPPS = []byte("\x00\x00\x00\x01\x68\xce\x3c\x80")
	idr      = []byte("\x00\x00\x01\x65\x88\x84\x0a")
	inter    = []byte("\x00\x00\x01\x41\x9a\x24\x6c")
	recovery = []byte("\x00\x00\x01\x06\x06\x01\xc4\x80")
	key      = slices.Concat(sps, pps, idr)
)

// session is what one converter is given and what comes of it, a line for each tag.
type session struct {
	*Converter
	told []Trouble
	tags []flv.Tag
}

func newSession(video, audio Track) *session {
	s := &session{}
	s.Converter = New(func(t Trouble) { s.told = append(s.told, t) })
	s.Configure(video, audio)
	return s
}

func (s *session) picture(pts, dts int64, parts ...[]byte) {
	s.tags = append(s.tags, s.Picture(Unit{PTS: pts, HasPTS: true, DTS: dts, HasDTS: dts >= 0, Data: slices.Concat(parts...)})...)
}

func (s *session) sound(pts int64, data []byte) {
	s.tags = append(s.tags, s.Sound(Unit{PTS: pts, HasPTS: pts >= 0, Data: data})...)
}

func (s *session) String() string {
	var b strings.Builder
	for _, t := range append(s.tags, s.Flush()...) {
		c, _ := flv.Decode(t)
		switch {
		case t.Type() == flv.Script:
			continue
		case c.Config:
			c.Codec += " config"
		case c.Key && t.Type() == flv.Video:
			c.Codec += " key"
		}
		fmt.Fprintf(&b, "%d%+d %s, ", t.Timestamp(), c.Offset, c.Codec)
	}
	return strings.TrimSuffix(b.String(), ", ")
}

const second = Rate

func TestWherePicturesBegin(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(s *session)
		want string
	}{
		"at a key frame with its parameter sets": {func(s *session) {
			s.picture(0, -1, inter)
			s.picture(second, -1, idr) // nobody knows what it is
			s.picture(2*second, -1, key)
			s.picture(3*second, -1, inter)
		}, "2000+0 h264 config, 2000+0 h264 key, 3000+0 h264"},
		"parameter sets that come alone": {func(s *session) {
			s.picture(0, -1, sps, pps)
			s.picture(second, -1, idr)
		}, "1000+0 h264 config, 1000+0 h264 key"},
		"where a decoder recovers, if there is no key frame for 5 s": {func(s *session) {
			for i := range int64(8) {
				s.picture(i*second, -1, sps, pps, recovery, inter)
			}
		}, "5000+0 h264 config, 5000+0 h264, 6000+0 h264, 7000+0 h264"},
		"anywhere, if there is nothing for 10 s": {func(s *session) {
			for i := range int64(12) {
				s.picture(i*second, -1, sps, pps, inter)
			}
		}, "10000+0 h264 config, 10000+0 h264, 11000+0 h264"},
		"at the next key frame behind a loss": {func(s *session) {
			s.picture(0, -1, key)
			s.tags = append(s.tags, s.Picture(Unit{PTS: second, HasPTS: true, Lost: true, Data: inter})...)
			s.picture(2*second, -1, recovery, inter)
			s.picture(3*second, -1, idr)
		}, "0+0 h264 config, 0+0 h264 key, 3000+0 h264 key"},
		"at once behind a loss in an open stream, without what is shown before": {func(s *session) {
			s.picture(0, -1, key)
			for i := range int64(8) {
				s.picture(second+i*second, second+i*second, inter)
			}
			s.tags = append(s.tags, s.Picture(Unit{PTS: 9 * second, HasPTS: true, Lost: true, Data: inter})...)
			s.picture(12*second, 10*second, recovery, inter)
			s.picture(11.5*second, 11*second, inter) // needs what was lost
			s.picture(12.5*second, 12*second, inter)
		}, "0+0 h264 config, 0+0 h264 key, 1000+0 h264, 2000+0 h264, 3000+0 h264, 4000+0 h264, 5000+0 h264, 6000+0 h264, 7000+0 h264, 8000+0 h264, 10000+2000 h264, 12000+500 h264"},
		"other picture parameters come with the picture": {func(s *session) {
			s.picture(0, -1, key)
			s.picture(second, -1, otherPPS, inter)
			s.picture(2*second, -1, otherPPS, inter)
		}, "0+0 h264 config, 0+0 h264 key, 1000+0 h264 config, 1000+0 h264, 2000+0 h264"},
		"another sequence needs a key frame": {func(s *session) {
			s.picture(0, -1, key)
			s.picture(second, -1, otherSPS, inter)
			s.picture(2*second, -1, inter)
			s.picture(3*second, -1, otherSPS, pps, idr)
		}, "0+0 h264 config, 0+0 h264 key, 3000+0 h264 config, 3000+0 h264 key"},
		"parameter sets that are repeated are no others": {func(s *session) {
			s.picture(0, -1, key)
			s.picture(second, -1, key)
		}, "0+0 h264 config, 0+0 h264 key, 1000+0 h264 key"},
	} {
		s := newSession(Track{Format: H264}, Track{})
		c.do(s)
		if got := s.String(); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestWhatIsTakenOutOfASample(t *testing.T) {
	s := newSession(Track{Format: H264}, Track{})
	s.picture(0, -1, []byte("\x00\x00\x00\x01\x09\x10"), sps, pps, []byte("\x00\x00\x01\x06\x05\x01x\x80"), []byte("\x00\x00\x01\x65\x88\x84\x0a\x00\x00"), []byte("\x00\x00\x01\x0c\xff\xff"), []byte("\x00\x00\x01\x0a"))
	c, _ := flv.Decode(s.tags[len(s.tags)-1])
	if want := "\x00\x00\x00\x05\x06\x05\x01x\x80\x00\x00\x00\x04\x65\x88\x84\x0a"; string(c.Data) != want {
		t.Errorf("%q, want %q", c.Data, want)
	}
	config, _ := flv.Decode(s.tags[1])
	want := slices.Concat([]byte{1, 0x42, 0xc0, 0x0b, 0xff, 0xe1, 0, byte(len(sps) - 4)}, sps[4:], []byte{1, 0, byte(len(pps) - 4)}, pps[4:])
	if !bytes.Equal(config.Data, want) {
		t.Errorf("configuration %x, want %x", config.Data, want)
	}
}

func TestParameterSetsThatWereAnnounced(t *testing.T) {
	s := newSession(Track{Format: H264, Config: string(sps) + string(pps)}, Track{})
	s.tags = s.Picture(Unit{HasPTS: true, NALs: [][]byte{nil, idr[3:]}})
	if got, want := s.String(), "0+0 h264 config, 0+0 h264 key"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTheSendersDecodingTimes(t *testing.T) {
	type at struct{ pts, dts int64 }
	for name, c := range map[string]struct {
		sent []at
		want string // pts/dts in ms
		bad  uint64
	}{
		"as they are":                        {[]at{{7200, 0}, {18000, 3600}, {10800, 7200}, {14400, 10800}}, "80/0 200/40 120/80 160/120", 0},
		"the same twice":                     {[]at{{0, 0}, {3600, 0}}, "0/0 40/0", 0},
		"behind what is shown":               {[]at{{0, 3600}, {3600, 7200}}, "0/40 40/80", 0},
		"one that goes back":                 {[]at{{7200, 7200}, {14400, 3600}, {14400, 10800}}, "80/80 160/81 160/120", 1},
		"all the same, while pictures go on": {[]at{{0, 0}, {9 * second, 0}, {11 * second, 0}, {11*second + 3600, 0}}, "0/0 9000/0 11000/11000 11040/11040", 2},
		"far from their pictures":            {[]at{{0, 0}, {3600, 1 << 40}, {7200, 7200}}, "0/0 40/40 80/80", 1},
		"none for some: they are shown then": {[]at{{7200, 0}, {3600, -1}, {14400, 7200}}, "80/0 40/40 160/80", 0},
		"a stream that begins anew":          {[]at{{900 * second, 900 * second}, {10 * second, 10 * second}, {11 * second, 11 * second}}, "900000/900000 10000/10000 11000/11000", 0},
	} {
		s := newSession(Track{Format: H264}, Track{})
		for i, a := range c.sent {
			unit := key
			if i > 0 {
				unit = inter
			}
			s.picture(a.pts, a.dts, unit)
		}
		s.tags = append(s.tags, s.Flush()...)
		var got []string
		for _, tag := range s.tags[2:] {
			c, _ := flv.Decode(tag)
			got = append(got, fmt.Sprintf("%d/%d", int64(tag.Timestamp())+int64(c.Offset), tag.Timestamp()))
		}
		told := len(s.told) == 1 && s.told[0] == BadTimes
		if strings.Join(got, " ") != c.want || s.Stats().Troubles[BadTimes] != c.bad || told != (c.bad > 0) {
			t.Errorf("%s: %v, %v, told %v; want %s", name, got, s.Stats().Troubles, s.told, c.want)
		}
	}
}

// A camera over RTP gives no decoding times, in whatever order its pictures come: none is left out,
// and the times go forward.
func TestPicturesWithoutDecodingTimesNeverEndAStream(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		s := newSession(Track{Format: H264}, Track{})
		s.picture(0, -1, key)
		for i := 1; i < 200; i++ {
			nal := []byte{0, 0, 1, 0x41, byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32()), 0x80}
			s.picture(int64(i+rnd.IntN(17))*3600, -1, nal)
		}
		last := uint32(0)
		pictures := 0
		for _, tag := range s.tags {
			if c, ok := flv.Decode(tag); !ok || c.Config {
				continue
			}
			if tag.Timestamp() < last {
				t.Fatalf("seed %d: from %d back to %d", seed, last, tag.Timestamp())
			}
			last, pictures = tag.Timestamp(), pictures+1
		}
		if pictures != 200 {
			t.Errorf("seed %d: %d pictures of 200", seed, pictures)
		}
	}
}

func TestUnwrapping(t *testing.T) {
	var u Unwrapper
	for _, c := range []struct {
		in   uint64
		want int64
	}{
		{1<<33 - 10, 1<<33 - 10}, {5, 1<<33 + 5}, {1<<33 - 3, 1<<33 - 3}, {100, 1<<33 + 100}, {1 << 32, 1<<33 + 1<<32}, {1<<33 - 1, 1<<34 - 1}, {0, 1 << 34},
	} {
		if got := u.Next(c.in, 33); got != c.want {
			t.Errorf("%d is %d, want %d", c.in, got, c.want)
		}
	}
}

// aac is a frame of ADTS with that many bytes in it: 48 kHz, two channels.
func aac(n int, fill byte) []byte {
	size := adtsHead + n
	return append([]byte{0xff, 0xf1, 0x4c, 0x80 | byte(size>>11), byte(size >> 3), byte(size<<5) | 0x1f, 0xfc}, bytes.Repeat([]byte{fill}, n)...)
}

func TestSoundAndPicturesBeginTogether(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(s *session)
		want string
	}{
		"sound waits for the first picture, what is far before it is left out": {func(s *session) {
			for i := range int64(20) {
				s.sound(i*9000, aac(4, 1))
			}
			s.picture(20*9000, -1, key)
		}, "2000+0 h264 config, 2000+0 aac config, 1500+0 aac, 1600+0 aac, 1700+0 aac, 1800+0 aac, 1900+0 aac, 2000+0 h264 key"},
		"sound that comes later than its picture": {func(s *session) {
			s.sound(0, aac(4, 1))
			s.picture(2*second, -1, key)
			s.sound(second, aac(4, 1))
			s.sound(1.6*second, aac(4, 1))
			s.sound(1.7*second, aac(4, 1))
		}, "2000+0 h264 config, 2000+0 aac config, 2000+0 h264 key, 1600+0 aac, 1700+0 aac"},
		"pictures wait half a second for sound": {func(s *session) {
			s.picture(0, -1, key)
			s.picture(9000, -1, inter)
			s.sound(4500, aac(4, 1))
		}, "50+0 h264 config, 50+0 aac config, 0+0 h264 key, 100+0 h264, 50+0 aac"},
		"and no longer": {func(s *session) {
			s.picture(0, -1, key)
			s.picture(0.5*second, -1, inter)
			s.picture(second, -1, inter)
			s.sound(second, aac(4, 1))
		}, "500+0 h264 config, 0+0 h264 key, 500+0 h264, 1000+0 h264, 1000+0 aac config, 1000+0 aac"},
		"sound goes alone where no picture comes for 5 s": {func(s *session) {
			for i := range int64(7) {
				s.sound(i*second, aac(4, 1))
			}
		}, "5000+0 aac config, 5000+0 aac, 6000+0 aac"},
	} {
		s := newSession(Track{Format: H264}, Track{Format: ADTS})
		c.do(s)
		if got := s.String(); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestTheDescriptionOfAStream(t *testing.T) {
	s := newSession(Track{Format: H264}, Track{Format: Opus, Channels: 1})
	s.sound(0, []byte{0xfc, 0xff})
	s.picture(0, -1, key)
	m, ok := flv.ParseMetadata(s.tags[0].Body())
	if want := (flv.Metadata{HasVideo: true, HasAudio: true, VideoCodec: "h264", AudioCodec: "opus", Width: 192, Height: 108, FrameRate: 25, SampleRate: 48000, Channels: 1}); !ok || m != want {
		t.Errorf("%+v, want %+v", m, want)
	}
}
