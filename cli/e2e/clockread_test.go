//go:build e2e

package e2e

import (
	"image"
	"time"
)

// readClock returns the time that is burnt into a picture, whatever size it was scaled
// to. It reports false for a picture without a clock, or with one that is garbled.
func readClock(img image.Image) (time.Time, bool) {
	r := img.Bounds()
	scale := func(n int) int { return n * r.Dx() / clockWidth }
	var word uint64
	for bit := range clockBits + clockCheck {
		x := scale(clockLeft + bit*clockBlock + clockBlock/2)
		red, green, blue, _ := img.At(r.Min.X+x, r.Min.Y+scale(clockBlock)).RGBA()
		word <<= 1
		if (red+green+blue)/3 > 0x7fff {
			word |= 1
		}
	}
	ms := word >> clockCheck
	return time.UnixMilli(int64(ms)), ms > 0 && ms%127 == word&(1<<clockCheck-1)
}
