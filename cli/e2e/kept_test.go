//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestWhatIsKeptSurvivesAKill kills a source that keeps its channel, and a watcher that does, and starts
// both again: whoever comes late gets all from the start, and then what is live. Then another source
// broadcasts what was kept.
func TestWhatIsKeptSurvivesAKill(t *testing.T) {
	waiting.Take(t)
	w := newWorld(t)
	src := w.source("--keep", "1h")
	node := w.watch(src.link, "--keep", "1h,100MB", "--config", w.path("keeper"))
	enc := encode(t, src.rtmp, forEver, picture360, tone, h264, aac)
	src.takes(t, 600)
	src.kill()
	node.kill()
	enc.wait(t)
	before := logged(t, src.tagLog)

	src = w.source("--keep", "1h", "--listen", src.listen())
	node = w.watch(src.link, "--keep", "1h,100MB", "--config", w.path("keeper"))
	late := map[string]*viewer{}
	for name, url := range map[string]string{"source": src.url, "watcher": node.url} {
		late[name] = playFrom(t, "viewer who comes late to the "+name, url+"?at=start")
	}
	had := map[string][]tag{}
	for name, v := range late {
		eventually(t, v.name+" gets what was kept", func() error {
			// A program that is killed loses what it has not written, a quarter of a second.
			if got := len(v.got()); got < len(before)-60 {
				return fmt.Errorf("%d tags of %d", got, len(before))
			}
			return nil
		})
		parts := runs(t, v.name, v.got(), before)
		if len(parts) != 1 || name == "source" && parts[0].from > 4 {
			t.Fatalf("%s got %v of %d", v.name, parts, len(before))
		}
		had[name] = before[:parts[0].to]
	}
	encoded(t, encode(t, src.rtmp, 3, picture360, tone, h264, aac))
	after := allOf(t, src)
	for name, v := range late {
		v.ends(t, after)
		acrossEpochs(t, v.name, v.got(), had[name], after)
	}
	src.interrupt(t)

	kept, err := filepath.Glob(filepath.Join(w.dir, "*", "kept", "*"))
	if err != nil || len(kept) != 2 {
		t.Fatalf("folders %v, %v", kept, err)
	}
	again := w.sourceOf(kept[0], "--config", w.path("again"))
	again.ready(t)
	v := play(t, "viewer of the recording", again.url)
	v.gets(t, 100)
	if title := status(t, again.url).Title; !strings.HasPrefix(title, "Recording of ") {
		t.Errorf("it is called %q", title)
	}
}
