package mpegts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"relay/ingest/convert"
	"relay/ingest/flv"
	"relay/ingest/ingesttest"
)

// demuxed is what comes of packets.
type demuxed struct {
	tags  []flv.Tag
	err   error // the last
	told  []string
	demux *Demuxer
}

func demux(packets []byte, program int) (d demuxed) {
	d.demux = NewDemuxer(program, func(what convert.Trouble, which string) {
		d.told = append(d.told, strings.TrimSpace(string(what)+" "+which))
	})
	for ; len(packets) >= packetLen; packets = packets[packetLen:] {
		var tags []flv.Tag
		tags, d.err = d.demux.Packet(packets[:packetLen])
		d.tags = append(d.tags, tags...)
	}
	tags, err := d.demux.Flush()
	d.tags = append(d.tags, tags...)
	if d.err == nil {
		d.err = err
	}
	return d
}

// drawn is one line for each tag: its type, time, and what it is.
func drawn(tags []flv.Tag) string {
	var b strings.Builder
	for _, t := range tags {
		c, _ := flv.Decode(t)
		what := c.Codec
		switch {
		case t.Type() == flv.Script:
			what = "about"
		case c.Config:
			what += " config"
		case c.Key && t.Type() == flv.Video:
			what += " key"
		}
		fmt.Fprintf(&b, "%d %s\n", t.Timestamp(), what)
	}
	return b.String()
}

func count(d demuxed) (pictures, sounds int) {
	return len(ingesttest.Frames(d.tags, flv.Video)), len(ingesttest.Frames(d.tags, flv.Audio))
}

func TestAStreamBeginsWithWhatDescribesIt(t *testing.T) {
	m := newMuxer()
	plain(m, 90000, 2)
	d := demux(m.out, 0)
	want := "1000 about\n1000 h264 config\n1000 aac config\n1000 aac\n1021 aac\n1040 aac\n1061 aac\n1000 h264 key\n1040 h264\n"
	if got := drawn(d.tags); got != want || d.err != nil {
		t.Errorf("%v\n%swant\n%s", d.err, got, want)
	}
}

func TestTimesGoOnWhereTheirBitsWrap(t *testing.T) {
	m := newMuxer()
	const wrap = 1 << 33
	plain(m, wrap-5*3600, 10)
	m.video(0x100, wrap+10*3600+7200, wrap+10*3600, inter) // its decoding time was wrapped before it
	m.video(0x100, wrap+11*3600, -1, inter)
	d := demux(m.out, 0)
	pictures, sounds := count(d)
	if pictures != 12 || sounds != 20 || d.told != nil {
		t.Fatalf("%d pictures, %d frames of sound, %v", pictures, sounds, d.told)
	}
	for i, p := range ingesttest.Frames(d.tags, flv.Video)[:10] {
		want := (wrap - 5*3600 + int64(i)*3600 + 45) / 90
		if got := int64(p.Timestamp()); got != want {
			t.Errorf("picture %d at %d, want %d", i, got, want)
		}
		if s := ingesttest.Frames(d.tags, flv.Audio)[2*i]; s.Timestamp() != p.Timestamp() {
			t.Errorf("its sound is at %d, the picture at %d", s.Timestamp(), p.Timestamp())
		}
	}
	if c, _ := flv.Decode(ingesttest.Frames(d.tags, flv.Video)[10]); c.Offset != 80 {
		t.Errorf("offset %d", c.Offset)
	}
}

// A picture that is shown behind the wrap and decoded in front of it.
func TestAWrapBetweenDecodingAndShowing(t *testing.T) {
	m := newMuxer()
	m.pat(0, 1, 0x1000)
	m.pmt(0x1000, 1, 0, es{0x1b, 0x100, ""})
	m.video(0x100, 1<<33+3600, 1<<33-3600, idr)
	d := demux(m.out, 0)
	c, _ := flv.Decode(ingesttest.Frames(d.tags, flv.Video)[0])
	if c.Offset != 80 || d.told != nil {
		t.Errorf("offset %d, %v", c.Offset, d.told)
	}
}

