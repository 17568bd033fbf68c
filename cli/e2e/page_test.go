//go:build e2e

package e2e

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/codecs"

	"relay/cli/e2e/internal/contention"
	"relay/cli/e2e/internal/wait"
	"relay/ingest/flv"
	"relay/playback/api"
)

// These are the bounds that the page must meet on a machine that has nothing else to do. On a
// busy one they are longer: see [contention.Gauge.Factor].
const (
	mostToStart = time.Second            // from the request for the page to the first frame
	mostBehind  = 600 * time.Millisecond // from the camera to the screen
	pageRuns    = 10
	measured    = 3 * time.Second
	// startMeasured is the same for each of pageRuns.
	startMeasured = 2 * time.Second
)

// pageOf returns the URL of the page of the node that plays a channel at address.
func pageOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return "http://" + u.Host + "/"
}

func times(d time.Duration, factor float64) time.Duration {
	return time.Duration(float64(d) * factor)
}

func sorted(d []time.Duration) []time.Duration {
	d = slices.Clone(d)
	slices.Sort(d)
	return d
}

// sinking is the longest time that the page stays further behind after stalls, as on a busy
// machine. It keeps up to 1.5 s buffered, and after 30 s without another stall it reduces that
// by 10 ms per second (playback/web/pace.js).
const sinking = 30*time.Second + (1500-200)/10*time.Second

// atLive waits until the picture has been within mostBehind of live, in the middle, for a
// while. A page that has had stalls gets the time that it needs to reduce its buffer again.
func (p *tab) atLive(t *testing.T) {
	t.Helper()
	wait.For(t, patience+sinking, p.name+" is at live", func() error {
		gauge := contention.Begin()
		p50, most, n := p.delay(t, measured)
		if f := gauge.Factor(); n < int(float64(measured/time.Second)*10/f) || p50 > times(mostBehind, f) {
			return fmt.Errorf("%v behind, at most %v, in %d looks, on a machine %.1f times as slow", p50, most, n, f)
		}
		return nil
	})
}

// TestPageStartsAtOnceAtLive opens the page of a watcher again and again.
func TestPageStartsAtOnceAtLive(t *testing.T) {
	w := newWorld(t)
	src := w.source()
	node := w.watch(src.link)
	encodeClock(t, src.rtmp, 640, 360)
	play(t, "viewer", node.url).gets(t, 100)
	b := startBrowser(t)
	gauge := contention.Begin()

	var starts, delays, worst []time.Duration
	for range pageRuns {
		p := b.open(t, pageOf(t, node.url), nil)
		p.plays(t)
		sleep(t, startMeasured)
		p50, most, n := p.delay(t, startMeasured-500*time.Millisecond)
		if n == 0 {
			t.Fatal("no clock was read from the picture")
		}
		starts = append(starts, time.Duration(p.number(t, "relayTest.first")*float64(time.Millisecond)))
		delays = append(delays, p50)
		worst = append(worst, most)
		p.faultless(t)
		p.close(t)
	}
	t.Logf("page to first frame:              %s", spread(starts))
	t.Logf("behind live, middle of each run:  %s", spread(delays))
	t.Logf("behind live, worst of each run:   %s", spread(worst))
	f := gauge.Factor()
	t.Logf("everything takes %.1f times as long as on a machine with nothing else to do", f)
	if got := sorted(starts)[pageRuns/2]; got > times(mostToStart, f) {
		t.Errorf("the first frame takes %v, at most %v were right", got, times(mostToStart, f))
	}
	if got := sorted(delays)[pageRuns/2]; got > times(mostBehind, f) {
		t.Errorf("the picture is %v behind live, at most %v were right", got, times(mostBehind, f))
	}
}

// TestPageSurvivesItsSource pauses the encoder, and then replaces it with one that sends a
// smaller picture. The page goes on by itself, at live.
func TestPageSurvivesItsSource(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source()
	node := w.watch(src.link)
	b := startBrowser(t)
	p := b.open(t, pageOf(t, node.url), nil)
	p.says(t, "#state", "Waiting for the broadcaster")
	p.shot(t, "waiting")
	enc := encodeClock(t, src.rtmp, 640, 360)
	p.plays(t)
	p.atLive(t)
	p.says(t, "#b-live", "Live")
	p.says(t, "#b-place", "1 link from the source")
	p.shot(t, "playing")
	asked := p.requests(t, ".mp4")

	enc.paused.Store(true)
	p.says(t, "#state", "paused")
	sleep(t, 3*time.Second)
	p.shot(t, "stalled")
	before, cut := len(logged(t, src.tagLog)), 0
	enc.paused.Store(false)
	eventually(t, "the encoder goes on", func() error {
		if gone := strings.Count(src.err.String(), "encoder has gone"); gone > cut { // a busy machine made its pause longer than 10 s
			cut = gone
			enc.kill()
			enc = encodeClock(t, src.rtmp, 640, 360)
			return errors.New("it was started again")
		}
		if got := len(logged(t, src.tagLog)) - before; got < clockRate {
			return fmt.Errorf("%d tags came", got)
		}
		return nil
	})
	p.plays(t)
	p.atLive(t)

	enc.kill()
	p.says(t, "#b-live", "Paused")
	encodeClock(t, src.rtmp, 320, 180)
	eventually(t, "the picture has the new size", func() error {
		if got := p.number(t, "relayTest.video.videoWidth"); got != 320 {
			return fmt.Errorf("it is %v wide", got)
		}
		return nil
	})
	p.plays(t)
	p.atLive(t)
	p.says(t, "#b-format", "180p")
	if got := p.requests(t, ".mp4"); got != asked {
		t.Errorf("the page asked for the stream %d times more", got-asked)
	}

	src.interrupt(t)
	p.says(t, "#b-live", "Source away")
	p.says(t, "#what", "The source is away")
	if place := p.text(t, "#b-place"); strings.Contains(place, "source") {
		t.Errorf("beside that it says %q", place)
	}
	p.says(t, "#tree", "cut off")
	if tree := p.text(t, "#tree"); strings.Contains(tree, "source") {
		t.Errorf("and of the tree %q", tree)
	}
	p.shot(t, "away")
	p.faultless(t)
}

