package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"relay/cli/input"
	"relay/ingest/ffmpeg"
)

// filming is what ffmpeg can do here.
type filming struct {
	none     bool // there is none
	broken   bool // it does not start
	version  string
	encoders []ffmpeg.Encoder // that work
	system   ffmpeg.System
}

// lookAtFFmpeg asks the ffmpeg of this machine, if there is one, what it can do. Each question takes a few hundred
// milliseconds.
func lookAtFFmpeg(ctx context.Context) filming {
	p, err := ffmpeg.Find(ctx)
	if err != nil {
		return filming{none: errors.Is(err, ffmpeg.ErrNone), broken: true}
	}
	return filming{version: p.Version, encoders: p.Working(ctx), system: p.Look(ctx)}
}

func (m machine) checkFilming() []Finding {
	f := findings{topic: "ffmpeg"}
	v := m.filming
	switch {
	case v.none:
		f.note(input.Install(m.goos), "ffmpeg was not found. relay uses it to film screen and camera, for files and addresses that it does not read itself, for --audio aac and for --thumbnails; all else goes without.")
		return f.all
	case v.broken:
		f.todo("Install it anew; ffmpeg -version has to work.", "The ffmpeg on PATH does not start.")
		return f.all
	case v.version == "":
		f.fine("ffmpeg is installed, and does not say which version it is.")
	default:
		f.fine("ffmpeg %s is installed.", v.version)
	}
	if len(v.encoders) == 0 {
		f.todo("Install a full build: that of your system's packages, or one that ffmpeg.org/download links to.", "ffmpeg has no encoder of H.264 that works here, so it films nothing, and broadcasts only what can be copied.")
	} else {
		var names []string
		for _, e := range v.encoders {
			names = append(names, fmt.Sprintf("%s (%s)", e.Name, e.About))
		}
		f.fine("Encoders of H.264 that work here, the first of which is taken: %s.", strings.Join(names, ", "))
	}
	list := func(k ffmpeg.Kind, call func(n int) string) string {
		var all []string
		for n, d := range v.system.Of(k) {
			all = append(all, fmt.Sprintf("%s %s", call(n), d.Name))
		}
		return strings.Join(all, ", ")
	}
	if all := list(ffmpeg.Camera, func(n int) string { return fmt.Sprintf("camera:%d", n) }); all != "" {
		f.fine("Cameras for relay source: %s.", all)
	} else {
		f.note("", "ffmpeg finds no camera.")
	}
	if all := list(ffmpeg.Microphone, func(n int) string { return fmt.Sprintf("--mic %d", n) }); all != "" {
		f.fine("Microphones, and what this machine plays: %s.", all)
	} else {
		f.note("", "ffmpeg finds no microphone.")
	}
	switch all := list(ffmpeg.Screen, func(n int) string { return fmt.Sprintf("screen:%d", n) }); {
	case v.system.Wayland:
		f.note("Film it with the browser: relay source prints the address.", "The desktop is one of Wayland's, whose screen ffmpeg cannot film.")
	case all != "":
		f.fine("Screens for relay source: %s.", all)
	default:
		f.note("", "ffmpeg finds no screen.")
	}
	return f.all
}
