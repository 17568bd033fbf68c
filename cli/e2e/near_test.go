//go:build e2e

package e2e

import (
	_ "embed"
	"fmt"
	"testing"
	"time"

	"relay/cli/e2e/internal/contention"
)

//go:embed browser/near.js
var nearHooks string

// mostBehindNear is how far behind the camera the picture is that a page decodes itself.
const mostBehindNear = 200 * time.Millisecond

// mostFrozen is how long a picture stands still at most, where no switch is to be seen.
const mostFrozen = 300 * time.Millisecond

// nearTries is how many pages are opened. One that sees the stream come unevenly waits longer and longer
// before it tries again; a new one does not.
const nearTries = 8

// TestPageComesNearer has a page decode pictures and sound itself, and takes its decoder away.
func TestPageComesNearer(t *testing.T) {
	w := newWorld(t)
	src := w.source()
	node := w.watch(src.link)
	encodeClock(t, src.rtmp, 640, 360)
	play(t, "viewer", node.url).gets(t, 100)
	b := startBrowser(t)

	p := b.open(t, pageOf(t, node.url), map[string]any{"before": "delete window.VideoDecoder"})
	p.plays(t)
	p.atLive(t)
	element, _, _ := p.delay(t, measured)
	p.close(t)

	for try := 1; ; try++ {
		p = b.open(t, pageOf(t, node.url), map[string]any{"before": nearHooks})
		p.plays(t)
		err := p.nearWithin(t, 30*time.Second, "true")
		if err == nil {
			p.press(t, "m")
			err = p.nearWithin(t, 30*time.Second, "nearTest.loudest > 0.01")
		}
		if err == nil {
			break
		}
		if try == nearTries {
			t.Fatal(err)
		}
		p.close(t)
	}
	p50, most, n := p.delay(t, measured)
	t.Logf("behind live: %v, at most %v, in %d looks; in a video element %v", p50, most, n, element)
	p.shot(t, "near")

	gauge := contention.Begin()
	failed := p.number(t, "performance.now()")
	p.becomes(t, "the video element goes on", "nearTest.fail() || !relayTest.near()")
	p.plays(t)
	frozen := time.Duration(p.number(t, fmt.Sprintf("relayTest.freeze(%f)", failed)) * float64(time.Millisecond))
	f := gauge.Factor()
	t.Logf("longest time without a new frame: %v, on a machine that was %.2f times slower", frozen, f)
	if frozen > times(mostFrozen, f) {
		t.Errorf("for %v there was no new frame, want %v at most", frozen, times(mostFrozen, f))
	}
	p.becomes(t, "the video element is heard", "!relayTest.video.paused && !relayTest.video.muted")
	p.says(t, "#b-live", "Live")
	p.faultless(t)
}

// nearWithin waits until the page decodes the picture itself, that is as near as it should be, and something else is true.
func (p *tab) nearWithin(t *testing.T, limit time.Duration, also string) error {
	var last error
	deadline := time.Now().Add(limit)
	for time.Now().Before(deadline) {
		gauge := contention.Begin()
		sleep(t, measured/3)
		p50, _, n := p.delay(t, measured/3)
		var is string
		p.eval(t, "relayTest.state()", &is)
		if f := gauge.Factor(); n > 0 && p50 <= times(mostBehindNear, f) && p.number(t, "relayTest.near() && "+also+" ? 1 : 0") == 1 {
			return nil
		}
		last = fmt.Errorf("%v behind: %s", p50, is)
	}
	return last
}