// TestPageFeelsNothingWhenAParentDies kills the node above the one whose page is open.
func TestPageFeelsNothingWhenAParentDies(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source("--max-children", "1")
	above := w.watch(src.link)
	node := w.watch(src.link)
	if st := status(t, node.url); st.Depth != 2 {
		t.Fatalf("the node is %d links from the source", st.Depth)
	}
	encodeClock(t, src.rtmp, 320, 180)
	b := startBrowser(t)
	p := b.open(t, pageOf(t, node.url), nil)
	p.plays(t)
	p.atLive(t)
	p.says(t, "#b-place", "2 links from the source")
	asked := p.requests(t, ".mp4")

	killed := p.number(t, "performance.now()")
	above.kill()
	p.says(t, "#b-place", "1 link from the source")
	p.plays(t)
	p.atLive(t)
	t.Logf("longest time without a new frame: %.0f ms", p.number(t, fmt.Sprintf("relayTest.freeze(%f)", killed)))
	if got := p.requests(t, ".mp4"); got != asked {
		t.Errorf("the page asked for the stream %d times more", got-asked)
	}
	p.faultless(t)
}

// TestPageComesBackWhenItsNodeDoes stops a node and starts it again at the same address.
func TestPageComesBackWhenItsNodeDoes(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source()
	encodeClock(t, src.rtmp, 320, 180)
	node := w.watch(src.link)
	b := startBrowser(t)
	p := b.open(t, pageOf(t, node.url), nil)
	p.plays(t)
	node.interrupt(t)
	p.says(t, "#state", "does not answer")
	p.shot(t, "lost")
	u, err := url.Parse(node.url)
	if err != nil {
		t.Fatal(err)
	}
	w.watch(src.link, "--http", u.Host)
	p.plays(t)
	p.atLive(t)
}

// TestPageDrawsTheTree looks at a chain and a branch.
func TestPageDrawsTheTree(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source("--max-children", "2")
	nodes := w.watchMany(4, src.link)
	encodeClock(t, src.rtmp, 320, 180)
	b := startBrowser(t)
	p := b.open(t, pageOf(t, nodes[3].url), map[string]any{"dark": true})
	p.plays(t)
	self := status(t, nodes[3].url)
	st, err := nodeStatus(nodes[3].url)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all nodes are drawn", func() error {
		if got := p.number(t, "document.querySelectorAll('#tree [data-node]').length"); got != 5 {
			return fmt.Errorf("%v are", got)
		}
		return nil
	})
	var marked []string
	p.eval(t, "[...document.querySelectorAll('#tree .self')].map((g) => g.dataset.node)", &marked)
	if want := []string{st.Node.ID[:12]}; !slices.Equal(marked, want) {
		t.Errorf("%v are marked as this node, not %v", marked, want)
	}
	name, err := os.Hostname() // which the parent goes by on this machine
	if err != nil {
		t.Fatal(err)
	}
	if got := p.text(t, "#b-place"); got != fmt.Sprintf("child of %s “%s”, %s", self.Parent.ID[:4], name, links(self.Depth)) {
		t.Errorf("the badge says %q; parent %s, depth %d", got, self.Parent.ID, self.Depth)
	}
	// With the keyboard: into the tree, and on to the next node.
	p.eval(t, "document.querySelector('#tree [tabindex=\"0\"]').focus()", nil)
	p.do(t, "press", map[string]any{"key": "ArrowUp"}, nil)
	p.says(t, "#treedetail", "slot")
	p.shot(t, "tree")
	p.faultless(t)
}

func links(n int) string {
	if n == 1 {
		return "1 link from the source"
	}
	return fmt.Sprintf("%d links from the source", n)
}

