//go:build e2e

package e2e

import (
	"slices"
	"testing"

	"relay/ingest/flv"
)

// TestEveryViewerOfATreeGetsEveryTag checks the central promise: every viewer gets what the
// source took in, however deep in the tree.
func TestEveryViewerOfATreeGetsEveryTag(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source()
	watchers := w.watchMany(7, src.link)
	viewers := []*viewer{play(t, "viewer at the source", src.url)}
	for _, v := range watchers {
		viewers = append(viewers, play(t, "viewer at "+v.name, v.url))
	}

	encoded(t, encode(t, src.rtmp, 20, picture720, tone, h264, aac))
	want := allOf(t, src)
	if v, a := count(want, flv.Video), count(want, flv.Audio); v < 600 || a < 900 {
		t.Fatalf("the source took in %s of 20 s", summary(want))
	}
	for _, v := range watchers {
		reached(t, v.rec, want)
	}
	for _, v := range viewers {
		v.reaches(t, want)
		v.open(t)
		complete(t, v.name, v.got(), want)
	}
	f := familyOf(t, watchers)
	if d := f.depth(); d < 3 {
		t.Errorf("the tree is %d deep", d)
	}
	for _, v := range slices.Backward(watchers) { // leaves first: nobody has to move
		if c := f.status[v].Chunks; c.Lost > 0 {
			t.Errorf("%s: %d chunks lost", v.name, c.Lost)
		}
		v.interrupt(t)
		got := recording(t, v.rec)
		first := complete(t, v.name, got, want)
		frames := decodes(t, v.rec)
		if n := pictures(got); frames != n {
			t.Errorf("%s: ffprobe counts %d frames of %d", v.name, frames, n)
		}
		t.Logf("%s: depth %d, from tag %d on: %s, %d frames decoded", v.name, f.status[v].Depth, first, summary(got), frames)
	}
}

// pictures counts the video tags that hold a picture. ffmpeg ends a stream with a video tag
// that holds none.
func pictures(tags []tag) int {
	n := count(tags, flv.Video)
	if last := tags[len(tags)-1]; n > 0 && last.typ == flv.Video && !last.kind.Key {
		n--
	}
	return n
}
