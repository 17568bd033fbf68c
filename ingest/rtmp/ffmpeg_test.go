package rtmp

import (
	"os/exec"
	"strings"
	"testing"

	"relay/ingest/flv"
)

// ffmpeg publishes two seconds of H.264 and AAC to url, and returns what it says.
// These tests need the real program; without it they fail.
func ffmpeg(t *testing.T, url string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-hide_banner", "-loglevel", "error",
		"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2",
		"-f", "lavfi", "-i", "sine=duration=2",
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac", "-f", "flv", url)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestFFmpegPublishes(t *testing.T) {
	c := newInbox()
	out, err := ffmpeg(t, "rtmp://"+serve(t, c)+"/"+testApp+"/"+testKey)
	if err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	frames := 0
	for tag := range c.taken() {
		if tag.Type() == flv.Video && !flv.Classify(tag).Config {
			frames++
		}
	}
	info := c.info()
	if info.VideoCodec != "h264" || info.AudioCodec != "aac" || info.Width != 320 || info.Height != 180 || info.FrameRate != 25 {
		t.Errorf("%+v", info)
	}
	if frames < 50 {
		t.Errorf("%d video frames", frames)
	}
}

func TestFFmpegShowsARefusal(t *testing.T) {
	out, err := ffmpeg(t, "rtmp://"+serve(t, newInbox())+"/"+testApp+"/guess")
	if err == nil || !strings.Contains(out, "stream key is wrong") {
		t.Errorf("%v\n%s", err, out)
	}
}
