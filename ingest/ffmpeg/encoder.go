package ffmpeg

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Encoder makes H.264.
type Encoder struct {
	Name   string // as ffmpeg calls it
	About  string // what it is, for people
	before []string
	format string // of pixels, and how they get to it
	opts   []string
}

// rate bounds what an encoder makes, in bit/s: what a 1080p30 of a camera or a game needs, and an ordinary uplink
// carries.
const rate = "6M"

// encoders are tried in this order: hardware leaves the processor to the game, or to whatever is on the screen.
// What ffmpeg lists is what it was built with, and says nothing of this machine; so each is tried.
var encoders = []Encoder{
	{"h264_nvenc", "NVIDIA", nil, "format=yuv420p", []string{"-preset", "p4", "-tune", "ll", "-rc", "vbr", "-b:v", rate, "-forced-idr", "1"}},
	{"h264_qsv", "Intel Quick Sync", nil, "format=nv12", []string{"-preset", "veryfast", "-b:v", rate, "-forced_idr", "1", "-async_depth", "1"}},
	{"h264_amf", "AMD", nil, "format=nv12", []string{"-usage", "lowlatency", "-b:v", rate, "-forced_idr", "1"}},
	{"h264_videotoolbox", "Apple", nil, "format=yuv420p", []string{"-realtime", "1", "-b:v", rate}},
	{"h264_vaapi", "VA-API", []string{"-vaapi_device", "/dev/dri/renderD128"}, "format=nv12,hwupload", []string{"-b:v", rate}},
	{"libx264", "processor", nil, "format=yuv420p", []string{"-preset", "veryfast", "-tune", "zerolatency", "-crf", "23", "-bufsize", rate}},
	{"libopenh264", "processor", nil, "format=yuv420p", []string{"-b:v", rate}},
	{"h264_mf", "Windows", nil, "format=nv12", []string{"-b:v", rate}},
}

// ordinary is the encoder that nearly all builds have, and that needs no hardware.
const ordinary = "libx264"

// args are those of pictures that go through a filter first. A key frame comes every 2 s by the clock of the
// pictures, whatever their rate is.
func (e Encoder) args(filter string) []string {
	args := []string{"-vf", filter + "," + e.format, "-c:v", e.Name}
	args = append(append(args, e.opts...), "-maxrate", rate, "-bf", "0", "-g", "300")
	return append(args, "-force_key_frames", "expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+2))")
}

// works has ffmpeg encode two pictures. It reports false, too, where that takes more than [askPatience].
func (e Encoder) works(ctx context.Context, p Program) bool {
	args := append(slices.Clone(e.before), "-f", "lavfi", "-i", "color=black:s=320x240:r=30", "-frames:v", "2")
	args = append(args, e.args("null")...)
	return p.Works(ctx, append(args, "-f", "null", "-")...)
}

// Encoders are those of a program that work on this machine.
type Encoders struct {
	Program Program

	once  sync.Once
	first Encoder
	err   error
}

// best returns the first that works. It is looked for once.
func (e *Encoders) best(ctx context.Context) (Encoder, error) {
	e.once.Do(func() {
		for _, enc := range encoders {
			began := time.Now()
			// A machine that is too busy to try it in time has the ordinary one all the same.
			if enc.works(ctx, e.Program) || enc.Name == ordinary && time.Since(began) > askPatience {
				e.first = enc
				return
			}
		}
		e.err = &Error{Trouble: NoEncoder}
	})
	return e.first, e.err
}

// Working returns all that work, best first. Several are tried at a time.
func (p Program) Working(ctx context.Context) []Encoder {
	works := make([]bool, len(encoders))
	var wg sync.WaitGroup
	for i, enc := range encoders {
		wg.Go(func() { works[i] = enc.works(ctx, p) }) // ends with ffmpeg
	}
	wg.Wait()
	var all []Encoder
	for i, enc := range encoders {
		if works[i] {
			all = append(all, enc)
		}
	}
	return all
}
