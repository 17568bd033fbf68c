package convert

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"relay/ingest/flv"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What x265, libaom and libvpx begin a stream of pictures of 192x108 and 64x64 with.
const (
	hevcVPS = "40010c01ffff01600000030090000003000003001e959409"
	hevcSPS = "42010101600000030090000003000003001ea0182071f7965654a4c2f0168080000003008000000c84"
	hevcPPS = "4401c073c189"
	av1Head = "0a0a00000003b5feb36be401"
	vp9Key  = "824983420003f003f60238241c184a0003b07cb1"
)

func annexB(units ...[]byte) (b []byte) {
	for _, u := range units {
		b = append(append(b, 0, 0, 0, 1), u...)
	}
	return b
}

func TestHEVC(t *testing.T) {
	vps, sps, pps := unhex(t, hevcVPS), unhex(t, hevcSPS), unhex(t, hevcPPS)
	s := newSession(Track{Format: HEVC}, Track{})
	aud, cra, rasl, trail := []byte{0x46, 1, 0x50}, []byte{0x2a, 1, 0xac, 0x74}, []byte{0x12, 1, 0xd0, 0x21}, []byte{0x02, 1, 0xd0, 0x21}
	s.picture(0, 0, annexB(trail))
	s.picture(7200, 3600, annexB(aud, vps, sps, pps, cra))
	s.picture(3600, 7200, annexB(rasl)) // it needs what was before the stream
	s.picture(14400, 10800, annexB(trail))
	s.picture(21600, 14400, annexB(cra))
	s.picture(18000, 18000, annexB(rasl))
	if got, want := s.String(), "40+0 hevc config, 40+40 hevc key, 120+40 hevc, 160+80 hevc key, 200+0 hevc"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	want := slices.Concat(unhex(t, "01 01 60000000 900000000000 1e f000 fc fd f8 f8 0000 0f 03"),
		unhex(t, "a0 0001 0018"), vps, unhex(t, "a1 0001 0029"), sps, unhex(t, "a2 0001 0006"), pps)
	config, _ := flv.Decode(s.tags[1])
	if !bytes.Equal(config.Data, want) {
		t.Errorf("configuration %x, want %x", config.Data, want)
	}
	if sets, ok := config.ParameterSets(); !ok || len(sets.Units) != 3 || sets.LenSize != 4 {
		t.Errorf("it is read as %+v", sets)
	}
	if m, _ := flv.ParseMetadata(s.tags[0].Body()); m.Width != 192 || m.Height != 108 || m.FrameRate != 25 {
		t.Errorf("%+v", m)
	}
}

func TestAV1(t *testing.T) {
	s := newSession(Track{Format: AV1}, Track{})
	delimiter, sequence, frame := []byte{0x12, 0}, unhex(t, av1Head), unhex(t, "3203 0c1400")
	s.picture(0, -1, delimiter, frame) // no sequence yet
	s.picture(3600, -1, delimiter, sequence, frame)
	s.picture(7200, -1, delimiter, frame, []byte{0x7a, 1, 0})
	if got, want := s.String(), "40+0 av1 config, 40+0 av1 key, 80+0 av1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	config, _ := flv.Decode(s.tags[1])
	if want := append([]byte{0x81, 0, 0x0c, 0}, sequence...); !bytes.Equal(config.Data, want) {
		t.Errorf("configuration %x, want %x", config.Data, want)
	}
	if c, _ := flv.Decode(s.tags[3]); !bytes.Equal(c.Data, frame) {
		t.Errorf("a sample of %x", c.Data)
	}
	for _, bad := range []string{"", "12", "3a", "3280", "3205 00", "32ffffffffff", "36", "0a00", "0a0a"} {
		s.picture(9000, -1, unhex(t, bad))
	}
	if n := s.Stats().Troubles[NoPicture]; n < 8 {
		t.Errorf("%d of 9 are told to hold no picture", n)
	}
}

func TestVP9(t *testing.T) {
	s := newSession(Track{Format: VP9}, Track{})
	s.picture(0, -1, []byte{0x86, 0, 0x40})
	s.picture(3600, -1, unhex(t, vp9Key))
	s.picture(7200, -1, []byte{0x86, 0, 0x40})
	if got, want := s.String(), "40+0 vp9 config, 40+0 vp9 key, 80+0 vp9"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if m, _ := flv.ParseMetadata(s.tags[0].Body()); m.Width != 64 || m.Height != 64 {
		t.Errorf("%+v", m)
	}
}