// TestPageFitsAPhone looks at small screens, and taps for sound.
func TestPageFitsAPhone(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source()
	nodes := w.watchMany(3, src.link)
	encodeClock(t, src.rtmp, 320, 180)
	b := startBrowser(t)
	for _, size := range [][2]int{{320, 568}, {390, 844}, {844, 390}} {
		name := fmt.Sprintf("phone-%dx%d", size[0], size[1])
		p := b.open(t, pageOf(t, nodes[2].url), map[string]any{"width": size[0], "height": size[1], "phone": true})
		p.plays(t)
		if p.text(t, "#treesum") != "" {
			t.Errorf("%s: the tree is shown to a phone that has not asked for it", name)
		}
		if below := p.number(t, "document.querySelector('#share').getBoundingClientRect().bottom - innerHeight"); below > 0 && size[0] < size[1] {
			t.Errorf("%s: Share is %v pixels below the screen", name, below)
		}
		p.shot(t, name)
		p.clickOn(t, "#details")
		p.says(t, "#treesum", "4 nodes")
		if over := p.number(t, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
			t.Errorf("%s: the page is %v pixels too wide", name, over)
		}
		var small []string
		p.eval(t, `[...document.querySelectorAll('button, a, input')].filter((e) => e.checkVisibility())
			.filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.outerHTML)`, &small)
		if len(small) > 0 {
			t.Errorf("%s: too small for a finger: %v", name, small)
		}
		p.shot(t, name+"-details")
		p.clickOn(t, "#video")
		p.becomes(t, "a tap on the picture brings the sound", "!relayTest.video.muted && document.querySelector('#volume').value === '1'")
		p.plays(t)
		p.faultless(t)
		p.close(t)
	}
}

// TestPageSpeaks opens the page on a phone in each language, puts whatever it may say where that is said, and
// looks whether it fits.
func TestPageSpeaks(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source()
	encodeClock(t, src.rtmp, 320, 180)
	b := startBrowser(t)
	for locale, said := range map[string][3]string{ // its tag, Share, and that there is no such channel
		"en-GB": {"en", "Share", "There is no such channel here"},
		"de-AT": {"de", "Teilen", "Diesen Kanal gibt es hier nicht"},
		"es-MX": {"es", "Compartir", "Ese canal no existe aquí"},
		"fr-FR": {"fr", "Partager", "Cette chaîne n’existe pas ici"},
		"ja-JP": {"ja", "共有", "そのチャンネルはここにありません"},
		"zh-CN": {"zh-Hans", "分享", "这里没有这个频道"},
	} {
		tag := said[0]
		p := b.open(t, pageOf(t, src.url), map[string]any{"width": 320, "height": 568, "phone": true, "locale": locale})
		p.plays(t)
		p.says(t, "#share", said[1])
		p.becomes(t, tag+" is the language of the page", fmt.Sprintf("document.documentElement.lang === %q", tag))
		p.shot(t, tag)
		p.clickOn(t, "#details")
		p.becomes(t, "the tree is told", "document.querySelector('#treesum').textContent")
		p.fits(t, tag)
		p.isOpenToAll(t, tag)
		p.shot(t, tag+"-details")
		var cut []string
		if p.eval(t, fmt.Sprintf(everySentence, tag), &cut); len(cut) > 0 {
			t.Errorf("%s: not all is seen of %s", tag, strings.Join(cut, "\n"))
		}
		p.fits(t, tag+", whatever it says")
		p.clickOn(t, "#share")
		p.becomes(t, "a link is shown", "document.querySelector('#share-link')")
		p.becomes(t, "it is all there", "document.querySelector('.sharesheet').getAnimations().length === 0")
		p.fits(t, tag+", sharing")
		p.shot(t, tag+"-share")
		for _, other := range []string{"de", "es", "fr", "ja", "zh-Hans"} {
			// The sentences are asked for by the page, and once more by this test.
			if n := p.requests(t, "/lang/"+other+".js"); n > 0 != (other == tag) {
				t.Errorf("%s: the sentences in %s were asked for %d times", tag, other, n)
			}
		}
		p.faultless(t)
		p.close(t)
		p = b.open(t, pageOf(t, src.url)+"?lang="+tag+"#zzzzzzzz", map[string]any{"width": 320, "height": 568, "phone": true})
		p.says(t, "#what", said[2])
		p.becomes(t, "other channels keep the language", fmt.Sprintf("document.querySelector('#channellist a').search === '?lang=%s'", tag))
		p.fits(t, tag+", by the address")
		p.shot(t, tag+"-none")
		p.close(t)
	}
}

// everySentence is JavaScript that puts each title, badge and word of a button of a language into its place, and
// returns those that are cut there.
const everySentence = `import(new URL('web/lang/%s.js', location.href)).then(({ default: all }) => {
	const cut = [];
	document.querySelector('#stage').classList.add('awake'); // or its controls are not seen, and the offer of sound has their place
	const put = (selector, keys) => {
		const e = document.querySelector(selector);
		const shown = e.closest('[hidden]');
		if (shown) shown.hidden = false;
		const before = e.textContent;
		for (const [key, entry] of Object.entries(all).filter(([key]) => keys.test(key))) {
			for (const text of typeof entry === 'string' ? [entry] : Object.values(entry)) {
				e.textContent = text.replace(/\{\w+\}/g, '12,3 s');
				const { left, right } = e.getBoundingClientRect();
				if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline' || left < 0 || right > document.documentElement.clientWidth) cut.push(key + ': ' + e.textContent);
			}
		}
		e.textContent = before;
		if (shown) shown.hidden = true;
	};
	put('#what', /\.title/);
	put('#next', /\.(text|late|private)$/);
	put('#action', /^action\./);
	put('#b-live', /\.badge$/);
	put('#b-place', /^(place|reach|dropped|left|badge)\./);
	put('#b-viewers', /^watching\./);
	put('#share span', /^page\.(share|details)$/);
	for (const offered of [true, false]) { // sound is offered for some seconds
		document.querySelector('#mute').classList.toggle('offered', offered);
		put('#livetext', /^controls\.(live|behind)$/);
	}
	return cut;
})`

