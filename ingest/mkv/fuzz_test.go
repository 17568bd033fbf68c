package mkv

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"relay/ingest/ingesttest"
)

// FuzzReader has no tags that FLV's own reader would not take, and never many more bytes of frames than
// came in.
func FuzzReader(f *testing.F) {
	plain := stamp(0) + simple(1, 0, flagKey, key) + simple(2, 0, laceEBML<<1, "\x01\x84"+opus+opus) + simple(1, 40, 0, inter)
	f.Add([]byte(ebml + el(idSegment, el(idTracks, video, sound), el(idCluster, plain))))
	f.Add([]byte(ebml + endless(idSegment, 8) + el(idInfo, el(idTimestampScale, num(1))) + el(idTracks, sound) + endless(idCluster, 1) + simple(2, 0, laceXiph<<1, "\x01\x04"+opus+opus) + "\x00\x00" + endless(idCluster, 1) + plain))
	for _, codec := range []string{"V_VP9", "V_AV1", "V_MPEGH/ISO/HEVC", "A_AAC", "A_MPEG/L3", "A_AC3", "A_EAC3"} {
		typ := "\x01"
		if codec[0] == 'A' {
			typ = "\x02"
		}
		entry := el(idTrackEntry, el(idTrackNumber, "\x01"), el(idTrackType, typ), el(idCodecID, codec), el(idCodecPrivate, "\x81\x00\x0c\x00\x0a\x0b\x00\x00\x00\x04\x3c\xff\xbc\xfe\xb0\x08\x60"), el(idAudio, el(idSampling, "\x47\x3b\x80\x00")),
			el(idEncodings, el(idEncoding, el(idCompression, el(idCompressionAlgo, "\x03"), el(idCompressionData, "\x0b\x77")))))
		f.Add([]byte(ebml + el(idSegment, el(idTracks, entry), el(idCluster, el(idBlockGroup, el(idBlock, blockOf(1, 0, laceFixed<<1, "\x01abcdefgh")), el(idReference, "\x01"))))))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		// A prefix of up to 1 KiB is put in front of each frame.
		ingesttest.Plausible(t, NewReader(bytes.NewReader(b), nil), 300*(len(b)+10), 1100*(len(b)+64))
	})
}

// TestLargeInputCostsInProportion has streams that are large in one way each: what is allocated may not
// grow faster than they do.
func TestLargeInputCostsInProportion(t *testing.T) {
	front := ebml + endless(idSegment, 8) + el(idTracks, video, sound) + endless(idCluster, 8)
	repeat := func(s string) func(int) string {
		return func(n int) string { return front + strings.Repeat(s, n/len(s)+1) }
	}
	for name, make := range map[string]func(size int) string{
		"empty blocks":        repeat(simple(1, 0, 0)),
		"blocks of nobody":    repeat(simple(9, 0, 0, "abc")),
		"laces of nothing":    repeat(simple(2, 0, laceFixed<<1, "\xff")),
		"laces":               repeat(simple(2, 0, laceFixed<<1, "\x01", opus, opus)),
		"groups":              repeat(el(idBlockGroup, el(idBlock, blockOf(1, 0, 0, key)))),
		"clusters":            repeat(endless(idCluster, 1)),
		"tracks":              repeat(el(idTracks, video, sound)),
		"headers":             repeat(ebml),
		"voids":               repeat(el(idVoid)),
		"garbage":             repeat("\x00"),
		"beginnings of IDs":   repeat("\x1f\x43\xb6"),
		"clusters in garbage": repeat("\x00" + endless(idCluster, 1)),
		"a picture":           func(n int) string { return front + simple(1, 0, 0, key, strings.Repeat("\x00\x00\x00\x01\x41", n/5)) },
		"pictures":            repeat(simple(1, 0, 0, key)),
		"a list of tracks": func(n int) string {
			return ebml + endless(idSegment, 8) + el(idTracks, strings.Repeat(video, n/len(video)))
		},
		"one track's numbers": func(n int) string {
			return ebml + endless(idSegment, 8) + el(idTracks, el(idTrackEntry, strings.Repeat(el(idTrackNumber, "\x01"), n/6)))
		},
	} {
		ingesttest.InProportion(t, name, 32<<10, 16<<20, func(n int) []byte { return []byte(make(n)) }, func(b []byte) { readQuietly(b) })
	}
}

func readQuietly(b []byte) (n int) {
	r := NewReader(bytes.NewReader(b), nil)
	for {
		if _, err := r.Next(); err != nil {
			return n
		}
		n++
	}
}

// BenchmarkRead has 6 Mb/s of H.264 and Opus. core-% is how much of a core that takes.
func BenchmarkRead(b *testing.B) {
	const rate, seconds, pictures = 6_000_000 / 8, 4, 25
	noise := rand.New(rand.NewPCG(1, 1))
	body := make([]byte, rate/pictures)
	for i := range body {
		body[i] = byte(noise.Uint32())
	}
	var s strings.Builder
	s.WriteString(ebml + endless(idSegment, 8) + el(idTracks, video, sound))
	for i := range seconds * pictures {
		if i%pictures == 0 {
			s.WriteString(endless(idCluster, 8) + stamp(uint64(i*40)))
		}
		nal := []byte{0, 0, byte((len(body) + 1) >> 8), byte(len(body) + 1), 0x41}
		if i%50 == 0 {
			nal[4] = 0x65
		}
		at := int16(i % pictures * 40)
		s.WriteString(simple(1, at, 0, string(nal), string(body)) + simple(2, at, 0, opus) + simple(2, at+20, 0, opus))
	}
	all := []byte(s.String())
	b.SetBytes(int64(len(all)))
	b.ReportAllocs()
	for b.Loop() {
		if n := readQuietly(all); n < seconds*pictures*3 {
			b.Fatal(n)
		}
	}
	b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N)/seconds, "core-%")
}