// TestSoundInPieces cuts a stream of sound everywhere: the frames, and when they are heard, are the
// same.
func TestSoundInPieces(t *testing.T) {
	mp3 := append([]byte{0xff, 0xfb, 0x14, 0x64}, make([]byte, 92)...)                 // 32 kb/s at 48 kHz
	ac3 := append([]byte{0x0b, 0x77, 0, 0, 0x00, 0x40, 0x43, 0}, make([]byte, 120)...) // 32 kb/s at 48 kHz
	eac3 := append(unhex(t, "0b77 003f 34 85 00 00"), make([]byte, 120)...)            // 64 words, six blocks
	for name, c := range map[string]struct {
		format Format
		frame  []byte
		step   float64 // ms
		head   int     // that does not come out
	}{
		"ADTS":   {ADTS, aac(20, 7), 1024 / 48., adtsHead},
		"MP3":    {MP3, mp3, 1152 / 48., 0},
		"AC-3":   {AC3, ac3, 1536 / 48., 0},
		"E-AC-3": {EAC3, eac3, 1536 / 48., 0},
	} {
		const n = 12
		all := bytes.Repeat(c.frame, n)
		for cut := 1; cut < 3*len(c.frame); cut++ {
			s := newSession(Track{}, Track{Format: c.format})
			for at := 0; at < len(all); at += cut {
				// As senders do: the time is that of the first frame that begins in it.
				first := (at + len(c.frame) - 1) / len(c.frame)
				pts := int64(-1)
				if first*len(c.frame) < min(at+cut, len(all)) {
					pts = int64(float64(first) * c.step * 90)
				}
				s.sound(pts, all[at:min(at+cut, len(all))])
			}
			got := frames(s.tags)
			if len(got) != n || s.told != nil {
				t.Fatalf("%s in pieces of %d: %d frames of %d, %v", name, cut, len(got), n, s.told)
			}
			for i, tag := range got {
				coded, _ := flv.Decode(tag)
				late := float64(tag.Timestamp()) - float64(i)*c.step
				if !bytes.Equal(coded.Data, c.frame[c.head:]) || late < -1 || late > 1 {
					t.Fatalf("%s in pieces of %d: frame %d of %d bytes at %d", name, cut, i, len(coded.Data), tag.Timestamp())
				}
			}
		}
	}
}

func frames(tags []flv.Tag) (found []flv.Tag) {
	for _, t := range tags {
		if c, ok := flv.Decode(t); ok && !c.Config {
			found = append(found, t)
		}
	}
	return found
}

func TestSoundBetweenNoise(t *testing.T) {
	s := newSession(Track{}, Track{Format: ADTS})
	cut := aac(30, 1)[:20]
	s.sound(0, slices.Concat([]byte{1, 2, 0xff, 0x13, 3}, aac(20, 7), aac(21, 7), cut, aac(22, 7), []byte{0xff}))
	s.sound(second, aac(23, 7)[1:])
	s.sound(2*second, slices.Concat(aac(24, 7), aac(25, 7)))
	var got []string
	for _, tag := range frames(s.tags) {
		c, _ := flv.Decode(tag)
		got = append(got, fmt.Sprintf("%d@%d", len(c.Data), tag.Timestamp()))
	}
	// What was cut is taken with what followed it, as far as its own length says.
	if want := "20@0 21@21"; !strings.HasPrefix(strings.Join(got, " "), want) || !strings.HasSuffix(strings.Join(got, " "), "24@2000 25@2021") {
		t.Errorf("%v", got)
	}
	if !slices.Contains(s.told, NoSound) {
		t.Errorf("told %v", s.told)
	}
}

// A listener begins in the middle of a frame, where there may be what looks like the head of one.
func TestAHeadByChance(t *testing.T) {
	s := newSession(Track{}, Track{Format: ADTS})
	s.sound(0, slices.Concat([]byte{9, 9}, aac(4, 9), []byte{9, 9, 9}, aac(20, 7), aac(21, 7)))
	if n := len(frames(s.tags)); n != 2 {
		t.Errorf("%d frames, want 2", n)
	}
}