// fits checks that nothing of the page is wider than the screen, nor a word wider than its button or badge.
func (p *tab) fits(t *testing.T, when string) {
	t.Helper()
	var cut []string
	if p.eval(t, tooWide, &cut); len(cut) > 0 {
		t.Errorf("%s: not all is seen of %v", when, cut)
	}
}

// tooWide is JavaScript that returns what of the page is not all seen.
const tooWide = `[...document.querySelectorAll('html, button, .badge, .links a, .panel h2, .legend span, .sheet h2, .sheet label, #offer, #livetext, kbd, dialog[open], .fields, div.line')]
	.filter((e) => e.checkVisibility({ opacityProperty: true }) && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
	.concat([...document.querySelectorAll('#state')].filter((e) => e.scrollHeight > e.clientHeight))
	.map((e) => e.outerHTML.slice(0, 200))`

// TestPageObeysTheKeyboard pauses, goes on and unmutes by keys alone.
func TestPageObeysTheKeyboard(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source()
	encodeClock(t, src.rtmp, 320, 180)
	b := startBrowser(t)
	p := b.open(t, pageOf(t, src.url), nil)
	p.plays(t)
	is := func(what, js string) {
		t.Helper()
		p.becomes(t, what, js)
	}
	press := func(key string) { p.press(t, key) }
	is("while muted the slider is at the bottom", "relayTest.video.muted && document.querySelector('#volume').value === '0'")
	press(" ")
	is("space pauses", "document.querySelector('#stage').classList.contains('paused')")
	press(" ")
	is("space plays", "!document.querySelector('#stage').classList.contains('paused')")
	p.plays(t)
	p.atLive(t)
	press("m")
	is("m unmutes", "!relayTest.video.muted")
	press("m")
	is("m mutes", "relayTest.video.muted")
	press("f")
	is("f fills the screen", "document.fullscreenElement !== null")
	press("f")
	is("f leaves it", "document.fullscreenElement === null")
	press("d")
	is("d hides the details", "!document.querySelector('#treepanel').checkVisibility()")
	press("?")
	is("? tells the keys", "document.querySelector('.keysheet[open] kbd').checkVisibility()")
	press("m")
	is("no key acts behind what is open", "relayTest.video.muted")
	press("Escape")
	is("Escape closes it", "!document.querySelector('dialog[open]')")
	press("p")
	is("p lets the picture float", "document.pictureInPictureElement === relayTest.video")
	press("p")
	is("p brings it back", "document.pictureInPictureElement === null")
	for range 4 {
		press("Tab")
	}
	is("the focus is on something visible", "document.activeElement !== document.body && document.activeElement.checkVisibility()")
}

// TestPageShares copies a link as on a network without https, where a browser has no clipboard for
// pages.
func TestPageShares(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source()
	encodeClock(t, src.rtmp, 320, 180)
	b := startBrowser(t)
	for _, dark := range []bool{false, true} {
		name := map[bool]string{false: "light", true: "dark"}[dark]
		p := b.open(t, pageOf(t, src.url), map[string]any{"width": 1280, "height": 800, "dark": dark, "before": `
			Object.defineProperty(navigator, 'clipboard', { value: undefined });
			document.addEventListener('copy', () => { window.copied = document.activeElement.value; });`})
		p.plays(t)
		p.isOpenToAll(t, name)
		p.shot(t, name)
		p.clickOn(t, "#share")
		p.becomes(t, "a link is shown", "document.querySelector('#share-link')")
		p.becomes(t, "it is all there", "document.querySelector('.sharesheet').getAnimations().length === 0")
		p.shot(t, name+"-share")
		p.isOpenToAll(t, name+", sharing")
		if !dark { // the colours make no difference to the rest
			p.clickOn(t, "#share-relay + button")
			p.becomes(t, "the line for relay is copied", fmt.Sprintf("window.copied === \"relay watch '%s'\"", src.link))
			p.says(t, ".said", "Copied")
			for range 6 {
				p.press(t, "Tab")
				p.becomes(t, "the focus stays inside", "document.activeElement === document.body || document.activeElement.closest('.sharesheet')")
			}
			p.press(t, "Escape")
			p.becomes(t, "Escape gives the focus back", "!document.querySelector('dialog[open]') && document.activeElement.id === 'share'")
			p.press(t, "?")
			p.becomes(t, "the keys are all there", "document.querySelector('.keysheet[open]')?.getAnimations().length === 0")
			p.isOpenToAll(t, name+", keys")
		}
		p.faultless(t)
		p.close(t)
	}
}

