// Package flvdata holds the clip that relay demo broadcasts. It stands beside
// the file because go:embed reaches no directory above its own; the other
// streams here are for tests, which read them from disk. clip.sh makes them all.
package flvdata

import (
	_ "embed"
	"time"
)

// Demo is a complete FLV file: H.264 640x360 at 30 fps, without B-frames, in
// closed GOPs of 2 s, and AAC at 48 kHz, with a clock burnt in and a beep each
// second. Both streams start at timestamp 0.
//
//go:embed demo.flv
var Demo []byte

// DemoPeriod is what to add to every timestamp of Demo for each further round:
// it follows the last frame of either stream without a gap.
const DemoPeriod = 16 * time.Second
