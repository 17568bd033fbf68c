package stream

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// BenchmarkCutSign is the source's work for one video tag.
func BenchmarkCutSign(b *testing.B) {
	for _, size := range []int{400, 5_000, 100_000} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			m := fixedMaker(1)
			w := NewWriter(m.ringOf(Limits{Bytes: 1 << 20}), m.key, Epoch{m.epoch.Ms + 1, 0}, time.Now())
			if err := w.SetHeader([]byte("header")); err != nil {
				b.Fatal(err)
			}
			tag := randBytes(m.rnd, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := w.WriteTag(tag, StartHere|EndsChunk); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkVerify is a relay's work for one chunk before it may pass it on.
func BenchmarkVerify(b *testing.B) {
	for _, size := range []int{400, 5_000, MaxPayload} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			m := fixedMaker(1)
			frame := m.chunk(nil, Key|Tag, 1, 1, 1, randBytes(m.rnd, size)).Frame()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				c, err := ParseChunk(frame)
				if err != nil {
					b.Fatal(err)
				}
				if err := c.Verify(m.id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRingAppend appends a chunk and has every cursor read it, each in a
// goroutine of its own. An operation ends when the last one has it.
func BenchmarkRingAppend(b *testing.B) {
	for _, cursors := range []int{0, 1, 1000} {
		b.Run(fmt.Sprintf("%dcursors", cursors), func(b *testing.B) {
			m := fixedMaker(1)
			r := m.ringOf(Limits{Bytes: 1 << 20})
			read := make(chan struct{}, cursors)
			for range cursors {
				c := r.Cursor()
				go func() { // ends with the ring
					for {
						if _, err := c.Next(b.Context()); err != nil {
							return
						}
						read <- struct{}{}
					}
				}()
			}
			defer r.Close()
			payload := randBytes(m.rnd, 5000)
			proto := m.chunk(nil, Key|Tag, 1, 1, 1, payload)
			runtime.GC()
			b.ReportAllocs()
			for seq := uint64(1); b.Loop(); seq++ {
				c := *proto // the ring does not look at the frame
				c.seq = seq
				mustAppend(b, r, &c)
				for range cursors {
					<-read
				}
			}
		})
	}
}