func TestWhatIsLostEndsAFrame(t *testing.T) {
	s := newSession(Track{}, Track{Format: ADTS})
	s.sound(0, slices.Concat(aac(20, 1), aac(20, 2)[:10]))
	s.tags = append(s.tags, s.Sound(Unit{Lost: true, PTS: second, HasPTS: true, Data: slices.Concat(aac(20, 3)[15:], aac(20, 4), aac(20, 5))})...)
	var got []string
	for _, tag := range frames(s.tags) {
		c, _ := flv.Decode(tag)
		got = append(got, fmt.Sprintf("%d@%d", c.Data[0], tag.Timestamp()))
	}
	if want := "1@0 4@1000 5@1021"; strings.Join(got, " ") != want || s.told != nil {
		t.Errorf("%v, told %v; want %s", got, s.told, want)
	}
}

// TestHostileSound has heads that no encoder makes. Nothing comes of them, and what follows is taken.
func TestHostileSound(t *testing.T) {
	good := map[Format][]byte{ADTS: aac(20, 7), MP3: append([]byte{0xff, 0xfb, 0x14, 0x64}, make([]byte, 92)...), AC3: append([]byte{0x0b, 0x77, 0, 0, 0x00, 0x40, 0x43, 0}, make([]byte, 120)...)}
	for _, c := range []struct {
		format Format
		bad    string
	}{
		{ADTS, "fff14c80001ffc"}, // a frame of no bytes
		{ADTS, "fff14c8000fffc"}, // of fewer than its head
		{ADTS, "fff17480015ffc"}, // of a rate that there is not
		{ADTS, "fff14c00013ffc 0102"},
		{ADTS, "fff14c80013ffd 0102"}, // of two blocks
		{MP3, "fffb0064"},             // of a rate that is not told
		{MP3, "fffbf464"},
		{MP3, "fffb1c64"},
		{MP3, "fff914 64"},
		{AC3, "0b770000ff40 4300"},
		{AC3, "0b7700003f40 4300"},
	} {
		s := newSession(Track{}, Track{Format: c.format})
		s.sound(0, slices.Concat(good[c.format], good[c.format], unhex(t, c.bad), good[c.format], good[c.format]))
		if n := len(frames(s.tags)); n != 4 {
			t.Errorf("%s behind one of format %d: %d frames", c.bad, c.format, n)
		}
	}
	for _, packet := range []string{"", "03", "0300", "ff", "ff3f", "1b0d"} {
		s := newSession(Track{}, Track{Format: Opus})
		s.sound(0, unhex(t, packet))
		if len(s.tags) > 0 || s.Stats().Troubles[NoSound] != 1 {
			t.Errorf("Opus %s: %d tags", packet, len(s.tags))
		}
	}
	s := newSession(Track{}, Track{Format: AAC, Config: "\xff"})
	if s.sound(0, []byte{1}); len(s.tags) > 0 {
		t.Error("AAC is taken without its configuration")
	}
}

func TestHeadsOfOpus(t *testing.T) {
	for channels, want := range map[int]string{
		0:  "4f70757348656164 01 02 3801 80bb0000 0000 00",
		1:  "4f70757348656164 01 01 3801 80bb0000 0000 00",
		2:  "4f70757348656164 01 02 3801 80bb0000 0000 00",
		6:  "4f70757348656164 01 06 3801 80bb0000 0000 01 04 02 000401020305",
		99: "4f70757348656164 01 02 3801 80bb0000 0000 00",
	} {
		s := newSession(Track{}, Track{Format: Opus, Channels: channels})
		s.sound(0, []byte{0xfc, 0xff})
		s.sound(-1, []byte{0x0b, 0x02, 1}) // two frames of 20 ms
		s.sound(-1, []byte{0xfc, 0xff})
		config, _ := flv.Decode(s.tags[1])
		if !bytes.Equal(config.Data, unhex(t, want)) {
			t.Errorf("%d channels: %x, want %s", channels, config.Data, want)
		}
		if got := s.String(); got != "0+0 opus config, 0+0 opus, 20+0 opus, 60+0 opus" {
			t.Error(got)
		}
	}
}