func TestWhatIsLostCostsPicturesUntilTheNextKeyFrame(t *testing.T) {
	m := newMuxer()
	plain(m, 90000, 4)
	at := len(m.out)
	m.video(0x100, 90000+4*3600, -1, append(slices.Clone(inter), bytes.Repeat([]byte{1}, 400)...)) // three packets
	cut := slices.Concat(m.out[:at+packetLen], m.out[at+2*packetLen:])
	m.out = nil
	for i := int64(5); i < 8; i++ {
		m.video(0x100, 90000+i*3600, -1, inter)
	}
	m.frames(0x100, 0x101, 90000+8*3600, 2)
	d := demux(append(cut, m.out...), 0)
	want := "1000 h264 key\n1040 h264\n1080 h264\n1120 h264\n1320 h264 key\n1360 h264\n"
	if got := drawn(ingesttest.Frames(d.tags, flv.Video)); got != want {
		t.Errorf("%swant\n%s", got, want)
	}
	if s := d.demux.Stats(); s.Units != 1 || s.Convert.Lost != 1 || s.Convert.Waited != 3 {
		t.Errorf("%+v", s)
	}
}

func TestPacketsThatAreThereTwiceAreTakenOnce(t *testing.T) {
	m := newMuxer()
	plain(m, 90000, 9)
	once := demux(m.out, 0)
	var twice []byte
	for b := m.out; len(b) > 0; b = b[packetLen:] {
		twice = slices.Concat(twice, b[:packetLen], b[:packetLen])
	}
	if d := demux(twice, 0); drawn(d.tags) != drawn(once.tags) || d.demux.Stats().Units != 0 {
		t.Errorf("%s%+v", drawn(d.tags), d.demux.Stats())
	}
}

// A unit that says how long it is has lost its end where it is shorter; one may not be longer than any
// tag that can be played.
func TestUnitsThatAreCutOrTooLong(t *testing.T) {
	m := newMuxer()
	plain(m, 90000, 8)
	cut := unit(0xc0, 90000+8*3600, -1, slices.Concat(aacData, aacData, aacData))
	m.packets(0x101, cut[:len(cut)-3])
	m.video(0x100, 90000+8*3600, -1, append(slices.Clone(idr), make([]byte, maxPES)...))
	m.frames(0x100, 0x101, 90000+16*3600, 2)
	d := demux(m.out, 0)
	pictures, sounds := count(d)
	if s := d.demux.Stats(); pictures != 10 || sounds != 20 || s.Units != 2 || s.Convert.Lost != 2 {
		t.Errorf("%d pictures, %d frames of sound, %+v", pictures, sounds, s)
	}
}

// A sender may say that its counter jumps.
func TestAJumpThatIsAnnouncedIsNoLoss(t *testing.T) {
	m := newMuxer()
	plain(m, 90000, 2)
	m.counters[0x100] = 9
	at := len(m.out)
	m.video(0x100, 90000+2*3600, -1, inter)
	m.out[at+5] |= 0x80
	m.video(0x100, 90000+3*3600, -1, inter)
	if pictures, _ := count(demux(m.out, 0)); pictures != 4 {
		t.Errorf("%d pictures", pictures)
	}
}

func TestAMapThatChangesIsFollowed(t *testing.T) {
	m := newMuxer()
	plain(m, 90000, 8)
	m.pmt(0x1000, 1, 1, es{0x1b, 0x200, ""}, es{0x06, 0x201, "\x05\x04Opus\x7f\x02\x80\x01"})
	for i := int64(8); i < 16; i++ {
		data := inter
		if i == 8 {
			data = idr
		}
		m.video(0x200, 90000+i*3600, -1, data)
		m.packets(0x201, unit(0xbd, 90000+i*3600, -1, []byte("\x7f\xe0\x03\xfc\xff\xfe")))
	}
	d := demux(m.out, 0)
	if pictures, sounds := count(d); pictures != 16 || sounds != 16+8 {
		t.Errorf("%d pictures, %d frames of sound\n%s", pictures, sounds, drawn(d.tags))
	}
	var heads [][]byte
	for _, tag := range d.tags {
		if c, ok := flv.Decode(tag); ok && c.Config && c.Codec == "opus" {
			heads = append(heads, c.Data)
		}
	}
	if len(heads) != 1 || heads[0][9] != 1 {
		t.Errorf("heads of Opus: %q", heads)
	}
}

