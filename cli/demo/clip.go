package demo

import _ "embed"

// clip is a complete FLV file: H.264 640x360 at 30 fps, without B-frames, in closed GOPs of
// 2 s, and AAC at 48 kHz, with a clock burnt in and a beep each second. Both streams start at
// timestamp 0. testdata/flv/clip.sh makes it, beside the streams that tests read.
//
//go:embed demo.flv
var clip []byte
