package doctor

import (
	"testing"

	"relay/ingest/ffmpeg"
)

func TestDoctorListsWhatFilms(t *testing.T) {
	x264 := []ffmpeg.Encoder{{Name: "libx264", About: "processor"}}
	for name, c := range map[string]struct {
		goos string
		have filming
		want string
	}{
		"nothing":      {"darwin", filming{none: true, broken: true}, "note ffmpeg was not found. relay uses it to film => brew install ffmpeg"},
		"a broken one": {"linux", filming{broken: true}, "todo The ffmpeg on PATH does not start. => Install it anew"},
		"no encoder": {"linux", filming{version: "7.0", system: ffmpeg.System{Wayland: true}}, `
			ok ffmpeg 7.0 is installed.
			todo ffmpeg has no encoder of H.264 that works here => full build
			note ffmpeg finds no camera.
			note ffmpeg finds no microphone.
			note The desktop is one of Wayland's => browser`},
		"all": {"linux", filming{version: "5.1", encoders: x264, system: ffmpeg.System{Devices: []ffmpeg.Device{
			{Kind: ffmpeg.Camera, Name: "C920"}, {Kind: ffmpeg.Microphone, Name: "Built-in"}, {Kind: ffmpeg.Camera, Name: "\x1b[2JX"}, {Kind: ffmpeg.Screen, Name: "display :0"},
		}}}, `
			ok ffmpeg 5.1 is installed.
			ok Encoders of H.264 that work here, the first of which is taken: libx264 (processor).
			ok Cameras for relay source: camera:0 C920, camera:1 �[2JX.
			ok Microphones, and what this machine plays: --mic 0 Built-in.
			ok Screens for relay source: screen:0 display :0.`},
	} {
		wantFindings(t, name, machine{goos: c.goos, filming: c.have}.checkFilming(), c.want)
	}
}