func TestTheFirstProgramWithMediaIsTaken(t *testing.T) {
	m := newMuxer()
	m.pat(0, 0, 0x10, 7, 0x1007, 8, 0x1008, 9, 0x1009)
	m.pmt(0x1009, 9, 0, es{0x1b, 0x109, ""}) // comes first, and is the last
	m.pmt(0x1007, 7, 0, es{0x02, 0x107, ""}, es{0x04, 0x117, ""}, es{0x06, 0x127, "\x59\x00"})
	m.pmt(0x1008, 8, 0, es{0x1b, 0x108, ""})
	for i := range int64(8) {
		m.video(0x108, 90000+i*3600, -1, idr)
		m.video(0x109, 900000+i*3600, -1, idr)
	}
	for program, want := range map[int]uint32{0: 1000, 8: 1000, 9: 10000} {
		if d := demux(m.out, program); d.err != nil || ingesttest.Frames(d.tags, flv.Video)[0].Timestamp() != want {
			t.Errorf("program %d begins at\n%s", program, drawn(d.tags))
		}
	}
	var codec *CodecError
	if d := demux(m.out, 7); !errors.As(d.err, &codec) || strings.Join(codec.Has, ", ") != "MPEG-2 video" {
		t.Errorf("program 7: %v", d.err)
	}
	var program *ProgramError
	if d := demux(m.out, 5); !errors.As(d.err, &program) || program.Error() != "the MPEG-TS has no program 5, but 7, 8, 9" {
		t.Errorf("program 5: %v", d.err)
	}
}

func TestWhatCannotBeCarriedIsRefusedByItsName(t *testing.T) {
	mapped := func(streams ...es) []byte {
		m := newMuxer()
		m.pat(0, 1, 0x1000)
		m.pmt(0x1000, 1, 0, streams...)
		return m.out
	}
	scrambled := newMuxer()
	plain(scrambled, 90000, 700)
	for at := 2 * packetLen; at < len(scrambled.out); at += packetLen {
		scrambled.out[at+3] |= 0xc0
	}
	radio := newMuxer()
	radio.pat(0, 1, 0x1000)
	radio.pmt(0x1000, 1, 0, es{0x03, 0x101, ""})
	layerII := append([]byte{0xff, 0xfd, 0x84, 0x00}, make([]byte, 380)...) // 128 kb/s, 48 kHz
	for i := range int64(4) {
		radio.audio(0x101, i*2160, layerII)
	}
	for name, c := range map[string]struct {
		packets []byte
		err     string
		told    string
	}{
		"nothing":           {nil, ErrNoProgram.Error(), ""},
		"no map":            {func() []byte { m := newMuxer(); m.pat(0, 1, 0x1000); return m.out }(), "the MPEG-TS has neither video nor sound", ""},
		"data alone":        {mapped(es{0x06, 0x101, "\x56\x00"}, es{0x86, 0x102, "\x05\x04CUEI"}), "the MPEG-TS has neither video nor sound", ""},
		"old video":         {mapped(es{0x02, 0x100, ""}, es{0x0f, 0x101, ""}), "the MPEG-TS has MPEG-2 video, which cannot be carried", ""},
		"several":           {mapped(es{0xea, 0x100, ""}, es{0x82, 0x101, ""}), "the MPEG-TS has VC-1 and DTS sound, which cannot be carried", ""},
		"AV1":               {mapped(es{0x06, 0x100, "\x05\x04AV01"}), "the MPEG-TS has AV1 in MPEG-TS, which cannot be carried", ""},
		"no media in it":    {mapped(es{0x1b, 0x100, ""}), ErrNothing.Error(), ""},
		"sound left out":    {mapped(es{0x1b, 0x100, ""}, es{0x80, 0x101, ""}), ErrNothing.Error(), "unheard PCM sound"},
		"scrambled":         {scrambled.out, ErrScrambled.Error(), ""},
		"MP2":               {radio.out, "the MPEG-TS has MP2 sound, which cannot be carried", "unheard MP2 sound"},
		"a map without sum": {func() []byte { b := mapped(es{0x1b, 0x100, ""}); b[packetLen+packetLen-1]++; return b }(), "the MPEG-TS has neither video nor sound", ""},
	} {
		if d := demux(c.packets, 0); d.err == nil || d.err.Error() != c.err || strings.Join(d.told, ", ") != c.told || len(d.tags) > 0 {
			t.Errorf("%s: %v, told %q; want %s", name, d.err, d.told, c.err)
		}
	}
}

