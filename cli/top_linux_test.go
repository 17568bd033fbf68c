package cli

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"relay/playback"
)

// pty is a terminal that a test holds the other end of.
type pty struct {
	*os.File
	tty *os.File

	mu  sync.Mutex
	out bytes.Buffer
}

func openPTY(t *testing.T, cols, rows uint16) *pty {
	t.Helper()
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	p := &pty{File: f, tty: tty}
	p.resize(t, cols, rows)
	go func() { // ends when the test closes both ends
		b := make([]byte, 4096)
		for {
			n, err := f.Read(b)
			if err != nil {
				return
			}
			p.mu.Lock()
			p.out.Write(b[:n])
			p.mu.Unlock()
		}
	}()
	return p
}

func (p *pty) resize(t *testing.T, cols, rows uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(p.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: cols, Row: rows}); err != nil {
		t.Fatal(err)
	}
}

// sees waits until what was written since the last call matches.
func (p *pty) sees(t *testing.T, exp string) string {
	t.Helper()
	want := regexp.MustCompile(exp)
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		p.mu.Lock()
		got := p.out.String()
		if want.MatchString(got) {
			p.out.Reset()
			p.mu.Unlock()
			return got
		}
		p.mu.Unlock()
		if time.Now().After(end) {
			t.Fatalf("the screen does not come to match %q:\n%q", exp, got)
		}
	}
}

func (p *pty) types(t *testing.T, keys string) {
	t.Helper()
	if _, err := p.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

func (p *pty) mode(t *testing.T) unix.Termios {
	t.Helper()
	m, err := unix.IoctlGetTermios(int(p.tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *m
}

// A real terminal: keys sort and scroll, another size is drawn at once, and whatever
// ends it, the terminal is as it was before.
func TestTopOnATerminal(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := `{"channels":[]}`
		if r.URL.Path == "/api/tree" {
			b = mustJSON(t, playback.Trees{Channels: []playback.ChannelTree{sampleTree()}})
		}
		w.Write([]byte(b))
	}))
	defer srv.Close()
	for name, c := range map[string]struct {
		end  func(p *pty, cmd *exec.Cmd)
		code int
	}{
		"q":       {func(p *pty, _ *exec.Cmd) { p.types(t, "q") }, 0},
		"Ctrl-C":  {func(p *pty, _ *exec.Cmd) { p.types(t, "\x03") }, exitInterrupt},
		"SIGINT":  {func(_ *pty, cmd *exec.Cmd) { cmd.Process.Signal(syscall.SIGINT) }, exitInterrupt},
		"SIGTERM": {func(_ *pty, cmd *exec.Cmd) { cmd.Process.Signal(syscall.SIGTERM) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPTY(t, 100, 30)
			before := p.mode(t)
			cmd := exec.Command("relay", "top", "--http", srv.URL, "--config", t.TempDir())
			cmd.Env = append(os.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8", "NO_COLOR=1")
			cmd.Stdin, cmd.Stdout = p.tty, p.tty
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
			defer late.Stop()
			first := p.sees(t, `(?s)NODE.*HOP▾.*aaaaaaaa source.*dddddddd.*q quit`)
			if !strings.HasPrefix(first, otherScreen) {
				t.Errorf("it begins with %.40q", first)
			}
			if m := p.mode(t); m.Lflag&(unix.ECHO|unix.ICANON) != 0 {
				t.Error("the terminal is not raw")
			}
			p.types(t, "d")
			p.sees(t, `(?s)DELAY▾.*cccccccc.*bbbbbbbb here.*aaaaaaaa source`)
			p.resize(t, 40, 6)
			p.sees(t, `(?s)NODE +HOP +DELAY▾ +LOST +UP\r\n.*1-3 of 5`)
			p.types(t, "\x1b[B")
			p.sees(t, `2-4 of 5`)
			c.end(p, cmd)
			err := cmd.Wait()
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				err = nil
			}
			if err != nil || cmd.ProcessState.ExitCode() != c.code || stderr.Len() > 0 {
				t.Errorf("%v, exit code %d, want %d; %q", err, cmd.ProcessState.ExitCode(), c.code, stderr.String())
			}
			p.sees(t, regexp.QuoteMeta(ownScreen)+"$")
			if after := p.mode(t); after != before {
				t.Errorf("the terminal was left in mode %+v, before it was %+v", after, before)
			}
		})
	}
}

// A panic is told on the user's own screen.
func TestPanicGivesTheTerminalBack(t *testing.T) {
	p := openPTY(t, 80, 24)
	before := p.mode(t)
	func() {
		defer func() {
			if recover() != "oops" {
				t.Error("the panic is gone")
			}
		}()
		s, err := openScreen(p.tty, p.tty)
		if err != nil {
			t.Fatal(err)
		}
		defer s.closeOnPanic()
		panic("oops")
	}()
	p.sees(t, regexp.QuoteMeta(otherScreen+ownScreen))
	if after := p.mode(t); after != before {
		t.Errorf("the terminal was left in mode %+v, before it was %+v", after, before)
	}
}
