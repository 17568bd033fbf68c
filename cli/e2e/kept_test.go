//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"relay/ingest/flv"
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
	for _, v := range late {
		eventually(t, v.name+" gets what was kept", func() error {
			// A program that is killed loses what it has not written, a quarter of a second.
			if got := len(v.got()); got < len(before)-60 {
				return fmt.Errorf("%d tags of %d", got, len(before))
			}
			return nil
		})
	}
	encoded(t, encode(t, src.rtmp, 3, picture360, tone, h264, aac))
	after := allOf(t, src)
	for name, v := range late {
		v.ends(t, after)
		got := v.got()
		next := len(got) - 1 // the second run begins with what its encoder says of it
		for next > 0 && got[next].typ != flv.Script {
			next--
		}
		parts := runs(t, v.name, got[:next], before)
		if len(parts) != 1 || name == "source" && parts[0].from > 4 || parts[0].to < len(before)-60 {
			t.Fatalf("%s got %v of %d", v.name, parts, len(before))
		}
		acrossEpochs(t, v.name, got, before[:parts[0].to], after)
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
	// Who watches it somewhere else sees that it is as the first source has signed it.
	elsewhere := w.watch(again.link)
	of := strings.Split(strings.TrimPrefix(src.link, "relay://"), "@")[0]
	eventually(t, "the watcher has seen whose recording it is", func() error {
		if r := status(t, elsewhere.url).Recording; r == nil || r.Of != of || r.Proved < 100 || r.Unproved > 0 {
			return fmt.Errorf("it has found %+v", r)
		}
		return nil
	})
	elsewhere.find(t, &elsewhere.err, "(as that channel's source signed it)")
}

// TestPageGoesBackInWhatIsKept moves along the timeline of the page of a source that keeps its channel.
func TestPageGoesBackInWhatIsKept(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source("--keep", "1h")
	encodeClock(t, src.rtmp, 320, 180)
	b := startBrowser(t)
	p := b.open(t, pageOf(t, src.url), map[string]any{"width": 1280, "height": 800, "before": breakable})
	p.plays(t)
	p.becomes(t, "there is a timeline", "!document.getElementById('timeline').hidden")
	p.becomes(t, "it is at its end", "document.getElementById('seek').value === '1000' && document.getElementById('livetext').textContent === 'Live'")
	p.becomes(t, "a picture of then is drawn where the pointer is", `(() => {
		const s = document.getElementById('seek'), r = s.getBoundingClientRect(), c = document.querySelector('#peek canvas');
		s.dispatchEvent(new PointerEvent('pointermove', { clientX: r.left + 0.2 * r.width, bubbles: true }));
		return !c.hidden && c.getContext('2d').getImageData(0, 0, 160, 90).data.some((v, i) => i % 4 < 3 && v > 60); })()`)
	p.shot(t, "timeline")
	p.isOpenToAll(t, "timeline")
	p.becomes(t, "it goes back", `(() => { const s = document.getElementById('seek'); s.value = 0;
		s.dispatchEvent(new Event('input')); s.dispatchEvent(new Event('change')); return true; })()`)
	p.becomes(t, "it says how far", "/^[0-9]+ s behind$|^1 min behind$/.test(document.getElementById('livetext').textContent)")
	p.plays(t)
	p.says(t, "#b-delay", "behind")
	p.becomes(t, "it stays there", "document.getElementById('video').currentTime > 3 && /behind$/.test(document.getElementById('livetext').textContent)")
	p.shot(t, "past")
	before := p.moments(t)
	p.eval(t, "cut()", nil)
	p.becomes(t, "it goes on after a break", "document.getElementById('state').hidden")
	p.plays(t)
	after := p.moments(t)
	if len(after) != len(before)+1 || after[len(after)-1] < before[len(before)-1]+2 {
		t.Errorf("it went on at one of %v, after %v", after, before)
	}
	p.eval(t, "document.getElementById('play').focus()", nil)
	// As a key that is held down, at the page's own pace: a driver's depends on how busy the machine is.
	p.becomes(t, "the left arrow is held down", `(() => { for (let i = 0; i < 8; i++) document.activeElement.dispatchEvent(
		new KeyboardEvent('keydown', { key: 'ArrowLeft', repeat: i > 0, bubbles: true })); return true; })()`)
	p.plays(t)
	if n := len(p.moments(t)) - len(after); n < 1 || n > 4 {
		t.Errorf("the stream was asked for %d times", n)
	}
	p.press(t, "l")
	p.becomes(t, "it is live again", "document.getElementById('livetext').textContent === 'Live' && document.getElementById('seek').value === '1000'")
	p.plays(t)
	p.faultless(t)
	p.close(t)
}

// breakable has cut() break off the stream that was asked for last from a moment on.
const breakable = `const whole = fetch;
window.fetch = (url, how = {}) => {
	if (!/at=[0-9.]+$/.test(url)) return whole(url, how);
	const own = new AbortController();
	window.cut = () => own.abort(new Error('cut'));
	return whole(url, { ...how, signal: AbortSignal.any([how.signal, own.signal]) });
};`

// moments are those, in Unix seconds, from which the page has asked for the stream.
func (p *tab) moments(t *testing.T) (all []float64) {
	t.Helper()
	var urls []string
	p.do(t, "asked", nil, &urls)
	for _, u := range urls {
		_, at, _ := strings.Cut(u, ".mp4?at=")
		if s, err := strconv.ParseFloat(at, 64); err == nil {
			all = append(all, s)
		}
	}
	return all
}
