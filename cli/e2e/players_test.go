//go:build e2e

package e2e

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"relay/cli/e2e/internal/contention"
)

// These are the bounds that players must meet, on one machine: the median time behind live.
const (
	mostBehindVLC = 1200 * time.Millisecond
	mostBehindMPV = 800 * time.Millisecond
	// leastShown is the least share of the encoder's pictures that a player must show.
	leastShown = 0.8
	// settling is how long after its first picture the measurement of a player begins, and
	// playing is how long it lasts.
	settling = 2 * time.Second
	playing  = 4 * time.Second
	// late is how old a group of pictures is when a player comes and must begin with it.
	late = 1500 * time.Millisecond
	// attempts is how often a player is measured if it misses its bounds, because a machine
	// that is busy for a minute says nothing about the player.
	attempts = 3
)

// screenOf runs a player once, with the flags that relay watch --player gives it.
type screenOf func(t *testing.T, url string, during time.Duration) *screen

var playersHere = map[string]screenOf{
	"mpv": func(t *testing.T, url string, during time.Duration) *screen {
		return onMPV(t, url, []string{"--profile=low-latency", "--really-quiet"}, during)
	},
	"vlc": func(t *testing.T, url string, during time.Duration) *screen {
		return onVLC(t, url, []string{"--network-caching=300", "--quiet"}, during)
	},
	"ffplay": func(t *testing.T, url string, during time.Duration) *screen {
		return onFFplay(t, url, []string{"-loglevel", "error", "-fflags", "nobuffer", "-flags", "low_delay", "-framedrop", "-analyzeduration", "500000"}, during)
	},
}

// performance holds the figures of one run of a player.
type performance struct {
	player, output, start string

	first     time.Duration // from the start of its process to its first picture
	p50, most time.Duration // behind live
	looks     int
	shown     float64 // share of the pictures that were made meanwhile
	legible   float64 // share of the pictures whose clock was looked at
	slow      float64 // how many times longer everything took than on a machine with nothing else to do
}

// perform measures a player that comes when the group of pictures is old.
func perform(t *testing.T, player, url, output, start string) performance {
	t.Helper()
	if _, err := exec.LookPath(player); err != nil {
		t.Fatalf("%s is needed (make tools installs it): %v", player, err)
	}
	v := play(t, "viewer that waits for a key frame", url)
	defer v.leave()
	v.waitForKey(t)
	sleep(t, late)
	gauge := contention.Begin()
	s := playersHere[player](t, strings.TrimSuffix(url, ".flv")+output+"?start="+start, settling+playing)
	p := performance{player: player, output: output, start: start, slow: gauge.Factor()}
	if len(s.shown) == 0 {
		t.Errorf("%s showed nothing of %s", player, output)
		return p
	}
	p.first = s.shown[0].Sub(s.began)
	from := s.shown[0].Add(settling)
	n := 0
	for _, at := range s.shown {
		if !at.Before(from) && at.Before(from.Add(playing)) {
			n++
		}
	}
	p.shown = float64(n) / (clockRate * playing.Seconds())
	var behind []time.Duration
	for _, l := range s.looks {
		if !l.at.Before(from) {
			behind = append(behind, l.behind)
		}
	}
	if p.looks = len(behind); p.looks == 0 {
		t.Errorf("no clock was read from what %s showed of %s", player, output)
		return p
	}
	garbled := 0
	for _, at := range s.garbled {
		if !at.Before(from) {
			garbled++
		}
	}
	p.legible = float64(p.looks) / float64(p.looks+garbled)
	slices.Sort(behind)
	p.p50, p.most = behind[len(behind)/2], behind[len(behind)-1]
	return p
}

// waitForKey waits until one more key frame has come.
func (v *viewer) waitForKey(t *testing.T) {
	t.Helper()
	from := len(v.got())
	eventually(t, v.name+" gets one", func() error {
		for _, g := range v.got()[from:] {
			if g.kind.Key {
				return nil
			}
		}
		return errNotThere
	})
}

