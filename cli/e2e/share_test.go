//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// aScreen gives a page a screen to share, where a person would choose one: what its camera films, with sound. Who closes the
// choice at first is refused.
const aScreen = `
{
  let asked = 0;
  navigator.mediaDevices.getDisplayMedia = () => asked++
    ? navigator.mediaDevices.getUserMedia({ audio: true })
    : Promise.reject(new DOMException('a test says so', 'NotAllowedError'));
}
`

// TestABrowserSharesItsScreen has the room that films share a screen, which a viewer sees, until nothing is shared any longer.
func TestABrowserSharesItsScreen(t *testing.T) {
	w := newWorld(t)
	src := w.source()
	b := startBrowser(t)
	viewer := b.open(t, pageOf(t, src.url), nil)
	camera, err := os.ReadFile(filepath.Join("browser", "camera.js")) // which films a clock
	if err != nil {
		t.Fatal(err)
	}
	film := b.open(t, pageOf(t, src.url)+"broadcast", map[string]any{"before": string(camera) + aScreen})
	film.says(t, "#what", "What do you want to show?")
	film.clickOn(t, "#screen")
	film.becomes(t, "nothing is chosen", "document.getElementById('golive').disabled && !document.getElementById('screen').disabled")
	film.clickOn(t, "#screen")
	film.becomes(t, "the screen is shown", "document.getElementById('preview').videoWidth > 0 && !document.getElementById('golive').disabled")
	film.clickOn(t, "#golive")
	film.says(t, "#b-live", "You are live")
	viewer.plays(t)
	viewer.atLive(t)
	p50, most, n := viewer.delay(t, measured)
	t.Logf("from the screen to the viewer's: %v, at most %v, in %d looks", p50, most, n)
	if n == 0 {
		t.Error("the viewer does not see what is shared")
	}

	// Whoever shares ends that in the browser's own bar, which cannot be clicked here: the page is told the same.
	film.eval(t, `(() => { const [t] = document.getElementById('preview').srcObject.getVideoTracks(); t.stop(); t.dispatchEvent(new Event('ended')); })()`, nil)
	film.says(t, "#told", "The screen is shared no longer")
	film.says(t, "#b-live", "You are live")
	film.faultless(t)
	viewer.faultless(t)
}