// TestHostilePackets has what no sender sends, byte for byte. What comes before and after is taken.
func TestHostilePackets(t *testing.T) {
	pkt := func(head string, fill byte) []byte {
		return append([]byte(head), bytes.Repeat([]byte{fill}, packetLen-len(head))...)
	}
	pes := func(head string) []byte { return pkt("\x47\x41\x00\x1f"+head, 0xff) }
	for name, bad := range map[string][]byte{
		"no sync byte":                    pkt("\x48\x01\x00\x10", 0),
		"an adaptation field to the end":  pkt("\x47\x41\x00\x3f\xb7", 0xff),
		"an adaptation field beyond":      pkt("\x47\x41\x00\x3f\xff", 0xff),
		"a pointer beyond the section":    pkt("\x47\x40\x00\x1f\xff", 0xff),
		"a section of 4096 bytes":         pkt("\x47\x40\x00\x1f\x00\x00\xbf\xff", 0),
		"a section of no bytes":           pkt("\x47\x40\x00\x1f\x00\x00\xb0\x00", 0),
		"a section of zeros":              pkt("\x47\x40\x00\x1f\x00", 0),
		"a map of zeros":                  pkt("\x47\x50\x00\x1f\x00", 0),
		"a unit without its start":        pes("\x00\x00\x02\xe0\x00\x00\x80\x80\x05\x21\x00\x01\x00\x01"),
		"a unit that ends in its head":    pes("\x00\x00\x01\xe0\x00\x03\x80\x80\x05"),
		"a head longer than its unit":     pes("\x00\x00\x01\xe0\x00\x08\x80\x80\xff\x21\x00\x01\x00\x01"),
		"times announced in no room":      pes("\x00\x00\x01\xe0\x00\x00\x80\xc0\x00"),
		"times that are not there":        pes("\x00\x00\x01\xe0\x00\x00\x80\x40\x05\x21\x00\x01\x00\x01"),
		"start codes alone":               pes("\x00\x00\x01\xe0\x00\x00\x80\x80\x05\x21\x00\x05\xbf\x21\x00\x00\x01\x00\x00\x01\x00\x00\x01"),
		"a set of parameters of one byte": pes("\x00\x00\x01\xe0\x00\x10\x80\x80\x05\x21\x00\x05\xbf\x21\x00\x00\x01\x67\x00\x00\x01\x68"),
		"damaged":                         pkt("\x47\xc1\x00\x1f\x00\x00\x01\xe0", 0),
	} {
		m := newMuxer()
		plain(m, 90000, 8)
		m.out = append(m.out, bad...)
		if bad[1]&0x1f == 1 && bad[0] == syncByte {
			m.counters[0x100] = 0 // it had 15
		}
		m.frames(0x100, 0x101, 90000+8*3600, 8)
		d := demux(m.out, 0)
		if pictures, sounds := count(d); pictures < 15 || sounds != 32 || d.err != nil {
			t.Errorf("%s: %d pictures, %d frames of sound, %v", name, pictures, sounds, d.err)
		}
	}
}

// TestHostileOpus has packets of Opus in MPEG-TS that are cut short or say so.
func TestHostileOpus(t *testing.T) {
	for in, want := range map[string]struct {
		packets string
		whole   bool
	}{
		"":                              {"", true},
		"\x7f\xe0\x02ab":                {"ab", true},
		"\x7f\xe0\x01a\x7f\xe0\x01b":    {"a b", true},
		"\x7f\xf8\x01\x00\x01\x00\x02a": {"a", true},
		"\x7f\xe4\x01\x02xxa":           {"a", true},
		"\x7f\xe0\x03ab":                {"", false},
		"\x7f\xe0\x00":                  {"", false},
		"\x7f\xe0\xff":                  {"", false},
		"\x7f\xfc\x01\x00":              {"", false},
		"\x7f\xe4\x01\xff":              {"", false},
		"\x7f":                          {"", false},
		"\x7e\xe0\x01a":                 {"", false},
	} {
		var got []string
		whole := opusPackets([]byte(in), func(b []byte) { got = append(got, string(b)) })
		if strings.Join(got, " ") != want.packets || whole != want.whole {
			t.Errorf("%q: %q, %v", in, got, whole)
		}
	}
}