// TestPlayersAreNearLive plays a watcher's stream in real players, and reads off their screens
// how far behind the camera they are. ?start=gop, which begins with the whole group of
// pictures, is there for comparison.
func TestPlayersAreNearLive(t *testing.T) {
	w := newWorld(t)
	src := w.source()
	node := w.watch(src.link, "-o", "/dev/null")
	encodeClock(t, src.rtmp, 640, 360)
	play(t, "viewer", node.url).gets(t, 100)

	var all []performance
	for _, c := range []struct {
		player, output string
		most           time.Duration // 0 for no bound
	}{
		{"mpv", ".flv", mostBehindMPV},
		{"mpv", ".ts", mostBehindMPV},
		{"mpv", ".mp4", mostBehindMPV},
		{"vlc", ".flv", mostBehindVLC},
		{"vlc", ".ts", mostBehindVLC},
		{"ffplay", ".flv", 0},
		{"ffplay", ".ts", 0},
	} {
		t.Run(c.player+c.output, func(t *testing.T) {
			var gop, squash performance
			t.Run("at first", func(t *testing.T) { // both at the same time, if the machine has room
				t.Run("gop", func(t *testing.T) {
					waiting.Take(t)
					gop = perform(t, c.player, node.url, c.output, "gop")
				})
				t.Run("squash", func(t *testing.T) {
					waiting.Take(t)
					squash = perform(t, c.player, node.url, c.output, "squash")
				})
			})
			all = append(all, gop, squash)
			if c.most == 0 || t.Failed() {
				return
			}
			isNear := func() bool { return squash.p50 <= times(c.most, squash.slow) }
			isShown := func() bool { return squash.shown >= leastShown/squash.slow }
			// With so little buffered VLC stumbles over FLV, which has no clock, and what it
			// lost is seen until the next keyframe; it is why relay starts it on MPEG-TS.
			isWhole := func() bool { return c.player+c.output == "vlc.flv" || squash.legible >= leastShown/squash.slow }
			// mpv drops what comes late until it is near live by itself, but mostly not for MP4.
			isNearer := func() bool {
				return c.player != "vlc" && c.output != ".mp4" || squash.p50 < times(gop.p50, squash.slow)
			}
			for again := 1; again < attempts && (!isNear() || !isShown() || !isWhole() || !isNearer()); again++ {
				if !isNearer() {
					gop = perform(t, c.player, node.url, c.output, "gop")
					all = append(all, gop)
				}
				squash = perform(t, c.player, node.url, c.output, "squash") // the machine was busy with other things
				all = append(all, squash)
			}
			if !isNear() {
				t.Errorf("it is %v behind live, at most %v were right", squash.p50, times(c.most, squash.slow))
			}
			if !isShown() {
				t.Errorf("it shows %.0f%% of the pictures, %.0f%% were right", 100*squash.shown, 100*leastShown/squash.slow)
			}
			if !isWhole() {
				t.Errorf("%.0f%% of the pictures are whole", 100*squash.legible)
			}
			if !isNearer() {
				t.Errorf("it is %v behind live, and %v with ?start=gop", squash.p50, gop.p50)
			}
		})
	}
	t.Logf("%d pictures a second, a group of them is %v old when the player comes:\n%s", clockRate, late, table(all))
}

func table(all []performance) string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "player\toutput\tstart\tfirst picture\tbehind live p50\tmost\tlooks\twhole\tpictures shown\ttimes as slow")
	ms := func(d time.Duration) string { return d.Round(time.Millisecond).String() }
	for _, p := range all {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%.0f%%\t%.0f%%\t%.1f\n", p.player, p.output, p.start, ms(p.first), ms(p.p50), ms(p.most), p.looks, 100*p.legible, 100*p.shown, p.slow)
	}
	tw.Flush()
	return b.String()
}
