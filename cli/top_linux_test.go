package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/cli/term/termtest"
	"relay/cli/treedraw/drawtest"
	"relay/playback/api"
)

// On a real terminal keys sort and scroll, and a new size is drawn at once. However the command
// ends, the terminal is left as it was.
func TestTopOnATerminal(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := `{"channels":[]}`
		if r.URL.Path == "/api/v1/tree" {
			b = mustJSON(t, api.Trees{Channels: []api.ChannelTree{drawtest.Sample()}})
		}
		w.Write([]byte(b))
	}))
	defer srv.Close()
	for name, c := range map[string]struct {
		end  func(p *termtest.PTY, cmd *exec.Cmd)
		code int
	}{
		"q":       {func(p *termtest.PTY, _ *exec.Cmd) { p.Types(t, "q") }, 0},
		"Ctrl-C":  {func(p *termtest.PTY, _ *exec.Cmd) { p.Types(t, "\x03") }, fault.ExitInterrupt},
		"SIGINT":  {func(_ *termtest.PTY, cmd *exec.Cmd) { cmd.Process.Signal(syscall.SIGINT) }, fault.ExitInterrupt},
		"SIGTERM": {func(_ *termtest.PTY, cmd *exec.Cmd) { cmd.Process.Signal(syscall.SIGTERM) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := termtest.Open(t, 100, 30)
			before := p.Mode(t)
			cmd := exec.Command("relay", "top", "--http", srv.URL, "--config", t.TempDir())
			cmd.Env = append(os.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8", "NO_COLOR=1")
			cmd.Stdin, cmd.Stdout = p.TTY, p.TTY
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
			defer late.Stop()
			first := p.Sees(t, `(?s)NODE.*HOP▾.*aaaaaaaa source.*dddddddd.*q quit`)
			if !strings.HasPrefix(first, term.OtherScreen) {
				t.Errorf("it begins with %.40q", first)
			}
			if m := p.Mode(t); m.Lflag&(unix.ECHO|unix.ICANON) != 0 {
				t.Error("the terminal is not raw")
			}
			p.Types(t, "d")
			p.Sees(t, `(?s)DELAY▾.*cccccccc.*bbbbbbbb here.*aaaaaaaa source`)
			p.Resize(t, 40, 6)
			p.Sees(t, `(?s)NODE +HOP +DELAY▾ +LOST +UP\r\n.*1-3 of 5`)
			p.Types(t, "\x1b[B")
			p.Sees(t, `2-4 of 5`)
			c.end(p, cmd)
			err := cmd.Wait()
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				err = nil
			}
			if err != nil || cmd.ProcessState.ExitCode() != c.code || stderr.Len() > 0 {
				t.Errorf("%v, exit code %d, want %d; %q", err, cmd.ProcessState.ExitCode(), c.code, stderr.String())
			}
			p.Sees(t, regexp.QuoteMeta(term.OwnScreen)+"$")
			if after := p.Mode(t); after != before {
				t.Errorf("the terminal was left in mode %+v, before it was %+v", after, before)
			}
		})
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