// TestOtherSitesShowThePictureIfNamed has two sites with a frame and a script: one is named by
// --embed, and the other is the same machine under another name.
func TestOtherSitesShowThePictureIfNamed(t *testing.T) {
	browsing.Take(t)
	var node string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `<!doctype html><title>site</title><iframe src="%sembed" width="480" height="270" allow="autoplay; fullscreen"></iframe>`, node)
	}))
	t.Cleanup(site.Close)
	w := newWorld(t)
	src := w.source("--embed", site.URL)
	node = pageOf(t, src.url)
	encodeClock(t, src.rtmp, 320, 180)
	b := startBrowser(t)
	in := func(p *tab, frame int, js string, result any) {
		t.Helper()
		p.do(t, "eval", map[string]any{"js": js, "frame": frame}, result)
	}
	const media = `fetch('%s').then((r) => r.body.getReader().read()).then(({ value }) => value.length > 0, () => false)`

	p := b.open(t, site.URL, nil)
	eventually(t, "the frame plays", func() error {
		var n int
		if in(p, 1, "relayTest.frames", &n); n < clockRate {
			return fmt.Errorf("%d frames", n)
		}
		return nil
	})
	p.shot(t, "embedded")
	var got bool
	if in(p, 0, fmt.Sprintf(media, src.url), &got); !got {
		t.Error("a script of the site does not get the media")
	}
	p.faultless(t)
	if in(p, 0, fmt.Sprintf(media, node+"api/v1/channels"), &got); got {
		t.Error("a script of the site gets more than the media")
	}

	q := b.open(t, strings.Replace(site.URL, "127.0.0.1", "localhost", 1), nil)
	eventually(t, "the other site's frame is refused", func() error {
		var at string
		if in(q, 1, "location.href", &at); !strings.HasPrefix(at, "chrome-error:") {
			return fmt.Errorf("it is at %q", at)
		}
		return nil
	})
	if in(q, 0, fmt.Sprintf(media, src.url), &got); got {
		t.Error("a script of the other site gets the media")
	}
}

// TestPageSaysWhatItCannotDecode replaces an encoder with one that sends HEVC, which Debian's
// Chromium lacks, and then with one that sends H.264 again.
func TestPageSaysWhatItCannotDecode(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source()
	b := startBrowser(t)
	p := b.open(t, pageOf(t, src.url), nil)
	enc := encodeClock(t, src.rtmp, 320, 180)
	p.plays(t)
	enc.kill()
	p.says(t, "#b-live", "Paused")
	client, _ := published(t, src)
	units := hevcUnits(t)
	writer := &gortmplib.Writer{Conn: client, Tracks: []*gortmplib.Track{hevcTrack(t)}}
	if err := writer.Initialize(); err != nil {
		t.Fatal(err)
	}
	raw := rawWriter(client)
	key := []byte("\x91hvc1\x00\x00\x00") // an enhanced key frame; gortmplib's own writer marks none
	for _, u := range units[3:] {
		key = append(binary.BigEndian.AppendUint32(key, uint32(len(u))), u...)
	}
	go func() { // ends with the connection
		tick := time.NewTicker(at(1))
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-t.Context().Done():
				return
			case <-tick.C:
			}
			if sendRaw(raw, flv.Video, at(i), key) != nil {
				return
			}
		}
	}()
	eventually(t, "the source shows HEVC", func() error {
		st, err := channelStatus(src.url)
		if err == nil && (st.Codec.Video != "hevc" || st.State != api.Live) {
			err = fmt.Errorf("it shows %+v, %s", st.Codec, st.State)
		}
		return err
	})
	p.says(t, "#what", "can’t decode HEVC")
	p.says(t, "#statelinks", "VLC")
	var hrefs []string
	p.eval(t, "[...document.querySelectorAll('#statelinks a')].map((a) => a.href)", &hrefs)
	if len(hrefs) == 0 {
		t.Error("there is nothing to open instead")
	}
	p.shot(t, "hevc")
	client.Close()
	eventually(t, "the source sees the encoder go", func() error {
		st, err := channelStatus(src.url)
		if err == nil && st.State == api.Live {
			err = errors.New("not yet")
		}
		return err
	})
	encodeClock(t, src.rtmp, 320, 180)
	p.plays(t)
	p.atLive(t)
	p.faultless(t)
}

// hevcUnits returns a VPS, SPS and PPS, and the NAL units of a key frame.
func hevcUnits(t *testing.T) [][]byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "frame.hevc")
	faultless(t, "ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25",
		"-frames:v", "1", "-c:v", "libx265", "-x265-params", "log-level=none:info=0", "-f", "hevc", file)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	units := annexB(b)
	if len(units) < 4 {
		t.Fatalf("%d NAL units", len(units))
	}
	return units
}

// hevcTrack is a track of HEVC with the parameter sets of hevcUnits.
func hevcTrack(t *testing.T) *gortmplib.Track {
	t.Helper()
	units := hevcUnits(t)
	return &gortmplib.Track{Codec: &codecs.H265{VPS: units[0], SPS: units[1], PPS: units[2]}}
}

// annexB splits a byte stream at its start codes.
func annexB(b []byte) [][]byte {
	var units [][]byte
	start := -1
	for i := 0; i+3 <= len(b); i++ {
		if b[i] != 0 || b[i+1] != 0 || b[i+2] != 1 {
			continue
		}
		if start >= 0 {
			end := i
			if b[end-1] == 0 { // the start code has four bytes
				end--
			}
			units = append(units, b[start:end])
		}
		start = i + 3
	}
	if start >= 0 {
		units = append(units, b[start:])
	}
	return units
}

