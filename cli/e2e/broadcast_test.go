//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"relay/cli/e2e/internal/contention"
)

// mostToGoLive is how long it may take from the press of Go live to the first picture at a viewer two links away,
// on a machine that has nothing else to do.
const mostToGoLive = 1500 * time.Millisecond

// TestABrowserGoesLive broadcasts what a browser films, and watches it two links away, while what can happen to
// such a broadcast does: a tab that is hidden, a camera that is unplugged, a page that is loaded again, and another
// page that wants to send as well.
func TestABrowserGoesLive(t *testing.T) {
	w := newWorld(t)
	src := w.source("--max-children", "1")
	w.watch(src.link)
	node := w.watch(src.link)
	room := pageOf(t, src.url) + "broadcast"
	b := startBrowser(t)
	viewer := b.open(t, pageOf(t, node.url), nil)
	viewer.says(t, "#state", "Waiting for the broadcaster")

	film := b.open(t, pageOf(t, src.url), map[string]any{"profile": "film"})
	film.says(t, "#state", "Waiting for the encoder")
	film.becomes(t, "it may film", "!document.getElementById('film').hidden")
	film.clickOn(t, "#film")
	film.says(t, "#what", "What do you want to show?")
	film.isOpenToAll(t, "the room")
	film.shot(t, "room")
	film.clickOn(t, "#camera")
	film.becomes(t, "the camera is shown", "document.getElementById('preview').videoWidth > 0 && !document.getElementById('golive').disabled")
	gauge := contention.Begin()
	clicked := film.number(t, "Date.now()")
	film.clickOn(t, "#golive")
	film.says(t, "#b-live", "You are live")
	viewer.plays(t)
	took := time.Duration(viewer.number(t, "performance.timeOrigin + relayTest.first")-clicked) * time.Millisecond
	f := gauge.Factor()
	t.Logf("from the click to the first picture two links away: %v, on a machine %.1f times as slow", took, f)
	if took > times(mostToGoLive, f) {
		t.Errorf("the first picture takes %v, at most %v were right", took, times(mostToGoLive, f))
	}
	film.says(t, "#b-watching", "watching")
	film.says(t, "#b-rate", "b/s")
	film.shot(t, "live")
	film.isOpenToAll(t, "live")

	film.do(t, "hide", map[string]any{"hidden": true}, nil)
	viewer.plays(t)
	film.do(t, "hide", map[string]any{"hidden": false}, nil)

	other := b.open(t, room, map[string]any{"profile": "other"})
	other.clickOn(t, "#voice")
	other.becomes(t, "it may go live", "!document.getElementById('golive').disabled")
	other.clickOn(t, "#golive")
	other.says(t, "#told", "Another encoder is sending")
	other.shot(t, "busy")
	other.close(t)

	// The browser ends a track when its device goes, and cannot be made to here: the page is told the same.
	film.eval(t, `(() => { const [t] = document.getElementById('preview').srcObject.getVideoTracks(); t.stop(); t.dispatchEvent(new Event('ended')); })()`, nil)
	film.says(t, "#told", "The camera has gone")
	film.says(t, "#b-live", "You are live")
	film.clickOn(t, "#camera")
	viewer.plays(t)

	film.eval(t, "void location.reload()", nil)
	viewer.says(t, "#b-live", "Paused")
	film.says(t, "#what", "What do you want to show?")
	film.clickOn(t, "#camera")
	film.becomes(t, "it may go live", "!document.getElementById('golive').disabled")
	film.clickOn(t, "#golive")
	film.says(t, "#b-live", "You are live")
	viewer.plays(t)
	film.clickOn(t, "#golive")
	film.says(t, "#b-live", "Not live")
	film.faultless(t)
	film.close(t)

	// A camera that films a clock.
	camera, err := os.ReadFile(filepath.Join("browser", "camera.js"))
	if err != nil {
		t.Fatal(err)
	}
	film = b.open(t, room, map[string]any{"before": string(camera)})
	film.clickOn(t, "#camera")
	film.becomes(t, "it may go live", "!document.getElementById('golive').disabled")
	film.clickOn(t, "#golive")
	viewer.plays(t)
	viewer.atLive(t)
	p50, most, _ := viewer.delay(t, measured)
	t.Logf("from the camera to the screen two links away: %v, at most %v", p50, most)
	viewer.faultless(t)
	film.faultless(t)
	src.interrupt(t)
	film.says(t, "#told", "Does relay still run on this machine?")
}