func TestFramings(t *testing.T) {
	m := newMuxer()
	plain(m, 90000, 20)
	long := func(before, after int) (b []byte) {
		for p := m.out; len(p) > 0; p = p[packetLen:] {
			b = slices.Concat(b, bytes.Repeat([]byte{0x11}, before), p[:packetLen], bytes.Repeat([]byte{0x22}, after))
		}
		return b
	}
	noise := bytes.Repeat([]byte{0x47, 0, 1}, 500)
	for name, c := range map[string]struct {
		b        []byte
		pictures int
	}{
		"188":               {m.out, 20},
		"192":               {long(4, 0), 20},
		"204":               {long(0, 16), 20},
		"from the middle":   {append(bytes.Repeat([]byte{0x10}, 100), m.out...), 20},
		"noise between two": {slices.Concat(m.out[:20*packetLen], noise, m.out[20*packetLen:]), 20},
		"cut in the last":   {m.out[:len(m.out)-100], 19},
	} {
		f, ok := Sniff(c.b[:min(len(c.b), SniffLen)])
		if !ok {
			t.Errorf("%s: not known", name)
			continue
		}
		r := NewReader(bytes.NewReader(c.b), f, 0, nil)
		var tags []flv.Tag
		var err error
		for err == nil {
			var tag flv.Tag
			if tag, err = r.Next(); err == nil {
				tags = append(tags, tag)
			}
		}
		if got := len(ingesttest.Frames(tags, flv.Video)); got != c.pictures || err != io.EOF {
			t.Errorf("%s: %d pictures, %v", name, got, err)
		}
	}
	for _, other := range []string{"", "G", "Good day", "FLV\x01\x05\x00\x00\x00\x09", "GGGGGGGGGGGG" + strings.Repeat("x", 2000), strings.Repeat("\x00", 2000)} {
		if _, ok := Sniff([]byte(other)); ok {
			t.Errorf("%.20q is taken for MPEG-TS", other)
		}
	}
	r := NewReader(bytes.NewReader(append(slices.Clone(m.out), make([]byte, 2<<20)...)), Framing{0, packetLen}, 0, nil)
	var err error
	for err == nil {
		_, err = r.Next()
	}
	if err != ErrLost {
		t.Errorf("behind it there is something else: %v", err)
	}
}

// TestLossOverUDP drops 1 % of datagrams, of seven packets each as everybody sends them. What comes
// out are frames as they were sent, pictures only those that have all that they need.
func TestLossOverUDP(t *testing.T) {
	path := clip(t, "-c:v libx264 -preset ultrafast -g 12 -bf 0 -c:a aac")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sent := read(t, path)
	byTime := make(map[string]int)
	for i, tag := range sent {
		byTime[string(tag)] = i
	}
	const datagram = 7 * packetLen
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var got []byte
		lost := 0
		for p := b; len(p) > 0; p = p[min(datagram, len(p)):] {
			// The tables at the beginning are all that a short file has, and nobody misses its end.
			if rnd.IntN(100) == 0 && len(p) < len(b) && len(p) > 8*datagram {
				lost++
				continue
			}
			got = append(got, p[:min(datagram, len(p))]...)
		}
		d := demux(got, 0)
		if d.err != nil {
			t.Fatalf("seed %d: %v", seed, d.err)
		}
		last, missing := -1, false
		pictures := 0
		for _, tag := range ingesttest.Frames(d.tags, flv.Video) {
			i, ok := byTime[string(tag)]
			if !ok {
				t.Fatalf("seed %d: the picture at %d was not sent like that", seed, tag.Timestamp())
			}
			for _, between := range sent[last+1 : i] {
				missing = missing || len(ingesttest.Frames([]flv.Tag{between}, flv.Video)) > 0
			}
			if c, _ := flv.Decode(tag); c.Key {
				missing = false
			} else if missing {
				t.Fatalf("seed %d: the picture at %d has lost what it needs", seed, tag.Timestamp())
			}
			last = i
			pictures++
		}
		for _, tag := range ingesttest.Frames(d.tags, flv.Audio) {
			c, _ := flv.Decode(tag)
			if !slices.ContainsFunc(ingesttest.Frames(sent, flv.Audio), func(o flv.Tag) bool {
				s, _ := flv.Decode(o)
				late := int32(o.Timestamp() - tag.Timestamp())
				return bytes.Equal(s.Data, c.Data) && late >= -1 && late <= 1
			}) {
				t.Fatalf("seed %d: the sound at %d was not sent like that", seed, tag.Timestamp())
			}
		}
		if pictures < 12 {
			t.Errorf("seed %d: %d pictures of 50 with %d datagrams lost", seed, pictures, lost)
		}
	}
}
