//go:build e2e && linux

package netns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"relay/cli/e2e/internal/wait"
	exits "relay/cli/fault"
	"relay/ingest/flv"
)

// otherClip is what the second of two sources sends.
const otherClip = "../../../testdata/flv/video.flv"

// calmAfter is how long the viewers are watched once all play the same: nobody may go back.
const calmAfter = 6 * time.Second

// twins is two sources with one key on machines of their own, each with viewers that were given its link.
type twins struct {
	first, second *node
	ofFirst       []*node
	ofSecond      []*node
	machines      map[*node]*machine
	spare         []*host
	found         bool           // channels are looked for on the network
	id            string         // of the channel
	seconds       map[media]bool // what the second one sends
}

// TestTheLaterOfTwoSourcesWinsAtEveryViewer starts a second source with the key of one that runs, elsewhere.
// All viewers play the run that has the later epoch within moments, whichever link they were given, and none
// goes back. The other source ends and says why.
func TestTheLaterOfTwoSourcesWinsAtEveryViewer(t *testing.T) {
	t.Parallel()
	t.Run("on one network", func(t *testing.T) {
		t.Parallel()
		w := newTwins(t, true)
		w.startFirst(t)
		// By the link of a source that is not there yet, and looking around.
		w.watch(t, w.ofSecond, w.second)
		w.play(t, append(w.ofFirst, w.ofSecond...))
		w.share(t)
		since := time.Now()
		w.startSecond(t)
		w.play(t, []*node{w.second})
		w.won(t, since, w.second, w.first)
	})
	t.Run("by a viewer that has both links", func(t *testing.T) {
		t.Parallel()
		w := newTwins(t, false)
		w.apart(t)
		w.won(t, w.join(t), w.second, w.first)
	})
	t.Run("the one that ran first has the later epoch", func(t *testing.T) {
		t.Parallel()
		w := newTwins(t, false)
		w.startFirst(t)
		w.share(t)
		for _, n := range append(w.ofFirst, w.first) {
			n.kill()
		}
		// As after a run with a clock that was a minute fast.
		later := fmt.Sprintln(time.Now().Add(time.Minute).UnixMilli())
		kept := filepath.Join(w.machines[w.first].dir, "keys", "channels", "live.epoch")
		if _, err := os.Stat(kept); err != nil {
			t.Fatal(err)
		}
		must(t, os.WriteFile(kept, []byte(later), 0o600))
		w.apart(t)
		w.won(t, w.join(t), w.first, w.second)
	})
}

func newTwins(t *testing.T, found bool) *twins {
	t.Helper()
	w := &twins{found: found, machines: make(map[*node]*machine), seconds: make(map[media]bool)}
	hosts, dir := newNetwork(t, 11).hosts, folder(t)
	for i, h := range hosts[:10] {
		n := newNode(h, 2)
		w.machines[n] = &machine{host: h, dir: filepath.Join(dir, n.name)}
		must(t, os.MkdirAll(w.machines[n].dir, 0o755))
		switch i {
		case 0:
			w.first = n
		case 1:
			w.second = n
		case 2, 3, 4, 5, 6:
			w.ofFirst = append(w.ofFirst, n)
		default:
			w.ofSecond = append(w.ofSecond, n)
		}
	}
	w.spare = hosts[10:]
	f, err := os.Open(otherClip)
	must(t, err)
	defer f.Close()
	for r := flv.NewReader(f); ; {
		tag, err := r.Next()
		if err != nil {
			break // its end
		}
		w.seconds[tagOf(tag).media()] = true
	}
	return w
}

// run starts relay on a node's machine.
func (w *twins) run(t *testing.T, n *node, args ...string) {
	t.Helper()
	m := w.machines[n]
	args = append(args, "--max-children", fmt.Sprint(n.children), "--verbose", "--config", filepath.Join(m.dir, "keys"))
	if w.found {
		n.process = m.relay(t, n.name, args...)
	} else {
		n.process = m.start(t, n.name, filepath.Join(m.dir, n.name+".log"), relayBin, args...)
	}
}

func (w *twins) startFirst(t *testing.T) {
	t.Helper()
	w.run(t, w.first, "source", clip, "--loop", "--no-qr")
	w.id = w.first.find(t, `(?m)^relay://([a-z2-7]{52})@`)
	w.first.url = w.first.find(t, `(?m)^Watch +(http://\S+)\n`)
	w.watch(t, w.ofFirst, w.first)
}

func (w *twins) startSecond(t *testing.T) {
	t.Helper()
	w.run(t, w.second, "source", otherClip, "--loop", "--no-qr")
	if id := w.second.find(t, `(?m)^relay://([a-z2-7]{52})@`); id != w.id {
		t.Fatalf("the second source has channel %s, and not %s", id, w.id)
	}
	w.second.url = w.second.find(t, `(?m)^Watch +(http://\S+)\n`)
}

// share takes the key to the second machine, as people do.
func (w *twins) share(t *testing.T) {
	t.Helper()
	a, b := w.machines[w.first], w.machines[w.second]
	file := filepath.Join(a.dir, "exported")
	for _, c := range []struct {
		m    *machine
		verb string
	}{{a, "export"}, {b, "import"}} {
		if _, errs, code := c.m.output(t, "key", c.verb, file, "--config", filepath.Join(c.m.dir, "keys")); code != 0 {
			t.Fatalf("relay key %s: exit code %d: %s", c.verb, code, errs)
		}
	}
}

