package rtp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"relay/ingest/convert"
	"relay/ingest/flv"
)

func packet(t *testing.T, b string) Packet {
	t.Helper()
	p, err := Parse([]byte(b))
	if err != nil {
		t.Fatalf("%q: %v", b, err)
	}
	return p
}

const head = "\x00\x05\x00\x00\x00\x07\x00\x00\x00\x09" // number, time, source

func TestAPacketIsRead(t *testing.T) {
	for b, want := range map[string]Packet{
		"\x80\x60" + head + "abc":                                           {5, 7, 96, false, []byte("abc")},
		"\x80\xef" + head:                                                   {5, 7, 111, true, []byte{}},
		"\x82\x60" + head + "CCCCCCCC" + "abc":                              {5, 7, 96, false, []byte("abc")},
		"\x90\x60" + head + "\xbe\xde\x00\x01" + "EEEE" + "abc":             {5, 7, 96, false, []byte("abc")},
		"\xa0\x60" + head + "abc" + "\x00\x02":                              {5, 7, 96, false, []byte("abc")},
		"\xb1\x60" + head + "CCCC" + "\xbe\xde\x00\x00" + "abc\x00\x00\x03": {5, 7, 96, false, []byte("abc")},
	} {
		if p := packet(t, b); p.Seq != want.Seq || p.Time != want.Time || p.Type != want.Type || p.Marker != want.Marker || !bytes.Equal(p.Payload, want.Payload) {
			t.Errorf("%q: %+v", b, p)
		}
	}
	for _, b := range []string{
		"", "\x80\x60" + head[:9], "\x40\x60" + head, "\x81\x60" + head + "CCC", "\x90\x60" + head + "\xbe\xde\x00",
		"\x90\x60" + head + "\xbe\xde\x00\x02" + "EEEE", "\xa0\x60" + head + "\x00", "\xa0\x60" + head + "ab\x04", "\xa0\x60" + head,
	} {
		if p, err := Parse([]byte(b)); err == nil && len(b) > 12 {
			t.Errorf("%q: %+v", b, p)
		}
	}
}

// taken are the numbers of packets in the order in which they are given, a gap in front of one as -1.
func taken(o *order, at time.Duration, into *[]int, seqs ...uint16) {
	take := func(p Packet, missing bool) {
		if missing {
			*into = append(*into, -1)
		}
		*into = append(*into, int(p.Seq))
	}
	for _, s := range seqs {
		o.add(Packet{Seq: s, Payload: []byte{byte(s)}}, at, take)
	}
	o.expire(at, take)
}

