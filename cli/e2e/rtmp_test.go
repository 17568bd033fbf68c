//go:build e2e

package e2e

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"relay/ingest/flv"
	"relay/ingest/rtmp"
)

// logLine is what --verbose shows, on a terminal or elsewhere.
var logLine = regexp.MustCompile(`(?m)^.*(\b(DEBUG|INFO|WARN|ERROR)\b|"level":).*$`)

// TestEncoderThatIsRefusedLearnsNoMoreThanItMust sends encoders with wrong keys and wrong paths, before one is let in
// and while it sends, and a second one with the right key. Each is told what is wrong, and so is the person who runs the
// source, in a sentence and once, however often strangers try. The first encoder's stream goes on untouched.
func TestEncoderThatIsRefusedLearnsNoMoreThanItMust(t *testing.T) {
	waiting.Take(t)
	const (
		wrong  = "relay: warning: an encoder was turned away: its server or its stream key is not this channel's. It was told: "
		second = "relay: warning: a second encoder was turned away: another one is sending, and goes on. It was told: "
	)
	w := newWorld(t)
	src := w.source("--verbose=false") // as people run it: what happens comes as sentences, or not at all

	server := "rtmp://" + src.rtmpAddr()
	paths := []string{server + "/live/guess", server + "/other/" + streamKey, server + "/other/guess"}
	refused := func(url, told string) {
		t.Helper()
		enc := encode(t, url, 2, picture360, tone, h264, aac)
		if code := enc.wait(t); code == 0 {
			t.Errorf("ffmpeg publishes to %s", url)
		}
		if !strings.Contains(enc.err.String(), told) {
			t.Errorf("ffmpeg does not say why %s is refused: %s", url, enc.err.tail())
		}
	}
	// said checks what the person was told of encoders since it was asked last, in whichever order.
	seen := 0
	said := func(want ...string) {
		t.Helper()
		for _, line := range want {
			eventually(t, "the source says "+line, func() error {
				if !strings.Contains(src.err.String()[seen:], line+"\n") {
					return errors.New("it has not")
				}
				return nil
			})
		}
		all := src.err.String()
		if n := strings.Count(all[seen:], "turned away"); n != len(want) {
			t.Errorf("%d sentences tell of encoders that were turned away, want %d:\n%s", n, len(want), all[seen:])
		}
		if line := logLine.FindString(all); line != "" {
			t.Errorf("a line of a log is among what the person reads: %s", line)
		}
		seen = len(all)
	}
	for _, url := range paths {
		refused(url, rtmp.ToldDenied)
	}
	var answers []string
	for _, ak := range [][2]string{{"live", "guess"}, {"other", streamKey}, {"other", "guess"}, {"live", ""}} {
		_, c, err := publisher(t, src.rtmpAddr(), ak[0], ak[1])
		if err == nil || !strings.Contains(c.answers(), "NetStream.Publish.Denied") {
			t.Errorf("app %q with key %q: %v", ak[0], ak[1], err)
		}
		answers = append(answers, c.answers())
	}
	for _, s := range answers[1:] {
		if s != answers[0] {
			t.Errorf("two refusals differ:\n%q\n%q", answers[0], s)
		}
	}
	said(wrong + strconv.Quote(rtmp.ToldDenied))
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
	for range 2 {
		refused(src.rtmp, rtmp.ToldBusy)
		refused(paths[0], rtmp.ToldDenied)
	}
	at.gets(t, len(at.got())+50)
	said(second+strconv.Quote(rtmp.ToldBusy), wrong+strconv.Quote(rtmp.ToldDenied)) // again, as one was let in since
	if !first.running() {
		t.Error("the first encoder has ended")
	}
	first.interrupt(t)
	want := allOf(t, src)
	if n := count(want, flv.Script); n != 1 {
		t.Errorf("%d encoders were taken in", n)
	}
	at.reaches(t, want)
	at.open(t)
	complete(t, at.name, at.got(), want)
}
