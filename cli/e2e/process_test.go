//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"relay/cli/e2e/internal/program"
)

// logTail is how much of each output a failed test shows, in bytes.
const logTail = 3000

// process is a program that was started here.
type process struct {
	name     string
	cmd      *exec.Cmd
	out, err output
	ended    chan struct{} // closed when it has ended
}

// start runs a program until the test ends.
func start(t *testing.T, name, path string, args ...string) *process {
	t.Helper()
	return startWith(t, nil, name, path, args...)
}

// startWith is start with something for the program to read on standard input.
func startWith(t *testing.T, stdin io.Reader, name, path string, args ...string) *process {
	t.Helper()
	cmd := program.Command(path, args...)
	cmd.Stdin = stdin
	return startCommand(t, name, cmd)
}

// startCommand is start for a command from [program.Command] that the test has changed.
func startCommand(t *testing.T, name string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{name: name, cmd: cmd, ended: make(chan struct{})}
	if p.cmd.Stdout == nil {
		p.cmd.Stdout = &p.out
	}
	p.cmd.Stderr = &p.err
	p.cmd.WaitDelay = 5 * time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the process, which cleanup kills
		_ = p.cmd.Wait() // the state tells
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		if !t.Failed() {
			return
		}
		if p.out.tail() == "" && p.err.tail() == "" {
			t.Logf("%s: pid %d, %v, said nothing", name, p.cmd.Process.Pid, p.cmd.ProcessState) // a line, so that a report of the end has why it failed
		} else {
			t.Logf("%s: pid %d, %v\n-- stdout --\n%s\n-- stderr --\n%s", name, p.cmd.Process.Pid, p.cmd.ProcessState, p.out.tail(), p.err.tail())
		}
	})
	return p
}

// run runs a program to its end.
func run(t *testing.T, name, path string, args ...string) *process {
	t.Helper()
	p := start(t, name, path, args...)
	p.wait(t)
	return p
}

// wait waits for the end and returns the exit code, -1 after a signal.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("%s has not ended within %v", p.name, patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

// running reports whether the process has not ended.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%s: %v: %v", p.name, s, err)
	}
}

// kill ends the process at once, even a stopped one, and waits for that.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error says that it has ended
	<-p.ended
}

// interrupt sends what a person's Ctrl-C sends.
func (p *process) interrupt(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGINT)
	p.wait(t)
}

// find waits for re in what the process has written to o and returns its last
// group.
func (p *process) find(t *testing.T, o *output, re string) string {
	t.Helper()
	exp := regexp.MustCompile(re)
	var found string
	eventually(t, fmt.Sprintf("%s says %s", p.name, re), func() error {
		alive := p.running() // asked first: its last words count
		if m := exp.FindStringSubmatch(o.String()); m != nil {
			found = m[len(m)-1]
			return nil
		}
		if !alive {
			t.Fatalf("%s ended without saying %s", p.name, re)
		}
		return errors.New("it has not")
	})
	return found
}

// rss returns the process's resident memory in bytes.
func (p *process) rss(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(b)
	if m == nil {
		t.Fatalf("%s has no VmRSS", p.name)
	}
	kb, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

// output is what a process has written so far.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func (o *output) tail() string {
	s := o.String()
	if len(s) > logTail {
		return "…" + s[len(s)-logTail:]
	}
	return s
}

// sleep waits for media to pass; nothing is asserted about how long it took.
func sleep(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	<-ctx.Done()
}
