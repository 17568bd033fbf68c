//go:build e2e && linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"relay/ingest/flv"
)

func TestTheClipHasTheRate(t *testing.T) {
	const rate = 3_100_000
	c, err := openClip(testClip, rate)
	if err != nil {
		t.Fatal(err)
	}
	// Two rounds, so that the seam counts.
	bytes, n := 0, 2*len(c.media)
	for i := range n {
		bytes += len(c.tag(i))
	}
	got := float64(8*bytes) / (2 * float64(c.period) / 1000)
	if got < .98*rate || got > 1.02*rate {
		t.Errorf("%.0f bit/s, want %d", got, rate)
	}
	if c.period != 8_000 { // as testdata/flv/clip.sh says
		t.Errorf("it begins again after %d ms", c.period)
	}
}

func TestSoundAloneHasTheRateAndIsStillSound(t *testing.T) {
	for _, rate := range []int{100_000, 300_000} {
		c, err := openSound(testClip, rate)
		if err != nil {
			t.Fatal(err)
		}
		bytes, j := 0, flv.Judge{}
		for _, g := range c.configs {
			j.Next(g)
		}
		for n := range c.media {
			tag := c.tag(n)
			bytes += len(tag)
			if is := j.Next(tag); tag.Type() != flv.Audio || is.Flaw != "" || is.Config {
				t.Fatalf("tag %d is %v and %+v", n, tag.Type(), is)
			}
			if got, ok := numberOf(flv.Audio, tag.Body()[:headLen], 0); !ok || got != n {
				t.Fatalf("tag %d has number %d", n, got)
			}
		}
		got, want := float64(8*bytes)/(float64(c.period)/1000), float64(rate)
		if got < .98*want || got > 1.02*want {
			t.Errorf("%.0f bit/s, want %d", got, rate)
		}
	}
	if _, err := openSound(testClip, 10_000); err == nil {
		t.Error("sound can be made shorter")
	}
}

func TestTimestampsGoOnWhenTheClipBeginsAgain(t *testing.T) {
	c, err := openClip(testClip, 3_100_000)
	if err != nil {
		t.Fatal(err)
	}
	last := map[flv.Type]uint32{}
	for n := range 3 * len(c.media) {
		tag := c.tag(n)
		was, known := last[tag.Type()]
		if step := tag.Timestamp() - was; known && (step < 20 || step > 35) {
			t.Fatalf("tag %d is %d ms behind the one before", n, step)
		}
		last[tag.Type()] = tag.Timestamp()
	}
}

// What is in the tags to tell them apart must not disturb what else looks at them.
func TestNumberedTagsAreStillPicturesAndSound(t *testing.T) {
	c, err := openClip(testClip, 3_100_000)
	if err != nil {
		t.Fatal(err)
	}
	var j flv.Judge
	for _, g := range c.configs {
		j.Next(g)
	}
	for n := range c.media {
		tag := c.tag(n)
		if got, ok := numberOf(tag.Type(), tag.Body()[:min(headLen, len(tag.Body()))], 0); !ok || got != n {
			t.Fatalf("tag %d has number %d", n, got)
		}
		was, is := flv.Classify(c.media[n]), j.Next(tag)
		if is.Flaw != "" || is.Key != was.Key || is.Codec != was.Codec || is.Config {
			t.Fatalf("tag %d is %+v, was %+v", n, is, was)
		}
	}
}

func TestADecoderTakesNumberedTags(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("ffmpeg is needed (make tools installs it):", err)
		}
		t.Skip(err)
	}
	h := publishedTags(t, 400)
	pictures := 0
	for _, s := range h.tags {
		if s.tag.Type() == flv.Video {
			pictures++
		}
	}
	decoded := func(h *history, frame string) int {
		cmd := exec.Command(ffmpeg, "-v", "error", "-xerror", "-err_detect", "explode", "-i", "-", "-f", "framecrc", "-")
		cmd.Stdin = bytes.NewReader(flvOf(h, tagsFrom(h, 0)))
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil || said.Len() > 0 {
			t.Fatalf("ffmpeg: %v\n%s", err, &said)
		}
		return bytes.Count(out, []byte(frame))
	}
	if got := decoded(h, "\n0,"); got != pictures {
		t.Errorf("%d pictures are decoded of %d", got, pictures)
	}
	c, err := openSound(testClip, 300_000)
	if err != nil {
		t.Fatal(err)
	}
	sounds := newHistory(c, 100)
	for i := range 100 {
		sounds.add(c.tag(i))
	}
	if got := decoded(sounds, "\n0,"); got != 100 {
		t.Errorf("%d sounds are decoded of 100", got)
	}
}
