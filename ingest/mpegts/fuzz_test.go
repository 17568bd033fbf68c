package mpegts

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"relay/ingest/flv"
	"relay/ingest/ingesttest"
)

// FuzzReader has no tags that FLV's own reader would not take, and never more bytes of frames than
// came in, with what is put in front of each.
func FuzzReader(f *testing.F) {
	m := newMuxer()
	plain(m, 90000, 3)
	f.Add(m.out, uint8(0))
	f.Add(m.out[:len(m.out)-50], uint8(1))
	m.pmt(0x1000, 1, 1, es{0x24, 0x100, ""}, es{0x11, 0x101, ""})
	m.frames(0x100, 0x101, 1<<33-3600, 2)
	f.Add(m.out, uint8(2))
	for _, s := range []es{{0x06, 0x101, "\x05\x04Opus\x7f\x02\x80\x02"}, {0x81, 0x101, ""}, {0x87, 0x101, ""}, {0x03, 0x101, ""}} {
		m := newMuxer()
		m.pat(0, 1, 0x1000)
		m.pmt(0x1000, 1, 0, s)
		for i, data := range []string{"\x7f\xe0\x03\xfc\xff\xfe", "\x0b\x77\x00\x00\x00\x40\x43\x00", "\x0b\x77\x00\x07\x3f\x80\x00\x00", "\xff\xfb\x14\x64"} {
			m.audio(0x101, int64(i)*2880, append([]byte(data), make([]byte, 200)...))
		}
		f.Add(m.out, uint8(0))
	}
	f.Fuzz(func(t *testing.T, b []byte, framing uint8) {
		fr := []Framing{{0, packetLen}, {stampLen, stampLen + packetLen}, {0, longPacket}}[framing%3]
		if found, ok := Sniff(b[:min(len(b), SniffLen)]); ok {
			fr = found
		}
		r := NewReader(bytes.NewReader(b), fr, 0, nil)
		// A start code of three bytes becomes a length of four.
		ingesttest.Plausible(t, r, len(b)+100, 3*len(b)+64)
	})
}

// TestLargeInputCostsInProportion has streams that are large in one way each: what is allocated may
// not grow faster than they do.
func TestLargeInputCostsInProportion(t *testing.T) {
	repeat := func(p []byte, size int) []byte { return bytes.Repeat(p, size/len(p)+1) }
	head := func() *muxer {
		m := newMuxer()
		m.pat(0, 1, 0x1000)
		m.pmt(0x1000, 1, 0, es{0x1b, 0x100, ""}, es{0x0f, 0x101, ""})
		return m
	}
	for name, make := range map[string]func(size int) []byte{
		"packets of nothing":    func(n int) []byte { return repeat(append([]byte("\x47\x1f\xff\x10"), make([]byte, 184)...), n) },
		"a unit without an end": func(n int) []byte { m := head(); m.video(0x100, 0, -1, make([]byte, n)); return m.out },
		"start codes":           func(n int) []byte { m := head(); m.video(0x100, 0, -1, repeat([]byte{0, 0, 1, 9}, n)); return m.out },
		"parameter sets": func(n int) []byte {
			m := head()
			m.video(0x100, 0, -1, repeat(slices.Concat(sps, pps), n))
			return m.out
		},
		"sync bytes of sound": func(n int) []byte {
			m := head()
			for ; n > 0; n -= 60000 {
				m.audio(0x101, 0, repeat([]byte{0xff}, 60000))
			}
			return m.out
		},
		"heads of sound": func(n int) []byte {
			m := head()
			for ; n > 0; n -= 60000 {
				m.audio(0x101, 0, repeat([]byte{0xff, 0xf1, 0x4c}, 60000))
			}
			return m.out
		},
		"tables": func(n int) []byte { return repeat(head().out, n) },
		"tables that change": func(n int) []byte {
			m := head()
			for i := 0; len(m.out) < n; i++ {
				m.pmt(0x1000, 1, byte(i&31), es{0x1b, uint16(0x100 + i&15), ""})
			}
			return m.out
		},
		"no sync bytes":    func(n int) []byte { return repeat([]byte{0}, min(n, strayMost/2)) },
		"sync bytes alone": func(n int) []byte { return repeat([]byte{syncByte}, n) },
		"sound before pictures": func(n int) []byte {
			m := head()
			for len(m.out) < n {
				m.audio(0x101, 0, aacData)
			}
			return m.out
		},
		"pictures before sound": func(n int) []byte {
			m := head()
			for len(m.out) < n {
				m.video(0x100, 0, 0, idr)
			}
			return m.out
		},
	} {
		ingesttest.InProportion(t, name, 256<<10, 16<<20+maxPES*4, make, func(b []byte) {
			r := NewReader(bytes.NewReader(b), Framing{0, packetLen}, 0, nil)
			for err := error(nil); err == nil; {
				_, err = r.Next()
			}
		})
	}
}

// BenchmarkRead has 6 Mb/s of H.264 and AAC. core-% is how much of a core that takes.
func BenchmarkRead(b *testing.B) {
	const rate, seconds, pictures = 6_000_000 / 8, 4, 25
	m := newMuxer()
	m.pat(0, 1, 0x1000)
	m.pmt(0x1000, 1, 0, es{0x1b, 0x100, ""}, es{0x0f, 0x101, ""})
	noise := rand.New(rand.NewPCG(1, 1))
	body := make([]byte, rate/pictures)
	for i := range body {
		body[i] = byte(noise.Uint32()) | 1 // no start codes
	}
	for i := range int64(seconds * pictures) {
		head := inter
		if i%50 == 0 {
			head = idr
		}
		m.video(0x100, 90000+i*3600, -1, slices.Concat(head, body))
		m.audio(0x101, 90000+i*3600, slices.Concat(aacData, aacData))
	}
	b.SetBytes(int64(len(m.out)))
	b.ReportAllocs()
	for b.Loop() {
		if n := len(readQuietly(m.out)); n < seconds*pictures {
			b.Fatal(n)
		}
	}
	b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N)/seconds, "core-%")
}

func readQuietly(b []byte) (tags []flv.Tag) {
	r := NewReader(bytes.NewReader(b), Framing{0, packetLen}, 0, nil)
	for {
		tag, err := r.Next()
		if err != nil {
			return tags
		}
		tags = append(tags, tag)
	}
}
