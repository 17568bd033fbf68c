package mp4

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"relay/ingest/ingesttest"
)

// fragmented is a movie of two tracks and a fragment, as ISO/IEC 14496-12 and 23000-19 have them.
func fragmented() string {
	made := func(pos uint32) string {
		return bx("moof", bx("mfhd", u32(0, 1)),
			bx("traf", tfhd(baseIsMoof, 1), bx("tfdt", u32(0, 0)), trun(1<<24|runOffset|eachDuration|eachSize|eachFlags|eachLater, 3, pos, 40, 7, 0x2000000, 40, 40, 7, notSync, 80, 40, 7, notSync, 0)),
			bx("traf", tfhd(baseIsMoof|hasDuration|hasSize, 2, 20, 4), trun(runOffset|runFirstFlags, 3, pos+21, 0)))
	}
	return ftyp + moov(video().String(), sound().String(), bx("mvex", bx("trex", u32(0, 1, 1, 40, 7, 0)), bx("trex", u32(0, 2, 1, 20, 4, 0)))) +
		made(uint32(len(made(0)))+8) + bx("mdat", data)
}

// FuzzReader has no tags that FLV's own reader would not take, and no more bytes of frames than came in for
// each track, read as a file and as a stream.
func FuzzReader(f *testing.F) {
	f.Add([]byte(ftyp + bx("mdat", data) + plain(24)))
	f.Add([]byte(ftyp + plain(uint32(len(ftyp+plain(0)))+8) + bx("mdat", data)))
	f.Add([]byte(fragmented()))
	v, s := video(stts(3, 40), ctts(1, 40, 1, 80, 1, 0), stsc(1, 3, 1), bx("stz2", u32(0, 4, 3), "\x77\x70"), bx("co64", u32(0, 1), u64(24))), sound(stts(3, 20), stsc(1, 3, 1), bx("stsz", u32(0, 4, 3)), stco(45))
	v.edits, s.edits, v.wide = u32(1<<24, 2)+u64(30)+u64(1<<64-1)+u32(0x10000)+u64(0)+u64(0)+u32(0x10000), u32(0, 1, 60, 20, 0x10000), true
	f.Add([]byte(ftyp + bx("mdat", data) + moov(v.String(), s.String())))
	for _, e := range []string{
		bx("mp4a", strings.Repeat("\x00", 8)+"\x00\x01"+strings.Repeat("\x00", 6)+"\x00\x02"+strings.Repeat("\x00", 26), bx("wave", bx("frma", "mp4a"), bx("esds", "\x00\x00\x00\x00\x03\x19\x00\x01\x00\x04\x11\x40\x15"+strings.Repeat("\x00", 11)+"\x05\x02\x11\x90\x06\x01\x02"))),
		bx("ac-3", strings.Repeat("\x00", soundHead)), bx("ec-3", strings.Repeat("\x00", soundHead)), bx(".mp3", strings.Repeat("\x00", soundHead)),
	} {
		s := sound(stts(3, 20), stsc(1, 3, 1), stsz(4, 4, 4), stco(45))
		s.entries = []string{e}
		f.Add([]byte(ftyp + bx("mdat", data) + moov(s.String())))
	}
	for _, e := range []string{bx("hvc1", strings.Repeat("\x00", videoHead), bx("hvcC", "\x01"+strings.Repeat("\x00", 22))), bx("av01", strings.Repeat("\x00", videoHead), bx("av1C", "\x81\x00\x0c\x00\x0a\x0b\x00\x00\x00\x04\x3c\xff\xbc\xfe\xb0\x08\x60")), bx("vp09", strings.Repeat("\x00", videoHead))} {
		v := video(stts(3, 40), stsc(1, 3, 1), stsz(7, 7, 7), stco(24))
		v.entries = []string{e}
		f.Add([]byte(ftyp + bx("mdat", data) + moov(v.String())))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, r := range []*Reader{NewFile(bytes.NewReader(b), int64(len(b)), nil), NewStream(bytes.NewReader(b), nil)} {
			// Lengths of one byte become four, and AV1's configuration is put in front.
			ingesttest.Plausible(t, r, 10*(len(b)+10), 20*(len(b)+64))
		}
	})
}

