package cli

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"relay/cli/term/termtest"
	"relay/relay/hostnet"
)

// sourceOn runs relay source with the clip until the test ends; its standard error is
// the terminal.
func sourceOn(t *testing.T, p *termtest.PTY, env []string, args ...string) {
	t.Helper()
	args = append([]string{
		"source", "../testdata/flv/video.flv", "--loop", "--no-discovery", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
		"--config", t.TempDir() + "/keys",
	}, args...)
	cmd := exec.Command("relay", args...)
	cmd.Env = append(append(os.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8", "NO_COLOR="), env...)
	cmd.Stderr = p.TTY
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait() // its exit code is for the scripts
	})
}

// codes are a terminal's escape sequences.
var codes = regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)

// On a real terminal the source draws the QR code, redraws one coloured line in place, and adapts
// to a new width at once.
func TestSourceOnATerminal(t *testing.T) {
	p := termtest.Open(t, 100, 50)
	sourceOn(t, p, nil, "--http", ":0")
	greeting := p.Sees(t, `Watch   http://127\.0\.0\.1:\d+/`)
	if _, near := hostnet.NearAddr(); strings.Contains(greeting, "█████") != near {
		t.Errorf("an address for phones: %v, and the screen shows\n%s", near, greeting)
	}
	p.Sees(t, `\r\x1b\[J\x1b\[32m● LIVE\x1b\[0m 180p30 H\.264 \d+ kb/s key \d\.\ds \| 0 direct, 0 watching`)
	p.Resize(t, 30, 50)
	p.Sees(t, `● LIVE\x1b\[0m \| 0 direct, 0 watching\r`) // from here on it is narrow
	drawn := p.Sees(t, `\r\x1b\[J.*\r\x1b\[J`)
	for l := range strings.SplitSeq(codes.ReplaceAllString(drawn, ""), "\r") {
		if n := utf8.RuneCountInString(l); n >= 30 {
			t.Errorf("a line of %d characters: %q", n, l)
		}
	}
}

func TestSourceOnATerminalThatShowsLess(t *testing.T) {
	for name, c := range map[string]struct {
		env, flag string
		http      string
		cols      uint16
		live      string // what the status line begins with
		never     string
	}{
		"no colours":  {"NO_COLOR=1", "--no-qr", ":0", 100, `● LIVE 180p30`, `█|\x1b\[[0-9;]*m`},
		"ASCII":       {"LC_ALL=C", "--loop", ":0", 100, `\x1b\[32m\* LIVE`, `[^\x00-\x7f]`},
		"dumb":        {"TERM=dumb", "--loop", ":0", 100, `Live: H\.264 320x180`, `█|\x1b`},
		"too narrow":  {"TERM=xterm", "--loop", ":0", 28, `LIVE`, `█`},
		"not for all": {"TERM=xterm", "--loop", "127.0.0.1:0", 100, `● LIVE`, `█`},
	} {
		t.Run(name, func(t *testing.T) {
			p := termtest.Open(t, c.cols, 50)
			sourceOn(t, p, []string{c.env}, "--http", c.http, c.flag)
			seen := p.Sees(t, c.live)
			if m := regexp.MustCompile(c.never).FindString(seen); m != "" {
				t.Errorf("the screen shows %q:\n%q", m, seen)
			}
		})
	}
}
