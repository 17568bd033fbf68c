//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"relay/ingest/flv"
	"relay/playback/api"
)

// takes waits until the source has taken in a number of tags more than before.
func (s *source) takes(t *testing.T, n int) {
	t.Helper()
	before := len(logged(t, s.tagLog))
	eventually(t, "the source takes in more", func() error {
		if got := len(logged(t, s.tagLog)) - before; got < n {
			return fmt.Errorf("%d are missing", n-got)
		}
		return nil
	})
}

// TestEncoderRestartKeepsEveryConnection sends three runs of an encoder, each with
// other parameters, the last without video.
func TestEncoderRestartKeepsEveryConnection(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source("--max-children", "1") // a chain: the second watcher is below the first
	watchers := w.watchMany(2, src.link)
	viewers := []*viewer{play(t, "viewer at the source", src.url)}
	for _, v := range watchers {
		viewers = append(viewers, play(t, "viewer at "+v.name, v.url))
	}
	sessions := [][][]string{
		{picture720, tone, h264, aac},
		{picture360, tone, h264, []string{"-profile:v", "baseline"}, aac, {"-ar", "44100", "-ac", "2"}},
		{tone, aac, {"-ac", "2"}},
	}
	sizes := []string{"1280x720", "640x360", ""}
	type newcomer struct {
		*watcher
		*viewer
	}
	var newcomers []newcomer
	var ends []int // tags taken in by the end of each session
	for i, parts := range sessions {
		enc := encode(t, src.rtmp, 6, parts...)
		src.takes(t, 60)
		n := newcomer{watcher: w.watch(src.link)}
		n.viewer = play(t, "viewer at "+n.watcher.name, n.watcher.url)
		newcomers = append(newcomers, n)
		n.viewer.gets(t, 10)
		eventually(t, "the newcomer's node shows the new parameters", func() error {
			st, err := channelStatus(n.watcher.url)
			if err == nil && sizes[i] != sizeOf(st) {
				err = errors.New("it shows " + sizeOf(st))
			}
			return err
		})
		if sizes[i] == "" && status(t, n.watcher.url).Codec.Video != "" {
			t.Errorf("a run without video is shown with %+v", status(t, n.watcher.url).Codec)
		}
		encoded(t, enc)
		eventually(t, "the source sees the encoder go", func() error {
			st, err := channelStatus(src.url)
			if err == nil && st.State != "reconnecting" {
				err = errors.New("it is " + string(st.State))
			}
			return err
		})
		ends = append(ends, len(logged(t, src.tagLog)))
	}

	want := logged(t, src.tagLog)
	monotonic(t, "source", want)
	for i := range ends[:2] {
		if a, b := newest(want[:ends[i]]), oldest(want[ends[i]:]); b < a {
			t.Errorf("run %d goes on at %d ms after %d", i+2, b, a)
		}
	}
	for _, v := range viewers {
		v.reaches(t, want)
		v.open(t)
		complete(t, v.name, v.got(), want)
	}
	for i, n := range newcomers {
		n.viewer.reaches(t, want)
		n.viewer.open(t)
		complete(t, n.viewer.name, n.viewer.got(), want)
		// Its header is this run's: no tag of another run is in it.
		from := 0
		if i > 0 {
			from = ends[i-1]
		}
		header, _ := split(n.viewer.got())
		for _, h := range header {
			if !contains(want[from:ends[i]], h) {
				t.Errorf("%s came in run %d, and its header has %v", n.viewer.name, i+1, h)
			}
		}
		if video := slices.ContainsFunc(header, func(h tag) bool { return h.typ == flv.Video }); video != (sizes[i] != "") {
			t.Errorf("%s came in run %d, and its header has video: %v", n.viewer.name, i+1, video)
		}
	}
	for i := len(newcomers) - 1; i >= 0; i-- {
		newcomers[i].watcher.interrupt(t)
		rec := newcomers[i].rec
		complete(t, rec, recording(t, rec), want)
		if sizes[i] != "" {
			if got := probe(t, rec, "v:0", "width") + "x" + probe(t, rec, "v:0", "height"); got != sizes[i] {
				t.Errorf("ffprobe sees %s in run %d", got, i+1)
			}
		}
	}
	decodes(t, newcomers[2].rec)
	for _, v := range slices.Backward(watchers) {
		reached(t, v.rec, want)
		v.interrupt(t)
		complete(t, v.name, recording(t, v.rec), want)
	}
}

