package rtspin

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// names are NAL units of H.264, by letters.
var names = map[byte]string{'p': "\x67", 'q': "\x68", 's': "\x06", 'd': "\x09", 'I': "\x65", 'P': "\x41"}

// assemble reads packets such as "1pq 1I. 2P." (timestamp, NAL units, and . for a marker; ! in front for packets
// that are missing), and writes pictures likewise, ! for those in front of which something is.
func assemble(a *assembly, packets string) string {
	var out []string
	for _, p := range strings.Fields(packets) {
		p, lost := strings.CutPrefix(p, "!")
		ts := uint32(p[0] - '0')
		p, marker := strings.CutSuffix(p[1:], ".")
		var nals [][]byte
		for i := range len(p) {
			nals = append(nals, []byte(names[p[i]]))
		}
		if lost {
			a.gap(ts)
		}
		a.add(nals, ts, marker, func(u access) {
			s := fmt.Sprint(u.ts)
			for _, n := range u.nals {
				for letter, name := range names {
					if name == string(n) {
						s += string(letter)
					}
				}
			}
			if u.lost {
				s = "!" + s
			}
			out = append(out, s)
		})
	}
	return strings.Join(out, " ")
}

func TestPicturesArePutTogether(t *testing.T) {
	for _, c := range []struct{ name, packets, want string }{
		{"as it should be", "1pq 1I. 2P. 3P 3P.", "1pqI 2P 3PP"},
		{"no markers", "1pq 1I 2P 3P 3P 4P", "1pqI 2P 3PP"},
		{"parameter sets are marked", "1p. 1q. 1I. 2P.", "1pqI 2P"},
		{"they have a timestamp of their own", "0pq. 1I. 2P.", "1pqI 2P"},
		{"each slice is marked", "1pq 1I. 1I. 2P. 2P. 3P.", "1pqI 1I 2PP"},
		{"a delimiter ends each", "1dI. 2dP. 3dP.", "1dI 2dP 3dP"},
		{"a picture without its end", "1I. 2P !3P. 4P.", "1I !4P"},
		{"one without its beginning", "1I. !2P. 3P.", "1I !3P"},
		{"a key frame that is whole", "1I. !2pq 2I. 3P.", "1I !2pqI 3P"},
		{"a picture that is missing, behind a delimiter", "1I. !3dP. 4P.", "1I !3dP 4P"},
		{"twice", "1I. !2P. !3P. 4P.", "1I !4P"},
	} {
		if got := assemble(&assembly{}, c.packets); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestPicturesAreBounded(t *testing.T) {
	for name, nal := range map[string][]byte{"many": {0x41}, "large": append([]byte{0x41}, make([]byte, 1<<20)...)} {
		a := &assembly{}
		for range 3 * unitNALs {
			a.add([][]byte{nal}, 1, false, func(access) { t.Error("it has come to an end") })
			if len(a.nals) > unitNALs || a.bytes > unitBytes {
				t.Fatal(name)
			}
		}
		var got []access
		a.add([][]byte{{0x41}}, 2, true, func(u access) { got = append(got, u) })
		if len(got) != 1 || !got[0].lost || got[0].ts != 2 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// at is a moment, in milliseconds.
func at(ms int64) time.Time { return time.Unix(0, ms*1e6) }

func newClock(rates ...int64) *clock {
	c := &clock{}
	for i, r := range rates {
		c.tracks[i].rate = r
	}
	return c
}

func TestTimestampsWrapAndTracksBeginWhenTheyCome(t *testing.T) {
	c := newClock(90000, 48000)
	c.at(ofPictures, 1<<32-9000, at(0))
	if got := c.at(ofPictures, 9000, at(200)); got != 18000 {
		t.Error(got)
	}
	if got := c.at(ofSound, 77, at(300)); got != 27000 {
		t.Error(got)
	}
	if got := c.at(ofSound, 77+48000, at(400)); got != 27000+90000 {
		t.Error(got)
	}
	if got := c.at(ofPictures, 5400, at(400)); got != 14400 { // B-frames
		t.Error(got)
	}
}

func TestAClockThatIsSetGoesOnNow(t *testing.T) {
	c := newClock(90000, 48000)
	c.at(ofPictures, 0, at(0))
	for _, step := range []uint32{11 * 90000, ^uint32(3 * 90000), 1 << 31} {
		if got := c.at(ofPictures, step, at(1000)); got != 90000 {
			t.Errorf("%d: %d", step, got)
		}
	}
}

const second = 1 << 32 // of NTP

func TestReportsSayHowTracksBelongTogether(t *testing.T) {
	const ntp = 3_900_000_000 * second
	for _, c := range []struct {
		name   string
		sound  uint64 // where the report has its first timestamp
		wanted int64
	}{
		{"sound is later", ntp + second/2, 45000},
		{"sound is earlier", ntp - second/4, -22500},
		{"no clock", 0, 4500},
		{"another clock altogether", ntp + 3600*second, 4500},
	} {
		// The reports come first.
		k := newClock(90000, 48000)
		k.report(ofPictures, ntp, 0)
		k.report(ofSound, c.sound, 0)
		k.at(ofPictures, 0, at(0))
		if got := k.at(ofSound, 0, at(50)); got != c.wanted {
			t.Errorf("%s: sound is at %d, want %d", c.name, got, c.wanted)
		}
		// Sound comes before pictures do.
		k = newClock(90000, 48000)
		k.report(ofPictures, ntp, 0)
		k.report(ofSound, c.sound, 0)
		s := k.at(ofSound, 0, at(0))
		if got := s - k.at(ofPictures, 0, at(50)); got != c.wanted && c.wanted != 4500 || c.wanted == 4500 && got != -4500 {
			t.Errorf("%s: sound that comes first is at %d, want %d", c.name, got, c.wanted)
		}
		// They come when all goes already: nobody hears it.
		k = newClock(90000, 48000)
		k.at(ofPictures, 0, at(0))
		last := k.at(ofSound, 0, at(50))
		k.report(ofPictures, ntp, 0)
		k.report(ofSound, c.sound, 0)
		for i := range uint32(600) {
			got := k.at(ofSound, 1024*(i+1), at(50))
			if step := got - last; step < 1920-slew || step > 1920+slew {
				t.Fatalf("%s: a step of %d", c.name, step)
			}
			last = got
		}
		if got := last - 1920*600; got != c.wanted {
			t.Errorf("%s: sound moves to %d, want %d", c.name, got, c.wanted)
		}
	}
}

// A sound card whose clock is not the camera's is a second off after hours, if nothing is done.
func TestDriftIsFollowed(t *testing.T) {
	c := newClock(90000, 48000)
	for s := range int64(3600) {
		late := s * 48000 * 100 / 1e6 // 100 ppm
		for i := range int64(47) {
			c.at(ofSound, uint32(s*48000-late+i*1024), at(s*1000))
		}
		v := c.at(ofPictures, uint32(s*90000), at(s*1000))
		c.report(ofPictures, uint64(1000+s)*second, uint32(s*90000))
		c.report(ofSound, uint64(1000+s)*second, uint32(s*48000-late))
		a := c.tracks[ofSound].time(uint32(s*48000-late)) + c.tracks[ofSound].moved
		if a-v > 10*90 || v-a > 10*90 {
			t.Fatalf("%d ms apart after %d s", (a-v)/90, s)
		}
	}
}

func TestWhatIsOursIsTakenOffAnAddress(t *testing.T) {
	sum := strings.Repeat("aB", 32)
	for in, want := range map[string]Address{
		"rtsp://u:p@cam/a?transport=udp":                 {URL: parsed("rtsp://u:p@cam/a"), UDP: true},
		"rtsp://cam/a?b=1&transport=tcp&&c=%2f":          {URL: parsed("rtsp://cam/a?b=1&&c=%2f")},
		"RTSP://cam/a?transport=mcast&transport=udp":     {URL: parsed("rtsp://cam/a?transport=mcast"), UDP: true},
		"rtsp://cam/a?transport=udp&transport=udp":       {URL: parsed("rtsp://cam/a?transport=udp"), UDP: true},
		"rtsps://cam:322/?certificate=" + sum + "&x":     {URL: parsed("rtsps://cam:322/?x"), Certificate: strings.ToLower(sum)},
		"rtsp://cam/?certificate=none":                   {URL: parsed("rtsp://cam/?certificate=none")},
		"rtsp://cam/cgi?user=a_password=b_channel=1.sdp": {URL: parsed("rtsp://cam/cgi?user=a_password=b_channel=1.sdp")},
	} {
		got, err := Parse(parsed(in))
		if err != nil || got.URL.String() != want.URL.String() || got.UDP != want.UDP || got.Certificate != want.Certificate {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
	if _, err := Parse(parsed("rtsp:///a")); err != ErrAddress {
		t.Error(err)
	}
}

func parsed(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

// FuzzAssembly has no picture that is longer than what came, or without a slice.
func FuzzAssembly(f *testing.F) {
	f.Add([]byte("\x01\x67\x01\x68\x81\x65\x82\x41\xc3\x41"), false)
	f.Add([]byte("\x01\x40\x01\x42\x81\x26\x82\x02\xc3\x02"), true)
	f.Fuzz(func(t *testing.T, in []byte, hevc bool) {
		a := &assembly{hevc: hevc}
		came, went := 0, 0
		for p := range slices.Chunk(in, 2) {
			ts := uint32(p[0] & 0x1f)
			if p[0]&0x40 != 0 {
				a.gap(ts)
			}
			a.add([][]byte{p[1:]}, ts, p[0]&0x80 != 0, func(u access) {
				slices := 0
				for _, n := range u.nals {
					if s, _ := a.kind(n); s {
						slices++
					}
					went += len(n)
				}
				if slices == 0 {
					t.Fatal("no slice")
				}
			})
			came += len(p) - 1
		}
		if went > came {
			t.Fatalf("%d bytes of %d", went, came)
		}
	})
}
