//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// TestEncoderThatIsRefusedLearnsNoMoreThanItMust sends encoders with wrong keys,
// wrong paths, and a second one with the right key.
func TestEncoderThatIsRefusedLearnsNoMoreThanItMust(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source()
	const wrongText = "The server address or the stream key is wrong."

	server := "rtmp://" + src.rtmpAddr()
	var said []string
	for _, url := range []string{server + "/live/guess", server + "/other/" + streamKey, server + "/other/guess"} {
		enc := encode(t, url, 2, picture360, tone, h264, aac)
		if code := enc.wait(t); code == 0 {
			t.Errorf("ffmpeg publishes to %s", url)
		}
		if !strings.Contains(enc.err.String(), wrongText) {
			t.Errorf("ffmpeg does not say why %s is refused: %s", url, enc.err.tail())
		}
	}
	for _, ak := range [][2]string{{"live", "guess"}, {"other", streamKey}, {"other", "guess"}, {"live", ""}} {
		_, c, err := publisher(t, src.rtmpAddr(), ak[0], ak[1])
		if err == nil || !strings.Contains(c.answers(), "NetStream.Publish.Denied") {
			t.Errorf("app %q with key %q: %v", ak[0], ak[1], err)
		}
		said = append(said, c.answers())
	}
	for _, s := range said[1:] {
		if s != said[0] {
			t.Errorf("two refusals differ:\n%q\n%q", said[0], s)
		}
	}
	// The person who runs the source is told once, however often strangers try.
	src.find(t, &src.err, `(relay: warning): an encoder was turned away`)
	defer func() {
		if n := strings.Count(src.err.String(), "relay: warning: an encoder was turned away"); n != 1 {
			t.Errorf("%d warnings of encoders that were turned away", n)
		}
	}()
	if n := len(logged(t, src.tagLog)); n > 0 {
		t.Errorf("%d tags of refused encoders were taken in", n)
	}

	first := encode(t, src.rtmp, forEver, picture360, tone, h264, aac)
	at := play(t, "viewer", src.url)
	at.gets(t, 50)
	_, c, err := publisher(t, src.rtmpAddr(), "live", streamKey)
	if err == nil || !strings.Contains(c.answers(), "NetStream.Publish.BadName") {
		t.Errorf("a second encoder: %v", err)
	}
	second := encode(t, src.rtmp, 2, picture360, tone, h264, aac)
	if code := second.wait(t); code == 0 {
		t.Error("a second ffmpeg publishes")
	}
	first.interrupt(t)
	want := allOf(t, src)
	at.reaches(t, want)
	at.open(t)
	complete(t, at.name, at.got(), want)
}