// SBR doubles the rate of what is heard, not of frames.
func TestAACThatTellsOfSBR(t *testing.T) {
	for config, want := range map[string]string{
		"1310":     "0+0 aac config, 0+0 aac, 43+0 aac, 85+0 aac", // 24 kHz
		"2b098800": "0+0 aac config, 0+0 aac, 43+0 aac, 85+0 aac", // 24 kHz, SBR to 48 kHz
		"1194":     "0+0 aac config, 0+0 aac, 20+0 aac, 40+0 aac", // 48 kHz, frames of 960
	} {
		s := newSession(Track{}, Track{Format: AAC, Config: string(unhex(t, config))})
		for i := range int64(3) {
			s.sound(-i, []byte{0x21, 1})
		}
		if got := s.String(); got != want {
			t.Errorf("%s: %s, want %s", config, got, want)
		}
	}
}

// FuzzUnits gives units of any bytes to each format. What comes out are whole tags that say what they
// are, and no more bytes than came in, but for lengths.
func FuzzUnits(f *testing.F) {
	f.Add(uint8(H264), key, inter, int64(3600), int64(0), uint8(3))
	f.Add(uint8(H264), key, slices.Concat(otherPPS, recovery, inter), int64(7200), int64(90000), uint8(1))
	f.Add(uint8(HEVC), annexB(unhex(f, hevcVPS), unhex(f, hevcSPS), unhex(f, hevcPPS), []byte{0x28, 1, 0xac, 0x74}), annexB([]byte{2, 1, 0xd0, 0x21}), int64(3600), int64(0), uint8(0))
	f.Add(uint8(AV1), slices.Concat([]byte{0x12, 0}, unhex(f, av1Head), unhex(f, "32030c1400")), unhex(f, "32030c1400"), int64(1), int64(1), uint8(2))
	f.Add(uint8(VP9), unhex(f, vp9Key), []byte{0x86, 0, 0x40}, int64(1), int64(1), uint8(2))
	f.Add(uint8(ADTS), aac(20, 7), aac(5, 1), int64(1), int64(1), uint8(2))
	f.Add(uint8(LOAS), unhex(f, "56e00b200011900c0c001122334455"), []byte{0x56, 0xe0, 0}, int64(1), int64(1), uint8(2))
	f.Add(uint8(Opus), []byte{0xfc, 0xff}, []byte{0x0b, 2, 1}, int64(1), int64(1), uint8(2))
	f.Add(uint8(MP3), append([]byte{0xff, 0xfb, 0x14, 0x64}, make([]byte, 92)...), []byte{0xff, 0xfd}, int64(1), int64(1), uint8(2))
	f.Add(uint8(AC3), append([]byte{0x0b, 0x77, 0, 0, 0, 0x40, 0x43, 0}, make([]byte, 120)...), []byte{0x0b}, int64(1), int64(1), uint8(2))
	f.Add(uint8(EAC3), append([]byte{0x0b, 0x77, 0, 0x3f, 0x34, 0x85, 0, 0}, make([]byte, 120)...), []byte{0x0b}, int64(1), int64(1), uint8(2))
	f.Fuzz(func(t *testing.T, format uint8, a, b []byte, step, lag int64, how uint8) {
		format %= uint8(EAC3) + 1
		c := New(nil)
		track := Track{Format: Format(format), Config: string(b[:min(len(b), 64)]), Channels: int(how)}
		take, typ := c.Sound, flv.Audio
		if track.Format.Pictures() {
			take, typ = c.Picture, flv.Video
			c.Configure(track, Track{})
		} else {
			c.Configure(Track{}, track)
		}
		step, lag = step%(1<<40), lag%(1<<40)
		in, out := 0, 0
		for i := range int64(12) {
			data := a
			if i%3 == 2 {
				data = b
			}
			u := Unit{PTS: i * step, HasPTS: how&1 == 0 || i == 0, DTS: i*step - lag, HasDTS: how&2 != 0, Lost: how&4 != 0 && i == 5, Data: data}
			in += len(data)
			tags := take(u)
			if i == 11 {
				tags = append(slices.Clone(tags), c.Flush()...)
			}
			for _, tag := range tags {
				coded, ok := flv.Decode(tag)
				switch {
				case tag.Type() == flv.Script:
				case tag.Type() != typ || !ok || coded.Codec != track.Format.Codec():
					t.Fatalf("a tag of %x", tag)
				case !coded.Config:
					out += len(coded.Data)
				}
			}
		}
		if out > 3*in+64 {
			t.Errorf("%d bytes out of %d", out, in)
		}
	})
}
