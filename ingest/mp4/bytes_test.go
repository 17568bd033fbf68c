package mp4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"relay/ingest/convert"
	"relay/ingest/ingesttest"
)

func bx(typ string, body ...string) string {
	all := strings.Join(body, "")
	return u32(uint32(len(all)+boxHead)) + typ + all
}

func u32(n ...uint32) string {
	var b []byte
	for _, v := range n {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return string(b)
}

func u64(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

const (
	sps   = "\x67\x42\xc0\x28\xd9\x00\x78\x02\x27\xe5\x84\x00\x00\x03\x00\x04\x00\x00\x03\x00\xf0\x3c\x60\xc9\x20"
	pps   = "\x68\xcb\x8c\xb2"
	key   = "\x00\x00\x00\x03\x65\x88\x84"
	inter = "\x00\x00\x00\x03\x41\x9a\x02"
	opus  = "\xfcabc" // 20 ms
)

func avcC() string {
	return bx("avcC", "\x01\x42\xc0\x28\xff\xe1"+string([]byte{0, byte(len(sps))})+sps+"\x01"+string([]byte{0, byte(len(pps))})+pps)
}

func avc1() string { return bx("avc1", strings.Repeat("\x00", videoHead), avcC()) }
func opusEntry() string {
	return bx("Opus", strings.Repeat("\x00", 16)+"\x00\x02"+strings.Repeat("\x00", 10), bx("dOps", "\x00\x02"+strings.Repeat("\x00", 9)))
}

// trackBox is a track whose clock has 1000 units in a second.
type trackBox struct {
	id      uint32
	handler string
	flags   uint32
	matrix  string
	edits   string // of a box elst
	entries []string
	tables  []string
	wide    bool // 64-bit times
}

const upright = "\x00\x01\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x01\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00"

func (t trackBox) String() string {
	matrix := t.matrix
	if matrix == "" {
		matrix = upright
	}
	tkhd := bx("tkhd", u32(t.flags, 0, 0, t.id, 0, 0), strings.Repeat("\x00", 16), matrix, u32(0, 0))
	mdhd := bx("mdhd", u32(0, 0, 0, 1000, 0, 0))
	if t.wide {
		tkhd = bx("tkhd", u32(1<<24|t.flags), u64(0), u64(0), u32(t.id, 0), u64(0), strings.Repeat("\x00", 16), matrix, u32(0, 0))
		mdhd = bx("mdhd", u32(1<<24), u64(0), u64(0), u32(1000), u64(0), u32(0))
	}
	edts := ""
	if t.edits != "" {
		edts = bx("edts", bx("elst", t.edits))
	}
	return bx("trak", tkhd, edts, bx("mdia", mdhd, bx("hdlr", u32(0, 0)+t.handler), bx("minf", bx("hdlr", u32(0, 0)+"url "), bx("stbl",
		bx("stsd", u32(0, uint32(len(t.entries))), strings.Join(t.entries, "")), strings.Join(t.tables, "")))))
}

func video(tables ...string) trackBox {
	return trackBox{id: 1, handler: "vide", flags: 3, entries: []string{avc1()}, tables: tables}
}

func sound(tables ...string) trackBox {
	return trackBox{id: 2, handler: "soun", flags: 3, entries: []string{opusEntry()}, tables: tables}
}

func moov(all ...string) string {
	return bx("moov", bx("mvhd", u32(0, 0, 0, 1000, 0)), strings.Join(all, ""))
}

// Tables of three samples.
func stts(n ...uint32) string { return bx("stts", u32(0, uint32(len(n)/2)), u32(n...)) }
func ctts(n ...uint32) string { return bx("ctts", u32(0, uint32(len(n)/2)), u32(n...)) }
func stsc(n ...uint32) string { return bx("stsc", u32(0, uint32(len(n)/3)), u32(n...)) }
func stsz(n ...uint32) string { return bx("stsz", u32(0, 0, uint32(len(n))), u32(n...)) }
func stco(n ...uint32) string { return bx("stco", u32(0, uint32(len(n))), u32(n...)) }
func stss(n ...uint32) string { return bx("stss", u32(0, uint32(len(n))), u32(n...)) }

func told(r *Reader) string { return ingesttest.Told(r, originMillis) }

func file(b string) *Reader     { return NewFile(strings.NewReader(b), int64(len(b)), nil) }
func streamed(b string) *Reader { return NewStream(iotest.HalfReader(strings.NewReader(b)), nil) }

const (
	ftyp = "\x00\x00\x00\x10ftypisom\x00\x00\x00\x00"
	data = key + inter + inter + opus + opus + opus
)

// plain is a file whose samples lie at a place.
func plain(at uint32, more ...string) string {
	return moov(
		video(stts(3, 40), stsc(1, 3, 1), stsz(7, 7, 7), stco(at), stss(1)).String(),
		sound(stts(3, 20), stsc(1, 2, 1, 2, 1, 1), stsz(4, 4, 4), stco(at+21, at+29)).String(), strings.Join(more, ""))
}

const all = "k0 s0 s20 i40 s40 i80"

func TestHowFilesAreWritten(t *testing.T) {
	edited := func(v, s string) string {
		a, b := video(stts(3, 40), stsc(1, 3, 1), stsz(7, 7, 7), stco(24), stss(1)), sound(stts(3, 20), stsc(1, 3, 1), stsz(4, 4, 4), stco(45))
		a.edits, b.edits = v, s
		return ftyp + bx("mdat", data) + moov(a.String(), b.String())
	}
	of := func(v, s trackBox) string { return ftyp + bx("mdat", data) + moov(v.String(), s.String()) }
	v, s := video(stts(3, 40), stsc(1, 3, 1), stsz(7, 7, 7), stco(24), stss(1)), sound(stts(3, 20), stsc(1, 3, 1), stsz(4, 4, 4), stco(45))
	encrypted, cover, off, times := v, v, v, v
	encrypted.entries = []string{bx("encv", strings.Repeat("\x00", videoHead), avcC(), bx("sinf"))}
	cover.entries = []string{bx("jpeg", strings.Repeat("\x00", videoHead))}
	off.flags, off.id, off.entries = 2, 7, []string{bx("vp09", strings.Repeat("\x00", videoHead))}
	times.wide = true
	vp8, flac, two := v, s, v
	vp8.entries = []string{bx("vp08", strings.Repeat("\x00", videoHead))}
	flac.entries = []string{bx("fLaC", strings.Repeat("\x00", soundHead))}
	two.entries, two.tables = []string{avc1(), avc1()}, []string{stts(3, 40), stsc(1, 1, 1, 2, 2, 2), stsz(7, 7, 7), stco(24, 31), stss(1)}
	with := func(tables ...string) trackBox { v := v; v.tables = tables; return v }
	for _, c := range []struct{ name, is, want string }{
		{"tables last", ftyp + bx("mdat", data) + plain(24), all},
		{"tables first", ftyp + plain(uint32(len(ftyp+plain(0)))+8) + bx("mdat", data), all},
		{"data without an end", ftyp + plain(uint32(len(ftyp+plain(0)))+8) + "\x00\x00\x00\x00mdat" + data, all},
		{"data with 64 bits of size", ftyp + "\x00\x00\x00\x01mdat" + u64(uint64(16+len(data))) + data + plain(32), all},
		{"QuickTime without a type", bx("wide") + bx("mdat", data) + plain(16), all},
		{"fragments that a table has taken over, as OBS has them", ftyp + bx("mdat", moov(v.String(), bx("mvex")), bx("moof", bx("mfhd", u32(0, 1))), data) + plain(uint32(24+len(moov(v.String(), bx("mvex")))+len(bx("moof", bx("mfhd", u32(0, 1)))))), all},
		{"places of 64 bits", of(with(stts(3, 40), stsc(1, 3, 1), stsz(7, 7, 7), bx("co64", u32(0, 1), u64(24))), s), all},
		{"sizes of 16 bits", of(with(stts(3, 40), stsc(1, 3, 1), bx("stz2", u32(0, 16, 3), "\x00\x07\x00\x07\x00\x07"), stco(24), stss(1)), s), all},
		{"sizes of 8 bits", of(with(stts(3, 40), stsc(1, 3, 1), bx("stz2", u32(0, 8, 3), "\x07\x07\x07"), stco(24), stss(1)), s), all},
		{"sizes of 4 bits", of(with(stts(3, 40), stsc(1, 3, 1), bx("stz2", u32(0, 4, 3), "\x77\x70"), stco(24), stss(1)), s), all},
		{"one size", of(with(stts(3, 40), stsc(1, 3, 1), bx("stsz", u32(0, 7, 3)), stco(24)), s), all},
		{"a chunk each", of(with(stts(1, 40, 2, 40), stsc(1, 1, 1), stsz(7, 7, 7), stco(24, 31, 38)), s), all},
		{"durations that end early", of(with(stts(1, 40), stsc(1, 3, 1), stsz(7, 7, 7), stco(24)), s), all},
		{"shown later", of(with(stts(3, 40), ctts(1, 40, 1, 80, 1, 0), stsc(1, 3, 1), stsz(7, 7, 7), stco(24)), s), "k40 s0 s20 i120 s40 i80"},
		{"shown earlier than decoded", of(with(stts(3, 40), ctts(1, 0, 1, 40, 1, 0xffffffd8), stsc(1, 3, 1), stsz(7, 7, 7), stco(24)), s), "k0 i80 s0 s20 i40 s40"},
		{"64 bits of time", of(times, s), all},
		{"two descriptions", of(two, s), all},
		{"nothing but a long edit", edited(u32(0, 1, 120, 0, 0x10000), u32(0, 1, 60, 0, 0x10000)), all},
		{"sound later", edited("", u32(0, 2, 30, 0xffffffff, 0x10000, 60, 0, 0x10000)), "k0 s30 i40 s50 s70 i80"},
		{"pictures later, in 64 bits", edited(u32(1<<24, 2)+u64(30)+u64(1<<64-1)+u32(0x10000)+u64(0)+u64(0)+u32(0x10000), ""), "s0 s20 k30 s40 i70 i110"},
		{"sound of before", edited("", u32(0, 1, 60, 20, 0x10000)), "s-20 k0 s0 s20 i40 i80"},
		{"pictures of before", edited(u32(0, 1, 120, 40, 0x10000), ""), "k-40 i0 s0 s20 i40 s40"},
		{"cut off at its end", edited(u32(0, 1, 70, 0, 0x10000), u32(0, 1, 30, 0, 0x10000)), "k0 s0 s20 i40"},
		{"a cover, and a track that is off", ftyp + bx("mdat", data) + moov(cover.String(), off.String(), v.String(), s.String(), trackBox{id: 3, handler: "tmcd", entries: []string{bx("tmcd")}}.String()), all},
		{"a cover beside sound", of(cover, s), "s0 s20 s40"},
		{"encrypted", of(encrypted, s), ErrEncrypted.Error()},
		{"pictures that are not carried", of(vp8, flac), "the MP4 has VP8 and FLAC, which cannot be carried"},
		{"neither", ftyp + moov(), "the MP4 has neither video nor sound"},
		{"no table", ftyp + bx("free") + "\x00\x00\x00\x00mdat" + data, ErrUnfinished.Error()},
		{"a piece", bx("styp", "isom") + bx("moof", bx("mfhd", u32(0, 1))) + bx("mdat", data), ErrPiece.Error()},
		{"cut off", (ftyp + plain(uint32(len(ftyp+plain(0)))+8) + bx("mdat", data))[:len(ftyp+plain(0))+8+16], "k0 unexpected EOF"},
		{"no samples", ftyp + moov(video().String(), sound().String()), ErrNothing.Error()},
	} {
		if got := told(file(c.is)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A small file may not have long work done by naming the same samples again and again.
func TestSamplesLieInOnePlace(t *testing.T) {
	places := make([]uint32, 9000)
	for i := range places {
		places[i] = 24
	}
	got := told(file(ftyp + bx("mdat", data) + moov(video(stts(9000, 40), stsc(1, 1, 1), bx("stsz", u32(0, 7, 9000)), stco(places...)).String())))
	if n := strings.Count(got, "k"); n < 3 || n > 6000 || !strings.HasSuffix(got, ErrFormat.Error()) {
		t.Errorf("%d pictures, %s", n, got[len(got)-50:])
	}
}

// Parts of fragments.
func tfhd(flags, id uint32, more ...uint32) string { return bx("tfhd", u32(flags, id), u32(more...)) }

func trun(flags, n uint32, more ...uint32) string { return bx("trun", u32(flags, n), u32(more...)) }

func TestHowFragmentsAreWritten(t *testing.T) {
	trex := func(id, duration, size uint32) string { return bx("trex", u32(0, id, 1, duration, size, 0)) }
	begin := ftyp + moov(video().String(), sound().String(), bx("mvex", trex(1, 40, 7), trex(2, 20, 4)))
	at := uint32(len(begin))
	// pos is where the data of a fragment begin, from the fragment's own beginning.
	frag := func(trafs ...func(pos uint32) string) string {
		made := func(pos uint32) string {
			b := bx("mfhd", u32(0, 1))
			for _, f := range trafs {
				b += bx("traf", f(pos))
			}
			return bx("moof", b)
		}
		return made(uint32(len(made(0)))+8) + bx("mdat", data)
	}
	const sync, rest = 0x2000000, 0x1010000
	for _, c := range []struct{ name, is, want string }{
		{"from the fragment", frag(
			func(p uint32) string {
				return tfhd(baseIsMoof, 1) + bx("tfdt", u32(0, 0)) + trun(runOffset|runFirstFlags, 3, p, sync)
			},
			func(p uint32) string {
				return tfhd(baseIsMoof, 2) + bx("tfdt", u32(1<<24)+u64(0)) + trun(runOffset, 3, p+21)
			}), all},
		{"from a place in the file", frag(
			func(p uint32) string { return tfhd(baseOffset, 1, 0, at) + trun(runOffset, 3, p) },
			func(p uint32) string { return tfhd(baseOffset, 2, 0, at+p) + trun(runOffset, 3, 21) }), all},
		{"one track behind the other, without a word", frag(
			func(p uint32) string { return tfhd(0, 1) + trun(runOffset, 3, p) },
			func(p uint32) string { return tfhd(0, 2) + trun(0, 3) }), all},
		{"several runs", frag(
			func(p uint32) string { return tfhd(baseIsMoof, 1) + trun(runOffset, 1, p) + trun(0, 2) },
			func(p uint32) string {
				return tfhd(baseIsMoof, 2) + trun(runOffset, 1, p+29) + trun(runOffset, 2, p+21)
			}), "k0 s0 s20 i40 s40 i80"},
		{"all said of each", frag(
			func(p uint32) string {
				return tfhd(baseIsMoof, 1) + trun(1<<24|runOffset|eachDuration|eachSize|eachFlags|eachLater, 3, p, 40, 7, sync, 40, 40, 7, rest, 80, 40, 7, rest, 0)
			},
			func(p uint32) string {
				return tfhd(baseIsMoof|hasDuration|hasSize, 2, 20, 4) + trun(runOffset, 3, p+21)
			}), "k40 s0 s20 i120 s40 i80"},
		{"shown earlier than decoded", frag(
			func(p uint32) string {
				return tfhd(baseIsMoof, 1) + trun(1<<24|runOffset|eachLater, 3, p, 0, 40, 0xffffffd8)
			},
			func(p uint32) string { return tfhd(baseIsMoof, 2) + trun(runOffset, 3, p+21) }), "k0 i80 s0 s20 i40 s40"},
		{"two, and no times", frag(func(p uint32) string { return tfhd(baseIsMoof, 1) + trun(runOffset, 3, p) }, func(p uint32) string { return tfhd(baseIsMoof, 2) + trun(runOffset, 3, p+21) }) +
			bx("emsg", "x") + bx("styp", "x") + bx("sidx", "x") + frag(func(p uint32) string { return tfhd(baseIsMoof, 2) + trun(runOffset, 1, p+21) }), "k0 s0 s20 i40 s40 s60 i80"},
		{"pictures and sound in fragments of their own", frag(func(p uint32) string { return tfhd(baseIsMoof, 1) + trun(runOffset, 3, p) }) +
			frag(func(p uint32) string { return tfhd(baseIsMoof, 2) + trun(runOffset, 3, p+21) }), all},
		{"a track of nobody", frag(func(p uint32) string { return tfhd(hasSize, 9, 5) + trun(runOffset, 1, p-5) },
			func(p uint32) string { return tfhd(0, 1) + trun(0, 3) }, func(p uint32) string { return tfhd(0, 2) + trun(0, 3) }), all},
		{"samples of nothing, 4294967295 times", frag(func(p uint32) string { return tfhd(baseIsMoof|hasSize, 1, 0) + trun(runOffset, 0xffffffff, p) }, func(p uint32) string { return tfhd(baseIsMoof, 2) + trun(runOffset, 3, p+21) }), "s0 s20 s40"},
	} {
		if got := told(file(begin + c.is)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if got := told(streamed(begin + c.is)); got != c.want && c.name != "several runs" { // which needs to go back
			t.Errorf("%s, as a stream: %s, want %s", c.name, got, c.want)
		}
	}
	// More samples than there are, and cut off.
	long := frag(func(p uint32) string { return tfhd(baseIsMoof, 1) + trun(runOffset, 0xffffffff, p) })
	if got := told(file(begin + long)); got != "k0 i40 i80 unexpected EOF" && got != "k0 i40 i80 "+ErrFormat.Error() {
		t.Error(got)
	}
	if got := told(streamed(begin + long)); got != "k0 i40 i80" {
		t.Error(got)
	}
	if got := told(streamed((begin + long)[:len(begin+long)-20])); !strings.HasPrefix(got, "k0") || !strings.HasSuffix(got, io.ErrUnexpectedEOF.Error()) {
		t.Error(got)
	}
}

func TestWhatCannotBeReadAsAStream(t *testing.T) {
	for _, c := range []struct{ name, is, want string }{
		{"tables last", ftyp + bx("mdat", data) + plain(24), ErrTableLast.Error()},
		{"tables first", ftyp + plain(uint32(len(ftyp+plain(0)))+8) + bx("mdat", data), all},
		{"data without an end", ftyp + plain(uint32(len(ftyp+plain(0)))+8) + "\x00\x00\x00\x00mdat" + data, all},
		{"a piece", bx("styp", "isom") + bx("moof", bx("mfhd", u32(0, 1))), ErrPiece.Error()},
		{"a type alone", ftyp, ErrUnfinished.Error()},
		{"no box", ftyp + "\x00\x00\x00\x03moov", ErrFormat.Error()},
		{"no letters", ftyp + "\x00\x00\x00\x08\x00\x01\x02\x03", ErrFormat.Error()},
	} {
		if got := told(streamed(c.is)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestWhatIsTold(t *testing.T) {
	var heard []string
	hears := func(what convert.Trouble, which string) { heard = append(heard, string(what)+" "+which) }
	v, s := video(stts(3, 40), stsc(1, 3, 1), stsz(7, 7, 7), stco(24), stss(1)), sound()
	v.matrix = "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00"
	v.edits = u32(0, 2, 40, 0, 0x10000, 40, 80, 0x10000)
	s.entries = []string{bx("sowt", strings.Repeat("\x00", soundHead))}
	b := ftyp + bx("mdat", data) + moov(v.String(), s.String())
	r := NewFile(strings.NewReader(b), int64(len(b)), hears)
	if got := told(r); got != "k0 i40 i80" {
		t.Error(got)
	}
	if want := []string{"unheard PCM sound", "turned ", "cut "}; !slices.Equal(heard, want) {
		t.Errorf("%q, want %q", heard, want)
	}
	for _, wide := range []bool{false, true} {
		heard = nil
		up := video(stts(3, 40), stsc(1, 3, 1), stsz(7, 7, 7), stco(24), stss(1))
		up.wide = wide
		b := ftyp + bx("mdat", data) + moov(up.String())
		if told(NewFile(strings.NewReader(b), int64(len(b)), hears)); len(heard) > 0 {
			t.Errorf("heard %q of pictures that are upright", heard)
		}
		up.matrix = v.matrix
		b = ftyp + bx("mdat", data) + moov(up.String())
		if told(NewFile(strings.NewReader(b), int64(len(b)), hears)); !slices.Equal(heard, []string{"turned "}) {
			t.Errorf("heard %q of pictures that are not", heard)
		}
	}
	b = ftyp + moov(s.String())
	if _, err := NewFile(strings.NewReader(b), int64(len(b)), nil).Next(); !errors.Is(err, convert.ErrNotCarried) {
		t.Error(err)
	}
}

// What is trimmed in front goes out from the key frame before, and nothing of what was left out before that.
func TestWhatIsTrimmedDoesNotGoOut(t *testing.T) {
	var d strings.Builder
	var sizes []uint32
	for i := range 100 {
		if i%10 == 0 {
			d.WriteString(key)
		} else {
			d.WriteString(inter)
		}
		sizes = append(sizes, 7)
	}
	v := video(stts(100, 40), stsc(1, 100, 1), stsz(sizes...), stco(24), stss(1, 11, 21, 31, 41, 51, 61, 71, 81, 91))
	v.edits = u32(0, 1, 1000, 2100, 0x10000) // from the 52nd on, for 25
	s := sound(stts(400, 20), stsc(1, 400, 1), bx("stsz", u32(0, 4, 400)), stco(24+700))
	s.edits = u32(0, 1, 1000, 2100, 0x10000)
	b := ftyp + bx("mdat", d.String()+strings.Repeat(opus, 400)) + moov(v.String(), s.String())
	said := strings.Fields(told(file(b)))
	first, last, sounds := "", "", 0
	for _, w := range said {
		if w[0] == 's' {
			sounds++
			continue
		}
		if first == "" {
			first = w
		}
		last = w
	}
	if first != "k-100" || last != "i980" || sounds < 50 || sounds > 56 {
		t.Errorf("%s to %s, %d sounds", first, last, sounds)
	}
}

func TestOneTrackDoesNotWaitForAnotherForEver(t *testing.T) {
	begin := ftyp + moov(video().String(), sound().String(), bx("mvex", bx("trex", u32(0, 1, 1, 40, 7, 0)), bx("trex", u32(0, 2, 1, 20, 4, 0))))
	one := func() string {
		made := func(pos uint32) string { return bx("moof", bx("traf", tfhd(baseIsMoof, 1), trun(runOffset, 1, pos))) }
		return made(uint32(len(made(0)))+8) + bx("mdat", key)
	}()
	in, out := io.Pipe()
	defer in.Close()
	go func() { // ends with the pipe
		io.WriteString(out, begin)
		for range 300 { // 12 s
			io.WriteString(out, one)
		}
		// and no end
	}()
	r := NewStream(in, nil)
	for n := 0; n < 20; n++ {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSniff(t *testing.T) {
	for b, want := range map[string]bool{ftyp: true, bx("wide"): true, "\x00\x00\x00\x00mdat": true, "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x20": true, "\x00\x00\x00\x03ftyp": false, "FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00": false, "": false, "\x00\x00\x00\x10abcd": false} {
		if Sniff([]byte(b)) != want {
			t.Errorf("%q", b)
		}
	}
	if !bytes.Equal([]byte(ftyp), []byte(bx("ftyp", "isom\x00\x00\x00\x00"))) {
		t.Error("the first box")
	}
}