func TestPacketsArePutIntoOrder(t *testing.T) {
	for name, c := range map[string]struct{ came, want []int }{
		"as they were sent":       {[]int{7, 8, 9}, []int{7, 8, 9}},
		"across the largest":      {[]int{65534, 65535, 0, 1}, []int{65534, 65535, 0, 1}},
		"two exchanged":           {[]int{7, 9, 8, 10}, []int{7, 8, 9, 10}},
		"twice":                   {[]int{7, 8, 8, 7, 10, 10, 9}, []int{7, 8, 9, 10}},
		"one that is astray":      {[]int{7, 40000, 8, 9}, []int{7, 8, 9}},
		"numbers that begin anew": {[]int{7, 8, 40000, 40001, 40002}, []int{7, 8, -1, 40001, 40002}},
		"several gaps":            {[]int{1, 3, 5, 2, 4}, []int{1, 2, 3, 4, 5}},
	} {
		var o order
		var got []int
		for _, s := range c.came {
			taken(&o, 0, &got, uint16(s))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestAPacketThatIsMissingIsWaitedForNoLongerThanThat(t *testing.T) {
	var o order
	var got []int
	taken(&o, 0, &got, 1, 3, 4)
	taken(&o, 100*time.Millisecond, &got, 6)
	taken(&o, patience-1, &got)
	if !slices.Equal(got, []int{1}) {
		t.Fatalf("before it is time: %v", got)
	}
	taken(&o, patience, &got)
	if want := []int{1, -1, 3, 4}; !slices.Equal(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
	taken(&o, patience+50*time.Millisecond, &got, 2) // too late
	taken(&o, 2*patience, &got)
	if want := []int{1, -1, 3, 4, -1, 6}; !slices.Equal(got, want) || o.count != 0 || o.bytes != 0 {
		t.Errorf("%v, want %v; %d packets of %d bytes wait", got, want, o.count, o.bytes)
	}
}

func TestWhatWaitsIsBounded(t *testing.T) {
	var o order
	given, most := 0, 0
	take := func(Packet, bool) { given++ }
	o.add(Packet{Seq: 0}, 0, take)
	for i := range 3 * window { // without the first of each eight hundred
		if s := uint16(i + 1); s%800 != 1 {
			o.add(Packet{Seq: s, Payload: make([]byte, 8<<10)}, 0, take)
		}
		most = max(most, o.bytes)
	}
	if most > heldMost || given == 0 {
		t.Errorf("%d bytes waited, %d packets were given", most, given)
	}
}

func annexB(nals ...string) []byte {
	return []byte("\x00\x00\x00\x01" + strings.Join(nals, "\x00\x00\x00\x01"))
}

func long(first string, n int) string {
	return first + strings.Repeat("\x55", n)
}

// Packets of another's making become the units that went in.
func TestUnitsAreAssembled(t *testing.T) {
	av1 := "\x0a\x01\x55" + "\x32\xb8\x17" + strings.Repeat("\x66", 3000) // with sizes: a sequence header, and a frame
	for name, c := range map[string]struct {
		format    convert.Format
		payloader pion.Payloader
		unit      []byte
		nals      []string
	}{
		"H.264":          {convert.H264, &codecs.H264Payloader{}, annexB("\x67abc", "\x68de", long("\x65\x88", 4000), long("\x65\x40", 700)), []string{"\x67abc", "\x68de", long("\x65\x88", 4000), long("\x65\x40", 700)}},
		"H.264, no sets": {convert.H264, &codecs.H264Payloader{}, annexB(long("\x41\x9a", 30)), []string{long("\x41\x9a", 30)}},
		"HEVC":           {convert.HEVC, &codecs.H265Payloader{}, annexB("\x40\x01v", "\x42\x01s", "\x44\x01p", long("\x26\x01\xaf", 4000)), []string{"\x40\x01v", "\x42\x01s", "\x44\x01p", long("\x26\x01\xaf", 4000)}},
		"AV1":            {convert.AV1, &codecs.AV1Payloader{}, []byte(av1), nil},
		"VP9":            {convert.VP9, &codecs.VP9Payloader{InitialPictureIDFn: func() uint16 { return 300 }}, []byte(long("\x82\x49\x83\x42\x00\x00\xf0\x00\x78\x00", 4000)), nil},
		"VP9, flexible":  {convert.VP9, &codecs.VP9Payloader{FlexibleMode: true, InitialPictureIDFn: func() uint16 { return 7 }}, []byte(long("\x86\x00", 4000)), nil},
		"Opus":           {convert.Opus, &codecs.OpusPayloader{}, []byte("\xfc\xff\xfe"), nil},
	} {
		a := newAssembler(c.format)
		for range 2 { // the second time in the same memory
			a.reset()
			payloads := c.payloader.Payload(1200, slices.Clone(c.unit))
			for i, p := range payloads {
				if !a.take(p) {
					t.Fatalf("%s: payload %d of %d is not taken: %x", name, i, len(payloads), p[:min(8, len(p))])
				}
			}
			u, ok := a.unit()
			if !ok {
				t.Fatalf("%s: no unit", name)
			}
			if c.nals == nil && !bytes.Equal(u.Data, c.unit) {
				t.Errorf("%s: %d bytes, want %d\n%x\n%x", name, len(u.Data), len(c.unit), u.Data[:min(20, len(u.Data))], c.unit[:min(20, len(c.unit))])
			}
			var got []string
			for _, n := range u.NALs {
				got = append(got, string(n))
			}
			if !slices.Equal(got, c.nals) {
				t.Errorf("%s: %d units, want %d", name, len(got), len(c.nals))
			}
		}
	}
}

// What lacks a part is no unit, wherever the part was.
func TestAUnitThatIsNotWholeIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		format   convert.Format
		payloads []string
	}{
		"a rest without a start":          {convert.H264, []string{"\x7c\x05xxx", "\x7c\x45yyy"}},
		"a start in the middle":           {convert.H264, []string{"\x7c\x85\x88x", "\x7c\x85\x88y"}},
		"a unit in the middle of another": {convert.H264, []string{"\x7c\x85\x88x", "\x65\x88abc"}},
		"no end":                          {convert.H264, []string{"\x7c\x85\x88x", "\x7c\x05y"}},
		"a picture's second part":         {convert.H264, []string{"\x65\x40abc"}},
		"several, cut short":              {convert.H264, []string{"\x78\x00\x09\x67abc"}},
		"several, one empty":              {convert.H264, []string{"\x78\x00\x00\x00\x02\x67a"}},
		"several in several":              {convert.H264, []string{"\x78\x00\x04\x78\x00\x01a"}},
		"a mode that nobody offered":      {convert.H264, []string{"\x7dabc"}},
		"a part of a part":                {convert.H264, []string{"\x7c\x9cabc"}},
		"nothing":                         {convert.H264, []string{""}},
		"HEVC, a rest":                    {convert.HEVC, []string{"\x62\x01\x13abc"}},
		"HEVC, a second part":             {convert.HEVC, []string{"\x26\x01\x40abc"}},
		"HEVC, PACI":                      {convert.HEVC, []string{"\x64\x01abc"}},
		"AV1, a rest":                     {convert.AV1, []string{"\x90\x32ab"}},
		"AV1, no rest":                    {convert.AV1, []string{"\x50\x30ab"}},
		"AV1, a size too large":           {convert.AV1, []string{"\x00\x09\x30a"}},
		"VP9, no start":                   {convert.VP9, []string{"\x04abc"}},
		"VP9, no end":                     {convert.VP9, []string{"\x08abc"}},
		"VP9, cut":                        {convert.VP9, []string{"\x8c\x80"}},
		"VP9, references without end":     {convert.VP9, []string{"\x5c\x01\x01\x01\x01abc"}},
	} {
		a := newAssembler(c.format)
		whole := true
		for _, p := range c.payloads {
			whole = whole && a.take([]byte(p))
		}
		if _, ok := a.unit(); whole && ok {
			t.Errorf("%s: it is one", name)
		}
	}
}

func TestOfSpatialLayersTheLowestIsTaken(t *testing.T) {
	a := newAssembler(convert.VP9)
	// With the picture's ID, layers, and the structure of two of them.
	for _, p := range []string{"\xae\x05\x00\x00\x38" + "\x01\x40\x00\xb4\x02\x80\x01\x68" + "\x01\x04\x01" + "low", "\xac\x05\x03\x00" + "high"} {
		if !a.take([]byte(p)) {
			t.Fatalf("%q is not taken", p)
		}
	}
	if u, ok := a.unit(); !ok || string(u.Data) != "low" {
		t.Errorf("%q, %t", u.Data, ok)
	}
}

func TestAUnitIsBounded(t *testing.T) {
	a := newAssembler(convert.H264)
	if !a.take([]byte("\x7c\x85\x88")) {
		t.Fatal("no start")
	}
	n := 0
	for a.take(slices.Concat([]byte("\x7c\x05"), make([]byte, 1400))) {
		n += 1400
	}
	if n > unitMost {
		t.Errorf("%d bytes", n)
	}
	a.reset()
	for n = 0; a.take([]byte("\x06ab")); {
		n++
	}
	if n > nalsMost {
		t.Errorf("%d units", n)
	}
}

// sender sends pictures of H.264 and sound.
type sender struct {
	*Stream
	video, audio pion.Sequencer
}

var sps = "\x67\x42\xc0\x1e\xd9\x00\xa0\x47\xfe\x88"

func newSender() *sender {
	s := &sender{New(nil), pion.NewFixedSequencer(10), pion.NewFixedSequencer(60000)}
	s.Configure(Coding{Format: convert.H264, Rate: 90000}, Coding{Format: convert.Opus, Rate: 48000})
	return s
}

// picture sends one, without the packets that are to be lost, and returns what comes of it.
func (s *sender) picture(key bool, clock uint32, at time.Duration, lost ...int) (out []flv.Tag) {
	unit := annexB(long("\x41\x9a", 3000))
	if key {
		unit = annexB(sps, "\x68\xce\x3c\x80", long("\x65\x88", 3000))
	}
	p := &codecs.H264Payloader{}
	all := p.Payload(1200, unit)
	for i, b := range all {
		n := s.video.NextSequenceNumber()
		if !slices.Contains(lost, i) {
			out = append(out, s.Picture(Packet{Seq: n, Time: clock, Marker: i == len(all)-1, Payload: b}, at)...)
		}
	}
	return out
}

func (s *sender) sound(clock uint32, at time.Duration) []flv.Tag {
	return slices.Clone(s.Sound(Packet{Seq: s.audio.NextSequenceNumber(), Time: clock, Payload: []byte("\xfc\xff\xfe")}, at))
}

func frames(tags []flv.Tag, typ flv.Type) (all []flv.Tag) {
	for _, t := range tags {
		if c, ok := flv.Decode(t); ok && !c.Config && t.Type() == typ {
			all = append(all, t)
		}
	}
	return all
}

const ms = time.Millisecond

func TestALossCostsThePicturesUpToTheNextKeyFrame(t *testing.T) {
	s := newSender()
	var out []flv.Tag
	for i := range 10 {
		at := time.Duration(i) * 40 * ms
		out = append(out, s.sound(uint32(i)*1920, at)...)
		switch i {
		case 3:
			out = append(out, s.picture(false, uint32(i)*3600, at, 1)...)
		default:
			out = append(out, s.picture(i == 0 || i == 9, uint32(i)*3600, at)...)
		}
		if i == 4 && s.WantsKey(at) {
			t.Error("a key frame is asked for while the packet may still come")
		}
	}
	out = append(out, s.Pass(120*ms+patience)...)
	out = append(out, s.picture(false, 36000, 440*ms)...)
	var got []string
	for _, f := range frames(out, flv.Video) {
		c, _ := flv.Decode(f)
		got = append(got, fmt.Sprint(f.Timestamp(), c.Key))
	}
	if want := []string{"0 true", "40 false", "80 false", "360 true", "400 false"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if n := len(frames(out, flv.Audio)); n != 10 {
		t.Errorf("%d frames of sound", n)
	}
}

func TestAKeyFrameIsAskedFor(t *testing.T) {
	s := newSender()
	asks := func(at time.Duration) bool { return s.WantsKey(at) }
	if !asks(0) || asks(keyAgain-1) || !asks(keyAgain) {
		t.Error("at the beginning: not at once, or again too soon, or not again")
	}
	s.sound(0, 2*time.Second)
	s.picture(true, 0, 2*time.Second)
	if asks(2*time.Second+keyEvery-1) || !asks(2*time.Second+keyEvery) {
		t.Error("without another for some time: too soon, or not at all")
	}
	s.picture(true, 180000, 4*time.Second)
	s.picture(false, 183600, 4*time.Second+40*ms, 0)
	s.picture(false, 187200, 4*time.Second+80*ms)
	s.Pass(4*time.Second + 40*ms + patience + 40*ms)
	if !asks(4*time.Second + 900*ms) {
		t.Error("after a loss: not at all")
	}
	voice := New(nil)
	voice.Configure(Coding{}, Coding{Format: convert.Opus, Rate: 48000})
	if voice.WantsKey(time.Hour) {
		t.Error("without pictures")
	}
}

// ntp is a time of day in seconds.
func ntp(seconds float64) uint64 { return uint64(3_900_000_000<<32) + uint64(seconds*(1<<32)) }

// The sound of a clap comes 300 ms after its picture, as its sender had it wait so long, and goes out with it.
func TestSoundGoesWithItsPicture(t *testing.T) {
	for name, c := range map[string]struct {
		report func(s *sender)
		first  int32 // how far the sound of the first picture is behind it
		last   int32 // and that of the last
	}{
		"without reports, as they came": {func(*sender) {}, 300, 300},
		"by reports before the picture": {func(s *sender) {
			s.Report(true, ntp(100), 1000)
			s.Report(false, ntp(100), 500)
		}, 300, 0},
		"by reports of what came before anything": {func(s *sender) { // as OBS sends them
			s.Report(true, ntp(100), 0xffffffff)
			s.Report(false, ntp(50), 0xfffffff0)
		}, 300, 300},
		"by reports of clocks that have nothing to do with each other": {func(s *sender) {
			s.Report(true, ntp(100), 1000)
			s.Report(false, ntp(5), 500)
		}, 300, 300},
		"by reports of no time": {func(s *sender) {
			s.Report(true, 0, 1000)
			s.Report(false, 0, 500)
		}, 300, 300},
	} {
		s := newSender()
		var out []flv.Tag
		for i := range 200 { // pictures of 25 Hz, and two frames of sound each
			at := time.Duration(i) * 40 * ms
			if i == 10 {
				c.report(s)
			}
			out = append(out, s.picture(i%50 == 0, 1000+uint32(i)*3600, at)...)
			for k := range uint32(2) {
				out = append(out, s.sound(500+uint32(i)*1920+k*960, at+300*ms)...)
			}
		}
		pictures, sounds := frames(out, flv.Video), frames(out, flv.Audio)
		if len(pictures) != 200 || len(sounds) != 400 {
			t.Fatalf("%s: %d pictures, %d frames of sound", name, len(pictures), len(sounds))
		}
		behind := func(i int) int32 { return int32(sounds[2*i].Timestamp() - pictures[i].Timestamp()) }
		if name == "by reports of what came before anything" {
			c.first = behind(0) // those have times within reach, and are of another second: bounded below
		}
		if d := behind(0); d < c.first-1 || d > c.first+1 {
			t.Errorf("%s: the first sound is %d ms behind its picture, want %d", name, d, c.first)
		}
		if d := behind(199); d < c.last-1 || d > c.last+1 {
			t.Errorf("%s: the last sound is %d ms behind its picture, want %d", name, d, c.last)
		}
		for i := range 199 {
			if step := int32(pictures[i+1].Timestamp() - pictures[i].Timestamp()); step < 30 || step > 50 {
				t.Fatalf("%s: picture %d is %d ms after the one before", name, i+1, step)
			}
		}
	}
}

func TestAClockThatBeginsAnewGoesOn(t *testing.T) {
	s := newSender()
	out := append(s.picture(true, 0, 0), s.sound(0, 0)...)
	out = append(out, s.picture(false, 3600, 40*ms)...)
	out = append(out, s.picture(false, 3_000_000_000, 80*ms)...)
	out = append(out, s.picture(false, 3_000_003_600, 120*ms)...)
	for i, f := range frames(out, flv.Video) {
		if want := uint32(40 * i); f.Timestamp() != want {
			t.Errorf("picture %d at %d ms", i, f.Timestamp())
		}
	}
	s.Restart(true)
	s.video.NextSequenceNumber()
	out = append(s.picture(false, 7, 160*ms), s.picture(true, 3607, 200*ms)...)
	if f := frames(out, flv.Video); len(f) != 1 || f[0].Timestamp() != 200 {
		t.Errorf("another sender: %d pictures", len(f))
	}
}

// What comes in any order, with losses, repeats and garbage, costs no more than it has, and never panics; pictures and sound
// go out in the order of their times, more or less.
func TestAStormOfPackets(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	s := newSender()
	var waiting []func()
	pictures := 0
	for i := range 2000 {
		at := time.Duration(i) * 40 * ms
		all := (&codecs.H264Payloader{}).Payload(1200, annexB(sps, "\x68\xce\x3c\x80", long("\x65\x88", 2400)))
		for k, b := range all {
			p := Packet{Seq: s.video.NextSequenceNumber(), Time: uint32(i) * 3600, Marker: k == len(all)-1, Payload: b}
			switch r.IntN(20) {
			case 0: // lost
			case 1:
				p.Payload = p.Payload[:r.IntN(len(p.Payload))]
				fallthrough
			case 2, 3:
				waiting = append(waiting, func() { pictures += len(frames(s.Picture(p, at), flv.Video)) })
			case 4:
				pictures += len(frames(s.Picture(p, at), flv.Video))
				fallthrough
			default:
				pictures += len(frames(s.Picture(p, at), flv.Video))
			}
		}
		if r.IntN(3) == 0 {
			r.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
			for _, f := range waiting {
				f()
			}
			waiting = nil
		}
	}
	if pictures < 500 {
		t.Errorf("seed %d: %d pictures", seed, pictures)
	}
}

func FuzzStream(f *testing.F) {
	for format := convert.H264; format <= convert.VP9; format++ {
		f.Add(uint8(format), []byte("\x00\x13\x80\xe0"+head+"\x7c\x85\x88abc"+"\x00\x10\x80\xe0\x00\x06\x00\x00\x00\x07\x00\x00\x00\x09\x7c\x45x"))
	}
	f.Fuzz(func(t *testing.T, format uint8, b []byte) {
		s := New(nil)
		s.Configure(Coding{Format: convert.Format(format%4) + convert.H264, Rate: 90000}, Coding{Format: convert.Opus, Rate: 48000})
		made, in := 0, 0
		for at := time.Duration(0); len(b) >= 2; at += 10 * ms {
			n := min(int(binary.BigEndian.Uint16(b)), len(b)-2)
			p, err := Parse(b[2 : 2+n])
			b = b[2+n:]
			if err != nil {
				continue
			}
			in += len(p.Payload)
			var out []flv.Tag
			switch p.Type & 3 {
			case 3:
				out = s.Sound(p, at)
			case 2:
				s.Report(p.Marker, uint64(p.Time)<<32|uint64(p.Seq), p.Time)
				out = s.Pass(at)
			default:
				out = s.Picture(p, at)
			}
			for _, tag := range out {
				made += len(tag)
			}
			s.WantsKey(at)
		}
		if made > 64<<10+200*in {
			t.Errorf("%d bytes came of %d", made, in)
		}
	})
}
