//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// browser is a Chromium, driven by browser/drive.js. Several tests may use one at a time.
type browser struct {
	*process
	in   *os.File
	asks atomic.Int64
}

// startBrowser starts a browser that runs until the test ends. `make tools` installs what it
// needs.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	if _, err := os.Stat("browser/node_modules/playwright-core"); err != nil {
		t.Fatalf("playwright-core is needed (make tools installs it): %v", err)
	}
	requests, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{process: startWith(t, requests, "browser", "node", "browser/drive.js"), in: in}
	requests.Close()
	t.Cleanup(func() { // before the process is killed
		in.Close()
		b.wait(t) // so that it removes its profile
	})
	var version string
	b.do(t, "version", nil, &version)
	t.Logf("Chromium %s", version)
	return b
}

// do makes the driver carry out one operation, which must work, and stores its result if that
// is wanted.
func (b *browser) do(t *testing.T, op string, args map[string]any, result any) {
	t.Helper()
	if err := b.try(t, op, args, result); err != nil {
		t.Fatalf("browser: %s %v: %v", op, args, err)
	}
}

func (b *browser) try(t *testing.T, op string, args map[string]any, result any) error {
	t.Helper()
	id := b.asks.Add(1)
	ask := map[string]any{"id": id, "op": op}
	for k, v := range args {
		ask[k] = v
	}
	line, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.in.Write(append(line, '\n')); err != nil {
		return err
	}
	type reply struct {
		ID     int64           `json:"id"`
		Result json.RawMessage `json:"result"`
		Error  string          `json:"error"`
	}
	var answer reply
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		alive := b.running()
		s := bufio.NewScanner(strings.NewReader(b.out.String()))
		s.Buffer(nil, 16<<20)
		for answer.ID != id && s.Scan() {
			answer = reply{}
			if json.Unmarshal(s.Bytes(), &answer) != nil {
				answer.ID = 0 // it is half written
			}
		}
		if answer.ID == id {
			break
		}
		if !alive {
			return errors.New("it has ended")
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no answer within %v", patience)
		}
	}
	if answer.Error != "" {
		return errors.New(answer.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

// tab is a page that is open in a browser.
type tab struct {
	b    *browser
	name string
}

// open opens a page; options are those of browser/drive.js.
func (b *browser) open(t *testing.T, url string, options map[string]any) *tab {
	t.Helper()
	p := &tab{b, fmt.Sprint("tab", nextID())}
	args := map[string]any{"url": url}
	for k, v := range options {
		args[k] = v
	}
	p.do(t, "open", args, nil)
	return p
}

func (p *tab) do(t *testing.T, op string, args map[string]any, result any) {
	t.Helper()
	all := map[string]any{"tab": p.name}
	for k, v := range args {
		all[k] = v
	}
	p.b.do(t, op, all, result)
}

// eval stores the value of a JavaScript expression.
func (p *tab) eval(t *testing.T, js string, result any) {
	t.Helper()
	p.do(t, "eval", map[string]any{"js": js}, result)
}

// isOpenToAll checks that nothing on the page keeps people out who cannot see or point.
func (p *tab) isOpenToAll(t *testing.T, when string) {
	t.Helper()
	var faults []string
	if p.do(t, "axe", nil, &faults); len(faults) > 0 {
		t.Errorf("%s: %s", when, strings.Join(faults, "\n"))
	}
}

// press presses a key, clickOn clicks in the middle of what is at a selector.
func (p *tab) press(t *testing.T, key string) {
	t.Helper()
	p.do(t, "press", map[string]any{"key": key}, nil)
}

func (p *tab) clickOn(t *testing.T, selector string) {
	t.Helper()
	p.do(t, "click", map[string]any{"selector": selector}, nil)
}

// becomes waits until a JavaScript expression is true.
func (p *tab) becomes(t *testing.T, what, js string) {
	t.Helper()
	eventually(t, what, func() error {
		var ok bool
		if p.eval(t, "Boolean("+js+")", &ok); !ok {
			return errors.New("it is not so")
		}
		return nil
	})
}

func (p *tab) number(t *testing.T, js string) float64 {
	t.Helper()
	var n float64
	p.eval(t, js, &n)
	return n
}

// text returns what a person reads at a selector; "" if it is not visible.
func (p *tab) text(t *testing.T, selector string) string {
	t.Helper()
	var s string
	p.eval(t, fmt.Sprintf("relayTest.text(%q)", selector), &s)
	return s
}

// says waits until the text at a selector contains want.
func (p *tab) says(t *testing.T, selector, want string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s at %s says %q", p.name, selector, want), func() error {
		if got := p.text(t, selector); !strings.Contains(got, want) {
			return fmt.Errorf("it says %q", got)
		}
		return nil
	})
}

// plays waits until more frames have been shown than before.
func (p *tab) plays(t *testing.T) {
	t.Helper()
	before := p.number(t, "relayTest.frames")
	eventually(t, p.name+" plays", func() error {
		if got := p.number(t, "relayTest.frames") - before; got < clockRate {
			var state string
			p.eval(t, "relayTest.state()", &state)
			return fmt.Errorf("%.0f frames; %s", got, state)
		}
		return nil
	})
}

// sounds waits until the player has gone on for a second.
func (p *tab) sounds(t *testing.T) {
	t.Helper()
	const at = "relayTest.video.currentTime"
	before := p.number(t, at)
	eventually(t, p.name+" sounds", func() error {
		if got := p.number(t, at) - before; got < 1 {
			return fmt.Errorf("%v s more", got)
		}
		return nil
	})
}

// delay returns how far behind live the picture was over the last period of time, as the median
// and at most.
func (p *tab) delay(t *testing.T, last time.Duration) (p50, most time.Duration, n int) {
	t.Helper()
	var ms []time.Duration
	p.eval(t, fmt.Sprintf("relayTest.delays(%d)", last.Milliseconds()), &ms)
	if len(ms) == 0 {
		return 0, 0, 0
	}
	for i := range ms {
		ms[i] *= time.Millisecond
	}
	s := sorted(ms)
	return s[len(s)/2], s[len(s)-1], len(s)
}

// shot stores a picture of the whole page with the test's artifacts.
func (p *tab) shot(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join(t.ArtifactDir(), name+".png")
	p.do(t, "shot", map[string]any{"path": path}, nil)
}

// requests counts what the page has asked for with that suffix.
func (p *tab) requests(t *testing.T, suffix string) int {
	t.Helper()
	var urls []string
	p.do(t, "asked", nil, &urls)
	n := 0
	for _, u := range urls {
		if strings.HasSuffix(u, suffix) {
			n++
		}
	}
	return n
}

// faultless checks that none of the page's scripts has failed.
func (p *tab) faultless(t *testing.T) {
	t.Helper()
	var log []string
	p.do(t, "log", nil, &log)
	for _, l := range log {
		if strings.HasPrefix(l, "error: ") && !strings.Contains(l, "Failed to load resource") {
			t.Errorf("%s: %s", p.name, l)
		}
	}
}

func (p *tab) close(t *testing.T) {
	t.Helper()
	p.do(t, "close", nil, nil)
}
