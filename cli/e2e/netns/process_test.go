//go:build e2e && linux

package netns

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"time"

	"relay/cli/e2e/internal/program"
	"relay/cli/e2e/internal/wait"
)

// process is a program that runs on a host. What it says is kept in a file, which
// later processes of the same name continue.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   string
	from  int64         // where its own output begins in the log
	ended chan struct{} // closed when it has ended
}

// start runs a program on a host until the test ends. Its output goes to log.
func (h *host) start(t *testing.T, name, log, path string, args ...string) *process {
	t.Helper()
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	must(t, err)
	defer f.Close() // the process has its own
	at, err := f.Seek(0, 2)
	must(t, err)
	p := &process{name: name, cmd: program.Command(path, args...), log: log, from: at, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = f, f
	if *runsFlag == 0 {
		// In the short proof a host has one processor. Thirty hosts that think they have all of
		// this machine's take a fifth more of them.
		p.cmd.Env = append(p.cmd.Env, "GOMAXPROCS=1")
	}
	must(t, h.do(p.cmd.Start))
	go func() { // ends with the process, which cleanup kills
		_ = p.cmd.Wait() // the state tells
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill ends the process at once, even a stopped one, and waits for that.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error says that it has ended
	<-p.ended
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%s: %v: %v", p.name, s, err)
	}
}

// wait waits for the end.
func (p *process) wait(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(wait.Patience):
		t.Fatalf("%s has not ended within %v", p.name, wait.Patience)
	}
}

// find waits for re in what the process says, and returns its last group.
func (p *process) find(t *testing.T, re string) string {
	t.Helper()
	exp := regexp.MustCompile(re)
	var found string
	wait.Until(t, fmt.Sprintf("%s says %s", p.name, re), func() error {
		alive := p.running() // asked first: its last words count
		b, err := os.ReadFile(p.log)
		if err != nil {
			return err
		}
		if m := exp.FindStringSubmatch(string(b[min(p.from, int64(len(b))):])); m != nil {
			found = m[len(m)-1]
			return nil
		}
		if !alive {
			t.Fatalf("%s ended without saying %s:\n%s", p.name, re, b)
		}
		return fmt.Errorf("it has not")
	})
	return found
}

// pass lets media pass; nothing is asserted about how long it took.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}
