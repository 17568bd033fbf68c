package ffmpeg

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Wish is what a person wants to film.
type Wish struct {
	Kind Kind   // Camera or Screen
	Name string // of that device, as System.pick takes it; "" for the first
	// Sound is a microphone likewise. "" is the first for a camera, and for a screen what the machine plays, where
	// that can be had; "none" is none.
	Sound string
}

// ParseWish reads "screen", "camera", "camera:1", "screen:name", and the path of a camera on Linux. It reports false
// for anything else: a file of such a name is ./screen.
func ParseWish(s string) (Wish, bool) {
	if strings.HasPrefix(s, "/dev/video") {
		return Wish{Kind: Camera, Name: s}, true
	}
	kind, name, _ := strings.Cut(s, ":")
	for _, k := range []Kind{Camera, Screen} {
		if strings.EqualFold(kind, string(k)) {
			return Wish{Kind: k, Name: name}, true
		}
	}
	return Wish{}, false
}

// Film is what is filmed: the arguments that open it, and by what names people know it.
type Film struct {
	Picture, Sound string // names; Sound is "" for none
	Args           []string
	// Apart says that sound comes from an input of its own, with a clock that is made one with the pictures' by when
	// both come.
	Apart bool
	// Grab says that the first argument of all is of the desktop's duplication on Windows, which does not work
	// everywhere.
	Grab bool
}

// frameRate is how many pictures a second a device is asked for: what all have.
const frameRate = "30"

// queue is how many packets may wait between a device and ffmpeg: a device that is not read loses what it has.
const queue = "512"

// filmed returns what a wish comes to on a system. Its errors are [*PickError] and [ErrWayland].
func (s System) filmed(w Wish, mjpeg bool) (Film, error) {
	if w.Kind == Screen && s.Wayland {
		return Film{}, ErrWayland
	}
	d, err := s.pick(w.Kind, w.Name)
	if err != nil {
		return Film{}, err
	}
	mic, err := s.sound(w)
	if err != nil {
		return Film{}, err
	}
	f := Film{Picture: d.Name}
	if mic != nil {
		f.Sound = mic.Name
	}
	switch s.OS {
	case "windows":
		s.onWindows(&f, d, mic)
	case "darwin":
		s.onMac(&f, d, mic)
	default:
		s.onLinux(&f, d, mic, mjpeg)
	}
	return f, nil
}

// sound is the microphone that goes with a wish, nil for none.
func (s System) sound(w Wish) (*Device, error) {
	switch {
	case w.Sound == "none":
		return nil, nil
	case w.Sound != "":
		d, err := s.pick(Microphone, w.Sound)
		return &d, err
	}
	for _, d := range s.Of(Microphone) {
		if d.Plays == (w.Kind == Screen) {
			return &d, nil
		}
	}
	return nil, nil
}

func (s System) onLinux(f *Film, d Device, mic *Device, mjpeg bool) {
	f.Apart = mic != nil
	stamps := []string{"-thread_queue_size", queue}
	if f.Apart {
		stamps = append(stamps, "-use_wallclock_as_timestamps", "1")
	}
	f.Args = append(f.Args, stamps...)
	if d.Kind == Screen {
		f.Args = append(f.Args, "-f", "x11grab", "-framerate", frameRate, "-i", d.ID)
	} else {
		f.Args = append(f.Args, "-f", "v4l2", "-framerate", frameRate, "-video_size", "1280x720")
		if mjpeg { // raw pictures of that size are more than USB 2 carries
			f.Args = append(f.Args, "-input_format", "mjpeg")
		}
		f.Args = append(f.Args, "-i", d.ID)
	}
	if mic != nil {
		f.Args = append(append(f.Args, stamps...), "-f", mic.Via, "-i", mic.ID)
	}
}

func (s System) onWindows(f *Film, d Device, mic *Device) {
	if d.Kind == Camera {
		of := "video=" + d.ID
		if mic != nil {
			of += ":audio=" + mic.ID
		}
		f.Args = []string{"-thread_queue_size", queue, "-f", "dshow", "-rtbufsize", "100M", "-framerate", frameRate, "-i", of}
		return
	}
	f.Apart, f.Grab = mic != nil, true
	stamps := []string{"-thread_queue_size", queue}
	if f.Apart {
		stamps = append(stamps, "-use_wallclock_as_timestamps", "1")
	}
	f.Args = append(append(f.Args, stamps...), "-f", "gdigrab", "-framerate", frameRate, "-i", "desktop")
	if mic != nil {
		f.Args = append(append(f.Args, stamps...), "-f", "dshow", "-rtbufsize", "100M", "-audio_buffer_size", "50", "-i", "audio="+mic.ID)
	}
}

func (s System) onMac(f *Film, d Device, mic *Device) {
	of := d.ID + ":"
	if mic != nil {
		of += mic.ID
	} else {
		of += "none"
	}
	f.Args = []string{"-thread_queue_size", queue, "-f", "avfoundation", "-framerate", frameRate}
	if d.Kind == Screen {
		f.Args = append(f.Args, "-capture_cursor", "1")
	}
	f.Args = append(f.Args, "-i", of)
}

// grabbed has Windows give the desktop by duplication, which costs less than copying it and shows games, too.
func (f Film) grabbed() Film {
	const source = "ddagrab=framerate=" + frameRate + ",hwdownload,format=bgra"
	args := make([]string, 0, len(f.Args))
	for i := 0; i < len(f.Args); i++ {
		if f.Args[i] == "-f" && i+5 < len(f.Args) && f.Args[i+1] == "gdigrab" {
			args = append(args, "-f", "lavfi", "-i", source)
			i += 5
			continue
		}
		args = append(args, f.Args[i])
	}
	f.Args = args
	return f
}

// arguments are all that ffmpeg is told to film. began is when it begins, which is 0 of the stream where two devices have a
// clock in common.
func (f Film) arguments(enc Encoder, began time.Time) []string {
	args := append([]string(nil), enc.before...)
	args = append(args, f.Args...)
	filter := "aresample=async=1000"
	sound := "0:a:0"
	if f.Apart {
		offset := strconv.FormatFloat(-float64(began.UnixMilli())/1000, 'f', 3, 64)
		args = append(args, "-copyts", "-output_ts_offset", offset)
		sound = "1:a:0"
	}
	args = append(args, "-map", "0:v:0")
	args = append(args, enc.args(filters(&Track{}))...)
	if f.Sound != "" {
		args = append(append(args, "-map", sound), aacArgs(filter)...)
	}
	return append(args, Output{Container: "flv"}.end()...)
}

// open looks at the machine and returns what a wish comes to, and the arguments to film it.
func (p Program) open(ctx context.Context, w Wish) (Film, error) {
	s := p.Look(ctx)
	mjpeg := false
	if w.Kind == Camera && s.OS == "linux" {
		if d, err := s.pick(Camera, w.Name); err == nil {
			_, said, _ := p.ask(ctx, "-hide_banner", "-nostdin", "-f", "v4l2", "-list_formats", "all", "-i", d.ID)
			mjpeg = strings.Contains(said, "mjpeg")
		}
	}
	f, err := s.filmed(w, mjpeg)
	if err != nil || !f.Grab || !p.since(v6_1) {
		return f, err
	}
	if g := f.grabbed(); p.Works(ctx, "-f", "lavfi", "-i", "ddagrab=framerate="+frameRate+",hwdownload,format=bgra", "-frames:v", "1", "-f", "null", "-") {
		return g, nil
	}
	return f, nil
}