// watch starts viewers by the link of a source.
func (w *twins) watch(t *testing.T, viewers []*node, source *node) {
	t.Helper()
	for _, n := range viewers {
		w.run(t, n, "watch", w.link(source))
		n.url = n.find(t, `(?m)^Watch +(http://\S+)\n`)
	}
}

func (w *twins) link(sources ...*node) string {
	var hosts []string
	for _, s := range sources {
		hosts = append(hosts, s.addr+":7144")
	}
	return "relay://" + w.id + "@" + strings.Join(hosts, ",")
}

// play starts players where there is something to play.
func (w *twins) play(t *testing.T, at []*node) {
	t.Helper()
	for _, n := range at {
		n.player = n.host.play(t, "player at "+n.name, n.url)
		wait.Until(t, n.player.name+" has something", func() error {
			if _, some := n.player.playsAfter(time.Time{}); !some {
				return errors.Join(errors.New("it has nothing"), n.player.broken())
			}
			return nil
		})
	}
}

// apart starts both sources, each with its viewers, where nothing leads from one half to the other.
func (w *twins) apart(t *testing.T) {
	t.Helper()
	w.startFirst(t)
	if _, err := os.Stat(filepath.Join(w.machines[w.second].dir, "keys")); err != nil {
		w.share(t)
	}
	w.startSecond(t)
	w.watch(t, w.ofSecond, w.second)
	w.play(t, w.all())
	pass(t, 2*time.Second)
	for _, n := range w.all() {
		own := n == w.second || slices.Contains(w.ofSecond, n)
		if first, second := w.played(n.player); own && first > 0 || !own && second > 0 {
			t.Fatalf("%s plays %d tags of the first source and %d of the second: the halves have met too soon", n.name, first, second)
		}
	}
}

// join starts one more viewer by a link with both sources, and returns when that was.
func (w *twins) join(t *testing.T) time.Time {
	t.Helper()
	n := newNode(w.spare[0], 2)
	w.machines[n] = &machine{host: w.spare[0], dir: filepath.Join(filepath.Dir(w.machines[w.first].dir), n.name)}
	must(t, os.MkdirAll(w.machines[n].dir, 0o755))
	since := time.Now()
	w.run(t, n, "watch", w.link(w.first, w.second))
	return since
}

func (w *twins) all() []*node {
	return append(append([]*node{w.first, w.second}, w.ofFirst...), w.ofSecond...)
}

// played counts the tags of each source that a player has got.
func (w *twins) played(p *player) (first, second int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.notes {
		switch {
		case n.config:
		case w.seconds[n.media()]:
			second++
		default:
			first++
		}
	}
	return first, second
}

// lastChange is when a player got the first tag of its newest source, zero if it has had one alone, how often the
// source changed, and whether it is the second one now.
func (w *twins) lastChange(p *player) (at time.Time, changes int, second bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	begun := false
	for _, n := range p.notes {
		if is := w.seconds[n.media()]; !n.config && (!begun || is != second) {
			if begun {
				at = n.when
				changes++
			}
			begun, second = true, is
		}
	}
	return at, changes, second
}

// won checks that all viewers come to play the winner's run and stay with it, and that the other source says why it
// ends. It tells how long after a moment that was.
func (w *twins) won(t *testing.T, since time.Time, winner, loser *node) {
	t.Helper()
	viewers := append(append([]*node{}, w.ofFirst...), w.ofSecond...)
	for _, n := range viewers {
		wait.Until(t, n.name+" plays the later run", func() error {
			if _, _, second := w.lastChange(n.player); second != (winner == w.second) {
				return errors.Join(errors.New("it plays the other one"), n.player.broken())
			}
			return nil
		})
	}
	loser.wait(t)
	if code := loser.cmd.ProcessState.ExitCode(); code != exits.ExitReplaced || !strings.Contains(loser.said(t), "relay: error: replaced elsewhere: another source with the key of this channel began later") {
		t.Errorf("the other source ends with code %d:\n%s", code, loser.said(t))
	}
	pass(t, calmAfter)
	winner.identify(t)
	var took []time.Duration
	for _, n := range viewers {
		at, changes, second := w.lastChange(n.player)
		had := slices.Contains(w.ofFirst, n) == (loser == w.first) || w.found // before
		if want := map[bool]int{true: 1}[had]; changes != want || second != (winner == w.second) {
			t.Errorf("%s has changed its source %d times, want %d, and plays the second: %v", n.name, changes, want, second)
		}
		if must(t, n.player.broken()); had {
			took = append(took, at.Sub(since).Round(time.Millisecond))
		}
		wait.Until(t, n.name+" is fed by the winner", func() error {
			st, err := n.channel()
			if err == nil && (len(st.Path) == 0 || st.Path[0] != winner.id) {
				err = fmt.Errorf("its path is %v, the winner is %s", st.Path, winner.id)
			}
			return err
		})
	}
	slices.Sort(took)
	t.Logf("%d viewers play the later run after %v", len(took), took)
	if !winner.running() {
		t.Errorf("the winner has ended:\n%s", winner.said(t))
	}
}
