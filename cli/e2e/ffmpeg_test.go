//go:build e2e

package e2e

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Inputs and encoders, as ffmpeg's arguments.
var (
	picture720 = []string{"-re", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30"}
	picture360 = []string{"-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25"}
	tone       = []string{"-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"}
	h264       = []string{
		"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p",
		"-g", "30", "-b:v", "3M",
	}
	aac = []string{"-c:a", "aac", "-b:a", "128k"}
	mp3 = []string{"-c:a", "libmp3lame", "-b:a", "128k"}
)

// encode starts ffmpeg for a number of seconds of media. With [forEver] it runs until it is
// killed.
func encode(t *testing.T, url string, seconds int, parts ...[]string) *process {
	t.Helper()
	args := []string{"-hide_banner", "-nostdin", "-loglevel", "warning"}
	for _, p := range parts {
		args = append(args, p...)
	}
	args = append(args, "-t", strconv.Itoa(seconds), "-f", "flv", url)
	return start(t, "ffmpeg", "ffmpeg", args...)
}

// toNowhere makes ffmpeg decode at the stream's own times. A squashed stream has 1 ms per
// picture.
var toNowhere = []string{"-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "null", "-"}

// forEver is longer than any test.
const forEver = 3600

// encoded waits until an encoder has sent everything without an error.
func encoded(t *testing.T, p *process) {
	t.Helper()
	if code := p.wait(t); code != 0 {
		t.Fatalf("ffmpeg ended with %d", code)
	}
}

// decodes checks that ffprobe and ffmpeg find no fault in a recording, and returns
// how many frames the decoder made of the first video stream.
func decodes(t *testing.T, path string) int {
	t.Helper()
	frames := faultless(t, "ffprobe", "-v", "error", "-count_frames",
		"-select_streams", "v:0", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", path)
	faultless(t, "ffmpeg", slices.Concat([]string{"-v", "error", "-nostdin", "-xerror", "-i", path}, toNowhere)...)
	first, _, _ := strings.Cut(frames, "\n")             // MPEG-TS has it once more, as a part of its program
	n, _ := strconv.Atoi(strings.TrimSuffix(first, ",")) // "" without video
	return n
}

// probe returns one entry of the first stream of a kind, such as "width".
func probe(t *testing.T, path, stream, entry string) string {
	t.Helper()
	return strings.TrimSpace(faultless(t, "ffprobe", "-v", "error",
		"-select_streams", stream, "-show_entries", "stream="+entry, "-of", "default=nw=1:nk=1", path))
}

// faultless runs a program that must say nothing on stderr, and returns what it
// says on stdout.
func faultless(t *testing.T, path string, args ...string) string {
	t.Helper()
	return start(t, path, path, args...).faultless(t)
}

// faultless waits until the program ends, which must say nothing on stderr, and returns what it
// says on stdout.
func (p *process) faultless(t *testing.T) string {
	t.Helper()
	if code := p.wait(t); code != 0 || p.err.String() != "" {
		t.Errorf("%s ended with %d and said: %s", p.cmd.Args, code, p.err.tail())
	}
	return p.out.String()
}