// TestHiddenTabsLetGoOfTheStream opens more tabs than a browser has connections to one node.
// The hidden ones let go of the stream, and the visible one gets a picture. The first keeps its own,
// which floats over other windows.
func TestHiddenTabsLetGoOfTheStream(t *testing.T) {
	browsing.Take(t)
	const tabs = 8
	w := newWorld(t)
	src := w.source()
	encodeClock(t, src.rtmp, 320, 180)
	b := startBrowser(t)
	var all []*tab
	for range tabs {
		p := b.open(t, pageOf(t, src.url), map[string]any{"profile": "one"})
		p.plays(t)
		all = append(all, p)
		if len(all) == 1 {
			p.press(t, "p")
			p.becomes(t, "the picture floats", "document.pictureInPictureElement")
		}
		if len(all) < tabs {
			p.do(t, "hide", map[string]any{"hidden": true}, nil)
		}
	}
	eventually(t, "only the tab that is seen and the picture that floats take the stream", func() error {
		st, err := channelStatus(src.url)
		if err == nil && st.ViewerCount != 2 {
			err = fmt.Errorf("%d do", st.ViewerCount)
		}
		return err
	})
	all[0].plays(t)
	all[1].says(t, "#what", "Resting")
	last := all[tabs-1]
	last.do(t, "hide", map[string]any{"hidden": true}, nil)
	all[1].do(t, "hide", map[string]any{"hidden": false}, nil)
	all[1].plays(t)
	all[1].atLive(t)
}

// TestTabWithoutAConnectionSaysSo opens as many visible tabs as may take a stream, and one
// more.
func TestTabWithoutAConnectionSaysSo(t *testing.T) {
	browsing.Take(t)
	const most = 5
	w := newWorld(t)
	src := w.source()
	encodeClock(t, src.rtmp, 320, 180)
	b := startBrowser(t)
	var all []*tab
	for range most {
		p := b.open(t, pageOf(t, src.url), map[string]any{"profile": "one"})
		p.plays(t)
		all = append(all, p)
	}
	late := b.open(t, pageOf(t, src.url), map[string]any{"profile": "one"})
	late.says(t, "#what", "Waiting for a free connection")
	late.says(t, "#next", "5 other tabs")
	late.shot(t, "queued")
	all[0].plays(t)
	all[0].close(t)
	late.plays(t)
}

// TestPageTakesAStrangersTitleAsText gives a channel a title with markup in it.
func TestPageTakesAStrangersTitleAsText(t *testing.T) {
	browsing.Take(t)
	const title = `<img src=x onerror="document.body.remove()">&amp; <b>Late show</b>`
	w := newWorld(t)
	src := w.source("--title", title)
	node := w.watch(src.link)
	encodeClock(t, src.rtmp, 320, 180)
	b := startBrowser(t)
	p := b.open(t, pageOf(t, node.url), nil)
	p.plays(t)
	p.says(t, "#title", title)
	if n := p.number(t, "document.querySelectorAll('img').length"); n != 0 {
		t.Errorf("there are %v images", n)
	}
	var name string
	if p.eval(t, "document.title", &name); name != title+" · relay" {
		t.Errorf("the tab is called %q", name)
	}
	p.faultless(t)
}

// TestPageNamesAWrongChannel asks for a channel that the node does not have, in each way that
// an address can name one, and then picks the right one from the list.
func TestPageNamesAWrongChannel(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source()
	encodeClock(t, src.rtmp, 320, 180)
	play(t, "viewer", src.url).gets(t, 50)
	b := startBrowser(t)
	page := pageOf(t, src.url)
	name := channelName(t, src.url)
	for _, way := range []string{"#%s", "?ch=%s"} { // the start of an ID that matches no channel of the node
		p := b.open(t, page+fmt.Sprintf(way, name[:3]), nil)
		p.says(t, "#what", "There is no such channel here")
		if n := p.requests(t, ".mp4"); n != 0 {
			t.Errorf("%s: a stream was asked for %d times", way, n)
		}
		p.close(t)
	}
	for _, way := range []string{"%s", "#%s", "?ch=%s"} {
		p := b.open(t, page+fmt.Sprintf(way, "zzzzzzzz"), nil)
		p.says(t, "#what", "There is no such channel here")
		p.do(t, "click", map[string]any{"selector": "#channellist a"}, nil)
		p.plays(t)
		p.faultless(t)
		p.close(t)
		p = b.open(t, page+fmt.Sprintf(way, name[:4]), nil)
		p.plays(t)
		if n := p.requests(t, ".mp4"); n != 1 {
			t.Errorf("%s: the stream was asked for %d times", way, n)
		}
		p.close(t)
	}
}

// channelName is the short form of the ID of the channel that a player finds at address.
func channelName(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(u.Path, "/"), ".flv")
}

