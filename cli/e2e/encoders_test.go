//go:build e2e

package e2e

import (
	"flag"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib/pkg/rawmessage"

	"relay/ingest/flv"
	"relay/ingest/ingesttest"
)

// everyEncoder has the page live with all of them, which takes minutes; `make pages` says so.
var everyEncoder = flag.Bool("encoders", false, "watch every encoder of ingesttest in a browser")

// trying are those of ingesttest at which a browser could stop: what it gets of the others hardly
// differs from what it gets of a clean one. All are played on the other outputs by the tests of
// playback.
var trying = []string{
	"parameter sets that come 4 s late",
	"an empty key frame and half of one behind each",
	"no picture for 6 s",
	"nothing but sound",
	"sound from 3 s on",
	"sound that ends at 6 s",
	"sound that is announced and never comes",
	"sound that is 3 s ahead",
	"start codes, and no configuration",
	"another size from the middle on",
	"one key frame and no other in 48 s",
	"a codec that nobody knows among the pictures",
	"a jump by an hour",
	"a clock that begins anew",
	"no timestamps",
}

// TestPageSurvivesWhateverAnEncoderSends watches encoders of many kinds in a browser.
func TestPageSurvivesWhateverAnEncoderSends(t *testing.T) {
	browsing.Take(t)
	clip := film(t, "testsrc2=size=160x90:rate=10")
	all := ingesttest.Encoders(clip, film(t, "testsrc2=size=128x72:rate=10"))
	b := startBrowser(t)
	for _, name := range trying {
		if !slices.ContainsFunc(all, func(e ingesttest.Encoder) bool { return e.Name == name }) {
			t.Errorf("there is no encoder %q", name)
		}
	}
	if !*everyEncoder {
		all = slices.DeleteFunc(all, func(e ingesttest.Encoder) bool { return !slices.Contains(trying, e.Name) })
	}
	for group := range slices.Chunk(all, 5) { // more at a time would be too much for two busy processors
		t.Run("", func(t *testing.T) {
			for _, e := range group {
				t.Run(e.Name, func(t *testing.T) {
					t.Parallel()
					survives(t, b, e)
				})
			}
		})
	}
}

// mostRound is how much of what an encoder sends is watched at most.
const mostRound = 20 * time.Second

// survives watches one of them, from before it begins until it has sent everything once and more.
func survives(t *testing.T, b *browser, e ingesttest.Encoder) {
	w := newWorld(t)
	src := w.source()
	p := b.open(t, pageOf(t, src.url), nil)
	client, c := published(t, src)
	c.off.Store(true)
	quit, sent, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() { done <- repeat(quit, sent, rawWriter(client), e) }() // ends with quit
	select {
	case <-sent:
	case err := <-done:
		t.Fatalf("publish: %v", err)
	}
	switch {
	case e.Refused != "":
		p.says(t, "#what", "This browser can’t decode")
	case e.Pictures > 0:
		p.plays(t)
	default:
		p.sounds(t)
	}
	p.faultless(t)
	close(quit)
	if err := <-done; err != nil {
		t.Errorf("publish: %v", err)
	}
	client.Close()
	p.close(t)
}

// repeat sends what an encoder sends, again and again, with timestamps that go on. It closes sent
// when it has sent everything once, or as much as is watched.
func repeat(quit <-chan struct{}, sent chan struct{}, to *rawmessage.Writer, e ingesttest.Encoder) error {
	length := e.When(len(e.Tags)-1) + 33
	began, told := time.Now(), false
	for round := uint32(0); ; round++ {
		for i, tag := range e.Tags {
			select {
			case <-quit:
				return nil
			case <-time.After(time.Until(began.Add(time.Duration(round*length+e.When(i)) * time.Millisecond))):
			}
			ts := tag.Timestamp()
			if e.Sent == nil {
				ts += round * length
			}
			if err := sendRaw(to, tag.Type(), time.Duration(ts)*time.Millisecond, tag.Body()); err != nil {
				return err
			}
			if !told && (i == len(e.Tags)-1 || time.Duration(e.When(i))*time.Millisecond >= mostRound) {
				close(sent)
				told = true
			}
		}
	}
}

// film has ffmpeg make a clip of 16 s with a key frame every 2 s.
func film(t *testing.T, input string) []flv.Tag {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.flv")
	faultless(t, "ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", input, "-f", "lavfi", "-i", "sine=sample_rate=48000", "-t", "16",
		"-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "20", "-keyint_min", "20", "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-c:a", "aac", path)
	return ingesttest.ReadFile(t, path)
}