// TestLargeInputCostsInProportion has files that are large in one way each: what is allocated may not grow
// faster than they do, and less where it is only said.
func TestLargeInputCostsInProportion(t *testing.T) {
	of := func(v trackBox) string { return ftyp + bx("mdat", data) + moov(v.String()) }
	entries := func(n int, e ...uint32) []uint32 {
		var all []uint32
		for ; n > 0; n -= 4 * len(e) {
			all = append(all, e...)
		}
		return all
	}
	const big = 0xffffffff
	for name, make := range map[string]func(size int) string{
		"4294967295 samples": func(int) string {
			return of(video(stts(big, 40), stsc(1, big, 1), bx("stsz", u32(0, 7, big)), stco(24)))
		},
		"tables longer than they are": func(int) string {
			return of(video(bx("stts", u32(0, big, 3, 40)), bx("stsc", u32(0, big, 1, 3, 1)), bx("stsz", u32(0, 0, big, 7, 7, 7)), bx("stco", u32(0, big, 24)), bx("ctts", u32(0, big)), bx("stss", u32(0, big, 1))))
		},
		"durations of no sample": func(n int) string {
			return of(video(stts(entries(n, 0, 40)...), stsc(1, 3, 1), stsz(7, 7, 7), stco(24)))
		},
		"chunks of no sample": func(n int) string {
			return of(video(stts(3, 40), stsc(1, 0, 1), stsz(7, 7, 7), stco(entries(n, 24)...)))
		},
		"samples of nothing": func(n int) string { return of(video(stts(big, 0), stsc(1, big, 1), stsz(entries(n, 0)...), stco(24))) },
		"offsets of no sample": func(n int) string {
			return of(video(stts(3, 40), ctts(entries(n, 0, 40)...), stsc(1, 3, 1), stsz(7, 7, 7), stco(24)))
		},
		"small samples": func(n int) string { return of(video(stts(big, 40), stsc(1, big, 1), stsz(entries(n, 7)...), stco(24))) },
		"edits": func(n int) string {
			v := video(stts(3, 40), stsc(1, 3, 1), stsz(7, 7, 7), stco(24))
			v.edits = u32(0, uint32(min(n, 60<<10)/12)) + u32(entries(min(n, 60<<10), 1, 0, 0x10000)...)
			return of(v)
		},
		"tracks":       func(n int) string { return ftyp + moov(strings.Repeat(video().String(), n/300)) },
		"descriptions": func(n int) string { v := video(); v.entries = []string{strings.Repeat(avc1(), n/200)}; return of(v) },
		"boxes": func(n int) string {
			return ftyp + strings.Repeat(bx("free"), n/8) + moov(strings.Repeat(bx("free"), n/8))
		},
		"boxes in boxes": func(n int) string {
			b := ""
			for range min(n/8, 20000) {
				b = bx("minf", b)
			}
			return ftyp + moov(bx("trak", b))
		},
		"fragments": func(n int) string {
			f := fragmented()
			at := strings.Index(f, "moof") - 4
			return f[:at] + strings.Repeat(f[at:], n/len(f[at:]))
		},
		"fragments of none": func(n int) string {
			return fragmented() + strings.Repeat(bx("moof", bx("traf", tfhd(0, 1), trun(0, 0))), n/50)
		},
		"a long run": func(n int) string {
			return fragmented() + bx("moof", bx("traf", tfhd(baseIsMoof, 1), trun(eachSize, uint32(n/4), entries(n, 0)...)))
		},
		"a run of 4294967295": func(int) string {
			return fragmented() + bx("moof", bx("traf", tfhd(baseIsMoof|hasSize, 1, 1), trun(0, big)))
		},
		"such runs": func(n int) string {
			return fragmented() + strings.Repeat(bx("moof", bx("traf", tfhd(baseIsMoof|hasSize, 1, 1), trun(0, big))), n/80)
		},
	} {
		ingesttest.InProportion(t, name, 32<<10, 32<<20, func(n int) []byte { return []byte(make(n)) }, func(b []byte) {
			readQuietly(NewFile(bytes.NewReader(b), int64(len(b)), nil))
			readQuietly(NewStream(bytes.NewReader(b), nil))
		})
	}
}

func readQuietly(r *Reader) (n int) {
	for {
		if _, err := r.Next(); err != nil {
			return n
		}
		n++
	}
}

// BenchmarkRead has 6 Mb/s of H.264 and Opus in a file with tables, and in fragments of a second as a stream.
// core-% is how much of a core that takes.
func BenchmarkRead(b *testing.B) {
	const rate, seconds, pictures = 6_000_000 / 8, 4, 25
	noise := rand.New(rand.NewPCG(1, 1))
	body := make([]byte, rate/pictures)
	for i := range body {
		body[i] = byte(noise.Uint32())
	}
	picture := string([]byte{0, 0, byte((len(body) + 1) >> 8), byte(len(body) + 1), 0x65}) + string(body)
	second := strings.Repeat(picture, pictures) + strings.Repeat(opus, 2*pictures)
	size := uint32(len(picture))
	sounds := uint32(pictures * len(picture))
	var at, later []uint32
	for i := range uint32(seconds) {
		at, later = append(at, 24+i*uint32(len(second))), append(later, 24+i*uint32(len(second))+sounds)
	}
	plain := ftyp + bx("mdat", strings.Repeat(second, seconds)) + moov(
		video(stts(seconds*pictures, 40), stsc(1, pictures, 1), bx("stsz", u32(0, size, seconds*pictures)), stco(at...)).String(),
		sound(stts(2*seconds*pictures, 20), stsc(1, 2*pictures, 1), bx("stsz", u32(0, 4, 2*seconds*pictures)), stco(later...)).String())
	fragment := func(pos uint32) string {
		return bx("moof", bx("traf", tfhd(baseIsMoof|hasSize, 1, size), trun(runOffset, pictures, pos)), bx("traf", tfhd(baseIsMoof, 2), trun(runOffset, 2*pictures, pos+sounds)))
	}
	fragment1 := fragment(uint32(len(fragment(0)))+8) + bx("mdat", second)
	live := ftyp + moov(video().String(), sound().String(), bx("mvex", bx("trex", u32(0, 1, 1, 40, 7, 0)), bx("trex", u32(0, 2, 1, 20, 4, 0)))) + strings.Repeat(fragment1, seconds)
	for name, open := range map[string]func() *Reader{
		"file":   func() *Reader { return NewFile(strings.NewReader(plain), int64(len(plain)), nil) },
		"stream": func() *Reader { return NewStream(strings.NewReader(live), nil) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(seconds * len(second)))
			b.ReportAllocs()
			for b.Loop() {
				if n := readQuietly(open()); n < seconds*pictures*3 {
					b.Fatal(n)
				}
			}
			b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N)/seconds, "core-%")
		})
	}
}
