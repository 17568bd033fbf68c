//go:build e2e

package e2e

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The clock in a picture of clockWidth pixels is a row of blocks, white for 1, with the most
// significant first. browser/clock.js reads it.
const (
	clockWidth  = 640
	clockLeft   = 32 // of the first block
	clockBlock  = 12 // on a side; the row is two blocks high
	clockBits   = 41 // of Unix milliseconds, enough until 2039
	clockCheck  = 7  // bits of the milliseconds modulo 127
	clockRate   = 30 // frames a second
	clockSound  = 48000
	clockTone   = 440
	clockVolume = 3000
)

// clockEncoder is an encoder whose picture tells when each frame was made.
type clockEncoder struct {
	*process
	paused atomic.Bool // it makes no frames and no sound
}

// encodeClock starts ffmpeg on a picture of that size with a burnt-in clock, and a
// tone. Timestamps count frames, as those of a capture card do: after a pause they go
// on as if there had been none. more are further arguments of ffmpeg for its output.
func encodeClock(t *testing.T, url string, width, height int, more ...string) *clockEncoder {
	t.Helper()
	picture, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(t.TempDir(), fmt.Sprint("sound", nextID()))
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	sound, err := os.OpenFile(fifo, os.O_RDWR, 0) // an open for writing alone would wait for ffmpeg
	if err != nil {
		t.Fatal(err)
	}
	raw := []string{"-fflags", "nobuffer", "-probesize", "32", "-analyzeduration", "0"}
	args := append([]string{"-hide_banner", "-nostdin", "-loglevel", "warning"}, raw...)
	args = append(args, "-f", "rawvideo", "-pix_fmt", "gray", "-video_size", fmt.Sprintf("%dx%d", width, height), "-framerate", strconv.Itoa(clockRate), "-i", "pipe:0")
	args = append(args, raw...)
	args = append(args, "-f", "s16le", "-ar", strconv.Itoa(clockSound), "-ac", "1", "-i", fifo)
	args = append(args, h264...)
	args = append(args, aac...)
	args = append(args, "-g", "60", "-b:v", "1M")
	args = append(args, more...)
	args = append(args, "-f", "flv", url)
	e := &clockEncoder{process: startWith(t, picture, "ffmpeg", "ffmpeg", args...)}
	picture.Close()
	t.Cleanup(func() { // before the process is killed; both goroutines end with this
		in.Close()
		sound.Close()
	})
	go e.every(func(n int) error {
		_, err := in.Write(clockFrame(width, height, n, time.Now()))
		return err
	})
	go e.every(func(n int) error {
		_, err := sound.Write(toneFor(n))
		return err
	})
	return e
}

// every calls make at the frame rate until it fails, except while e is paused.
func (e *clockEncoder) every(make func(n int) error) {
	tick := time.NewTicker(time.Second / clockRate)
	defer tick.Stop()
	for n := 0; ; {
		select {
		case <-e.ended:
			return
		case <-tick.C:
		}
		if e.paused.Load() {
			continue
		}
		if make(n) != nil {
			return
		}
		n++
	}
}

// clockFrame is a grey gradient that moves, with the clock on it.
func clockFrame(width, height, n int, now time.Time) []byte {
	f := make([]byte, width*height)
	const period = 4 * 64
	ramp := make([]byte, width+period)
	for x := range ramp {
		ramp[x] = byte(64 + x/4%64)
	}
	for y := range height {
		copy(f[y*width:(y+1)*width], ramp[(y+2*n)%period:])
	}
	ms := uint64(now.UnixMilli())
	word := ms<<clockCheck | ms%127
	scale := func(n int) int { return n * width / clockWidth }
	for y := range scale(2 * clockBlock) {
		for bit := range clockBits + clockCheck {
			shade := byte(0)
			if word>>(clockBits+clockCheck-1-bit)&1 == 1 {
				shade = 255
			}
			for x := scale(clockLeft + bit*clockBlock); x < scale(clockLeft+(bit+1)*clockBlock); x++ {
				f[y*width+x] = shade
			}
		}
	}
	return f
}

// toneFor is the sound of the nth frame, as 16-bit samples.
func toneFor(n int) []byte {
	const samples = clockSound / clockRate
	b := make([]byte, 0, 2*samples)
	for i := range samples {
		v := clockVolume * math.Sin(2*math.Pi*clockTone*float64(n*samples+i)/clockSound)
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(v)))
	}
	return b
}