// TestPageDoesNotGrow watches for a while how much the page keeps. It must release media that
// it has played, and its own memory must not grow.
func TestPageDoesNotGrow(t *testing.T) {
	browsing.Take(t)
	const most = 25 // s of media: what is kept, the slack until it is trimmed, and a GOP
	w := newWorld(t)
	src := w.source()
	encodeClock(t, src.rtmp, 320, 180)
	b := startBrowser(t)
	p := b.open(t, pageOf(t, src.url), nil)
	p.plays(t)
	held := func() float64 {
		return p.number(t, "[...Array(relayTest.video.buffered.length).keys()].reduce((s, i) => s + relayTest.video.buffered.end(i) - relayTest.video.buffered.start(i), 0)")
	}
	var longest float64
	eventually(t, "played media is let go, twice", func() error {
		now := held()
		if now > most {
			t.Fatalf("%v s are kept", now)
		}
		longest = max(longest, now)
		if from := p.number(t, "relayTest.video.buffered.start(0)"); from < p.number(t, "(window.startedAt ??= relayTest.video.buffered.start(0))")+20 {
			return fmt.Errorf("it begins at %v", from)
		}
		return nil
	})
	t.Logf("at most %.1f s of media were kept", longest)
	if n := p.number(t, "document.querySelectorAll('*').length"); n > 500 {
		t.Errorf("the page has %v elements", n)
	}
}

// TestPageWithoutMediaSource takes from the browser what an iPhone lacks: first MediaSource, so
// that the page uses the managed one, and then that too, so that it is left with HLS or with
// nothing.
func TestPageWithoutMediaSource(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source()
	encodeClock(t, src.rtmp, 320, 180)
	play(t, "viewer", src.url).gets(t, 100)
	b := startBrowser(t)
	without := func(js string) *tab {
		return b.open(t, pageOf(t, src.url), map[string]any{"before": js})
	}

	p := without("window.ManagedMediaSource = window.MediaSource; delete window.MediaSource")
	p.plays(t)
	p.atLive(t)
	var remote bool
	if p.eval(t, "relayTest.video.disableRemotePlayback", &remote); !remote {
		t.Error("the managed source would not open on an iPhone: remote playback is allowed")
	}
	p.close(t)

	p = without("delete window.MediaSource; delete window.ManagedMediaSource")
	p.plays(t)
	p.says(t, "#b-delay", "HLS")
	if p.requests(t, "/index.m3u8") == 0 {
		t.Error("it does not play HLS")
	}
	p.faultless(t)
	p.close(t)

	p = without("delete window.MediaSource; delete window.ManagedMediaSource; HTMLMediaElement.prototype.canPlayType = () => ''")
	p.says(t, "#what", "can’t play live streams")
	p.says(t, "#statelinks", "VLC")
}

// crowd answers the page's request for the tree with a tree of n nodes, with three children
// each. Of those in the middle, one has fallen behind, one has lost chunks and one has no
// parent. The page belongs to the node with the number self.
func crowd(n, self int) string {
	type node = api.TreeNode
	t := api.ChannelTree{}
	id := func(i int) string { return fmt.Sprintf("%04dabcdefgh", i) }
	var add func(i, parent, depth int, delay int64)
	add = func(i, parent, depth int, delay int64) {
		if i >= n {
			return
		}
		below := max(0, min(3, n-1-3*i))
		if i == 2 {
			delay += 640
		}
		at := len(t.Nodes)
		t.Nodes = append(t.Nodes, node{
			ID: id(i), Parent: parent, Depth: depth, Slots: 4, SlotsFree: 4 - below, Children: below,
			DelayMs: delay, UploadBPS: int64(below) * 2_000_000, UptimeS: 4000, Version: "1.0",
		})
		if i == 3 {
			t.Nodes[at].Lost = 12
		}
		if i == n-1 {
			t.Nodes[at].Orphan = true
		}
		for c := range 3 {
			add(3*i+1+c, at, depth+1, delay+int64(3+i%7))
		}
	}
	add(0, -1, 0, 0)
	t.Self, t.SeenBy = id(self), id(0)
	t.Summary = api.TreeSummary{Nodes: n, MaxDepth: 4, WorstDelayMs: 700, Lost: 12, Orphans: 1}
	answer, err := json.Marshal(api.Trees{Channels: []api.ChannelTree{t}})
	if err != nil {
		panic(err) // it is made of strings and numbers
	}
	return fmt.Sprintf(`const ask = window.fetch;
		window.fetch = (url, ...rest) => String(url).includes("api/v1/tree") ? Promise.resolve(new Response(%q)) : ask(url, ...rest);`, answer)
}

