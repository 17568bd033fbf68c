//go:build e2e && linux

package netns

import (
	"strconv"
	"testing"
)

// clipRate is what the encoder sends, in kbit/s. With -pairs it is what people send: thirty nodes and
// their players take about a quarter of two processors then, and all of them for moments.
func clipRate() int {
	if *pairsFlag {
		return 3000
	}
	return 1200
}

// clipArgs make what the encoder sends: two minutes of clipRate, padded to a constant
// rate, with a key frame every second and sound that is never the same twice. What a swarm of
// thirty costs goes by the number of tags, so the short proof has half of those that the
// figures of make netns are measured with.
func clipArgs(path string) []string {
	hz, soundHz := "25", "48000"
	if *runsFlag == 0 {
		hz, soundHz = "12", "24000"
	}
	return []string{
		"-hide_banner", "-nostdin", "-loglevel", "error",
		"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=" + hz, "-f", "lavfi", "-i", "anoisesrc=amplitude=0.1:seed=1:sample_rate=" + soundHz,
		"-t", "120", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", hz,
		"-b:v", kbps(clipRate()), "-minrate", kbps(clipRate()), "-maxrate", kbps(clipRate()), "-bufsize", kbps(clipRate() / 2), "-x264-params", "nal-hrd=cbr",
		"-c:a", "aac", "-b:a", "64k", "-flvflags", "no_sequence_end", path,
	}
}

func kbps(rate int) string { return strconv.Itoa(rate) + "k" }

// encode sends the clip to an RTMP address over and over.
func (h *host) encode(t *testing.T, log, url string) *process {
	t.Helper()
	return h.start(t, "ffmpeg", log, "ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "warning",
		"-stream_loop", "-1", "-re", "-i", clip, "-c", "copy", "-f", "flv", url)
}
