//go:build e2e && linux

package netns

import "testing"

// clipArgs make what the encoder sends: two minutes of 1.2 Mb/s, padded to a constant
// rate, with a key frame every second and sound that is never the same twice.
func clipArgs(path string) []string {
	return []string{
		"-hide_banner", "-nostdin", "-loglevel", "error",
		"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", "anoisesrc=amplitude=0.1:sample_rate=48000:seed=1",
		"-t", "120", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "25",
		"-b:v", "1200k", "-minrate", "1200k", "-maxrate", "1200k", "-bufsize", "600k", "-x264-params", "nal-hrd=cbr",
		"-c:a", "aac", "-b:a", "64k", "-flvflags", "no_sequence_end", path,
	}
}

// encode sends the clip to an RTMP address over and over.
func (h *host) encode(t *testing.T, log, url string) *process {
	t.Helper()
	return h.start(t, "ffmpeg", log, "ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "warning",
		"-stream_loop", "-1", "-re", "-i", clip, "-c", "copy", "-f", "flv", url)
}