// TestPageDrawsACrowd shows trees of many nodes on a wide and on a narrow screen.
func TestPageDrawsACrowd(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source()
	encodeClock(t, src.rtmp, 320, 180)
	b := startBrowser(t)
	for _, c := range []struct {
		nodes, width, height int
		whole                bool
	}{
		{22, 1280, 800, true},
		{22, 360, 740, true},
		{400, 1280, 800, false},
		{400, 360, 740, false},
	} {
		name := fmt.Sprintf("crowd-%d-%d", c.nodes, c.width)
		p := b.open(t, pageOf(t, src.url), map[string]any{"width": c.width, "height": c.height, "before": crowd(c.nodes, 10)})
		p.plays(t)
		if c.width < 960 {
			p.clickOn(t, "#details")
		}
		p.says(t, "#treesum", fmt.Sprintf("%d nodes", c.nodes))
		drawn := int(p.number(t, "document.querySelectorAll('#tree [data-node]').length"))
		counted := int(p.number(t, "[...document.querySelectorAll('#tree .count text')].reduce((n, e) => n + Number(e.textContent), 0)"))
		if drawn+counted != c.nodes || (counted == 0) != c.whole {
			t.Errorf("%s: %d nodes are drawn and %d counted", name, drawn, counted)
		}
		if n := p.number(t, "document.querySelectorAll('#tree .slow-band').length"); n != 1 {
			t.Errorf("%s: %v subtrees are shown as slow", name, n)
		}
		if n := p.number(t, "document.querySelectorAll('#tree .self').length"); n != 1 {
			t.Errorf("%s: %v nodes are shown as this one", name, n)
		}
		if over := p.number(t, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
			t.Errorf("%s: the page is %v pixels too wide", name, over)
		}
		p.shot(t, name)
		p.faultless(t)
		p.close(t)
	}
}

// TestPageListsSeveralChannels opens the page of a node that carries two channels, and goes
// from one to the other and back.
func TestPageListsSeveralChannels(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	one := w.source("--title", "Finals, table 1", "--channel", "one")
	two := w.source("--title", "Finals, table 2", "--channel", "two")
	encodeClock(t, one.rtmp, 640, 360)
	encodeClock(t, two.rtmp, 320, 180)
	node := start(t, "serve", relayBin, "serve", one.link, two.link, "--listen", loopback, "--http", loopback,
		"--thumbnails", "--admin", "off", "--config", w.path("serve"))
	page := node.find(t, &node.err, `(http://127\.0\.0\.1:\d+)`) + "/"
	b := startBrowser(t)
	p := b.open(t, page, nil)
	p.says(t, "#channels", "Choose a channel")
	p.says(t, "#channellist", "Finals, table 1")
	p.says(t, "#channellist", "Finals, table 2")
	p.says(t, "#channellist", "180p30")
	eventually(t, "there is a picture of each", func() error {
		if got := p.number(t, "[...document.querySelectorAll('.thumb img')].filter((i) => i.complete && i.naturalWidth > 0).length"); got != 2 {
			return fmt.Errorf("of %v", got)
		}
		return nil
	})
	p.shot(t, "channels")
	wide := func(title string, width float64) {
		t.Helper()
		p.says(t, "#title", title)
		eventually(t, "the picture is that channel's", func() error {
			if got := p.number(t, "relayTest.video.videoWidth"); got != width {
				return fmt.Errorf("it is %v wide", got)
			}
			return nil
		})
		p.plays(t)
	}
	link := func(s *source) string {
		return fmt.Sprintf("#channellist a[href='%s']", channelName(t, s.url))
	}
	p.do(t, "click", map[string]any{"selector": link(one)}, nil)
	wide("Finals, table 1", 640)
	p.do(t, "click", map[string]any{"selector": link(two)}, nil)
	wide("Finals, table 2", 320)
	p.shot(t, "channel")
	p.eval(t, "history.back()", nil)
	wide("Finals, table 1", 640)
	p.faultless(t)
}

// TestPageRecovers breaks one append to the browser's buffer, in each way that it can
// fail. The page plays on, at live, and asks for the stream anew only where it must.
func TestPageRecovers(t *testing.T) {
	browsing.Take(t)
	w := newWorld(t)
	src := w.source()
	encodeClock(t, src.rtmp, 320, 180)
	play(t, "viewer", src.url).gets(t, 100)
	b := startBrowser(t)
	for _, c := range []struct {
		name, once string
		most       int // requests
	}{
		{"bytes that are no media", "append.call(this, new Uint8Array(1000).fill(7))", 2}, // the browser may skip them, and what follows
		{"a full buffer", "throw new DOMException('full', 'QuotaExceededError')", 1},
		{"a second of media lost", "skip = performance.now() + 1000", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := b.open(t, pageOf(t, src.url), map[string]any{"before": `
				const append = SourceBuffer.prototype.appendBuffer;
				let skip = 0;
				window.breakOnce = false;
				SourceBuffer.prototype.appendBuffer = function (bytes) {
					if (breakOnce) {
						breakOnce = false;
						return ` + `(() => { ` + c.once + ` }).call(this);
					}
					if (performance.now() < skip) { // as if the data had never come
						setTimeout(() => this.dispatchEvent(new Event('updateend')));
						return undefined;
					}
					return append.call(this, bytes);
				};`})
			p.plays(t)
			p.atLive(t)
			p.eval(t, "breakOnce = true", nil)
			eventually(t, "it is broken", func() error {
				var still bool
				if p.eval(t, "breakOnce", &still); still {
					return errors.New("not yet")
				}
				return nil
			})
			sleep(t, time.Second) // what was buffered plays on
			p.plays(t)
			p.atLive(t)
			if got := p.requests(t, ".mp4"); got > c.most {
				t.Errorf("the page asked for the stream %d times, where %d are enough", got, c.most)
			}
			p.faultless(t)
			p.close(t)
		})
	}
}