// TestSourceRestartKeepsEveryConnection kills the source and starts it again with
// the same key: viewers go on in the new epoch.
func TestSourceRestartKeepsEveryConnection(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source("--max-children", "1")
	watchers := w.watchMany(2, src.link)
	var viewers []*viewer
	for _, v := range watchers {
		viewers = append(viewers, play(t, "viewer at "+v.name, v.url))
	}
	encode(t, src.rtmp, forEver, picture360, tone, h264, aac)
	allGet(t, viewers, 300)
	src.kill()
	before := logged(t, src.tagLog)
	for _, v := range watchers {
		eventually(t, v.name+" sees the source go", func() error {
			st, err := channelStatus(v.url)
			if err == nil && st.State != "reconnecting" {
				err = errors.New("it is " + string(st.State))
			}
			return err
		})
	}

	again := w.source("--max-children", "1", "--listen", src.listen())
	if again.link != src.link {
		t.Fatalf("the link was %s and is %s", src.link, again.link)
	}
	watchers[0].attached(t)
	encoded(t, encode(t, again.rtmp, 6, picture360, tone, h264, aac))
	after := allOf(t, again)

	for i, v := range viewers {
		v.ends(t, after)
		v.open(t)
		acrossEpochs(t, v.name, v.got(), before, after)
		watchers[i].attached(t)
	}
	for _, v := range slices.Backward(watchers) {
		v.interrupt(t)
		acrossEpochs(t, v.name, recording(t, v.rec), before, after)
	}
}

// acrossEpochs checks what a viewer got of two epochs: one stretch of the first, whose end the
// killed source may not have sent, and one stretch of the second that lasts until its end.
func acrossEpochs(t *testing.T, who string, got, before, after []tag) {
	t.Helper()
	monotonic(t, who, got)
	_, media := split(got)
	// The second epoch is found by its first frame: tags of both are alike.
	first := slices.IndexFunc(media, func(g tag) bool { return g.ts > newest(before) })
	if first < 0 {
		t.Fatalf("%s got nothing of the second epoch", who)
	}
	for first > 0 && media[first-1].kind.Config {
		first--
	}
	old := runs(t, who, media[:first], before)
	now := runs(t, who, media[first:], after)
	if len(old) != 1 || len(now) != 1 {
		t.Errorf("%s got %v of %d, then %v of %d", who, old, len(before), now, len(after))
		return
	}
	t.Logf("%s got %v of %d, then %v of %d, moved by %d ms", who, old, len(before), now, len(after), int32(media[first].ts-after[now[0].from].ts))
	if now[0].to != len(after) {
		t.Errorf("%s got %v of the %d tags of the second epoch", who, now, len(after))
	}
	_, rest := split(media[first:])
	paced(t, who, media, before, old[0])
	paced(t, who, rest, after, now[0])
}

func newest(tags []tag) uint32 {
	var ts uint32
	for _, g := range tags {
		ts = max(ts, g.ts)
	}
	return ts
}

func oldest(tags []tag) uint32 {
	ts := tags[0].ts
	for _, g := range tags {
		ts = min(ts, g.ts)
	}
	return ts
}

// sizeOf is the picture's size as a node shows it, "" without one.
func sizeOf(st api.ChannelStatus) string {
	if st.Codec.Width == 0 {
		return ""
	}
	return fmt.Sprintf("%dx%d", st.Codec.Width, st.Codec.Height)
}