// withoutEncoders takes from a browser what Firefox and Safari do not have on pages either.
const withoutEncoders = "delete window.MediaStreamTrackProcessor;"

// TestABrowserThatCannotEncodeGoesLiveOverWebRTC has the room of a browser without encoders for pages go live, watched two
// links away, and loads it again.
func TestABrowserThatCannotEncodeGoesLiveOverWebRTC(t *testing.T) {
	w := newWorld(t)
	src := w.source("--max-children", "1")
	w.watch(src.link)
	node := w.watch(src.link)
	b := startBrowser(t)
	viewer := b.open(t, pageOf(t, node.url), nil)
	viewer.says(t, "#state", "Waiting for the broadcaster")
	camera, err := os.ReadFile(filepath.Join("browser", "camera.js")) // which films a clock
	if err != nil {
		t.Fatal(err)
	}
	film := b.open(t, pageOf(t, src.url)+"broadcast", map[string]any{"before": withoutEncoders + string(camera)})
	film.says(t, "#what", "What do you want to show?")
	golive := func() (clicked float64) {
		film.clickOn(t, "#camera")
		film.becomes(t, "it may go live", "!document.getElementById('golive').disabled")
		clicked = film.number(t, "Date.now()")
		film.clickOn(t, "#golive")
		film.says(t, "#b-live", "You are live")
		return clicked
	}
	gauge := contention.Begin()
	clicked := golive()
	viewer.plays(t)
	took := time.Duration(viewer.number(t, "performance.timeOrigin + relayTest.first")-clicked) * time.Millisecond
	f := gauge.Factor()
	t.Logf("from the click to the first picture two links away: %v, on a machine %.1f times as slow", took, f)
	if took > times(mostToGoLive, f) {
		t.Errorf("the first picture takes %v, at most %v were right", took, times(mostToGoLive, f))
	}
	film.says(t, "#b-watching", "watching")
	film.says(t, "#b-rate", "b/s")
	viewer.atLive(t)
	p50, most, _ := viewer.delay(t, measured)
	t.Logf("from the camera to the screen two links away: %v, at most %v", p50, most)

	film.eval(t, "void location.reload()", nil)
	viewer.says(t, "#b-live", "Paused")
	film.says(t, "#what", "What do you want to show?")
	golive()
	viewer.plays(t)
	film.clickOn(t, "#golive")
	film.says(t, "#b-live", "Not live")
	viewer.says(t, "#b-live", "Paused")
	film.faultless(t)
	viewer.faultless(t)
}

// TestTheRoomThatFilmsSpeaks looks at it in each language on a phone.
func TestTheRoomThatFilmsSpeaks(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source()
	b := startBrowser(t)
	for tag, said := range map[string]string{"en": "Go live", "de": "Live gehen", "es": "Empezar", "fr": "Passer en direct", "ja": "配信を開始", "zh-Hans": "开始直播"} {
		p := b.open(t, pageOf(t, src.url)+"broadcast?lang="+tag, map[string]any{"width": 320, "height": 568, "phone": true, "dark": strings.Contains(tag, "a")})
		p.says(t, "#golive", said)
		p.clickOn(t, "#camera")
		p.becomes(t, "it may go live", "!document.getElementById('golive').disabled")
		var cut []string
		p.eval(t, fmt.Sprintf(`import(new URL('web/lang/%s.js', location.href)).then(({ default: all }) => {
			const told = document.getElementById('told');
			told.hidden = false;
			return Object.entries(all).filter(([key]) => /^film\.(told|note)/.test(key)).filter(([, text]) => {
				told.textContent = text;
				return told.getBoundingClientRect().right > document.documentElement.clientWidth || told.scrollWidth > told.clientWidth + 1;
			}).map(([key]) => key);
		})`, tag), &cut)
		if len(cut) > 0 {
			t.Errorf("%s: not all is seen of %v", tag, cut)
		}
		p.fits(t, tag)
		p.isOpenToAll(t, tag)
		p.shot(t, tag)
		p.faultless(t)
		p.close(t)
	}
}
