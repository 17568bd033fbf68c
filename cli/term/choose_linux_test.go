package term

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"relay/cli/term/termtest"
)

// asking is the variable with which this test's own program asks, in place of tests, so that signals meet
// a process that has a terminal.
const asking = "RELAY_TEST_ASKS"

func TestMain(m *testing.M) {
	if os.Getenv(asking) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	k, err := New(os.Stdout, os.Stderr).Choose(ctx, os.Stdin, []string{"b or w?"}, []Key{'b', 'w', 'q'})
	switch {
	case errors.Is(err, context.Canceled):
		os.Stdout.WriteString("ended\n")
	case err != nil:
		os.Stdout.WriteString(err.Error() + "\n")
	case k == KeyInterrupt:
		os.Stdout.WriteString("chose Ctrl-C\n")
	default:
		os.Stdout.WriteString("chose " + string(rune(k)) + "\n")
	}
}

// asks starts that program on a terminal of its own, whose shell this test is.
func asks(t *testing.T, p *termtest.PTY) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asking+"=1", "TERM=xterm")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.TTY, p.TTY, p.TTY
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // of its own: its end is not the test's
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // whatever is left of it
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	p.Sees(t, `b or w\?\r\n`)
	return cmd
}

func TestWhateverEndsTheQuestionGivesTheTerminalBack(t *testing.T) {
	for name, c := range map[string]struct {
		keys   string
		signal syscall.Signal
		want   string
	}{
		"a key":             {"b", 0, "chose b"},
		"upper case":        {"W", 0, "chose w"},
		"unknown ones":      {"xyz\x1b[A\r b", 0, "chose b"},
		"Ctrl-C":            {"\x03", 0, "chose Ctrl-C"},
		"Ctrl-D":            {"\x04", 0, "chose q"},
		"an interrupt":      {"", syscall.SIGINT, "ended"},
		"to be ended":       {"", syscall.SIGTERM, "ended"},
		"ended while typed": {"\x1b[", syscall.SIGTERM, "ended"},
	} {
		t.Run(name, func(t *testing.T) {
			p := termtest.Open(t, 80, 24)
			before := p.Mode(t)
			cmd := asks(t, p)
			if during := p.Mode(t); during == before {
				t.Error("the terminal waits for whole lines")
			}
			if c.keys != "" {
				p.Types(t, c.keys)
			}
			if c.signal != 0 {
				if err := cmd.Process.Signal(c.signal); err != nil {
					t.Fatal(err)
				}
			}
			p.Sees(t, c.want+`\r\n`)
			_ = cmd.Wait()
			if after := p.Mode(t); after != before {
				t.Errorf("the terminal was left in mode %+v, before it was %+v", after, before)
			}
		})
	}
}

// While it is stopped the shell has its terminal; when it goes on it asks again.
func TestAQuestionCanBeStopped(t *testing.T) {
	for name, stop := range map[string]func(*termtest.PTY, *exec.Cmd){
		"Ctrl-Z":   func(p *termtest.PTY, _ *exec.Cmd) { p.Types(t, "\x1a") },
		"a signal": func(_ *termtest.PTY, cmd *exec.Cmd) { _ = cmd.Process.Signal(syscall.SIGTSTP) },
	} {
		t.Run(name, func(t *testing.T) {
			p := termtest.Open(t, 80, 24)
			before := p.Mode(t)
			cmd := asks(t, p)
			stop(p, cmd)
			var status unix.WaitStatus
			if _, err := unix.Wait4(cmd.Process.Pid, &status, unix.WUNTRACED, nil); err != nil || !status.Stopped() {
				t.Fatalf("%v, %v", status, err)
			}
			if during := p.Mode(t); during != before {
				t.Errorf("stopped, it leaves mode %+v, before it was %+v", during, before)
			}
			if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			p.Sees(t, `b or w\?\r\n`)
			p.Types(t, "w")
			p.Sees(t, `chose w\r\n`)
			_ = cmd.Wait()
			if after := p.Mode(t); after != before {
				t.Errorf("the terminal was left in mode %+v, before it was %+v", after, before)
			}
		})
	}
}

// A shell that stops it by force, and uses the terminal meanwhile, finds it asking afterwards.
func TestAQuestionComesBackAfterForce(t *testing.T) {
	p := termtest.Open(t, 80, 24)
	before := p.Mode(t)
	cmd := asks(t, p)
	_ = cmd.Process.Signal(syscall.SIGSTOP)
	var status unix.WaitStatus
	if _, err := unix.Wait4(cmd.Process.Pid, &status, unix.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("%v, %v", status, err)
	}
	if err := unix.IoctlSetTermios(int(p.TTY.Fd()), unix.TCSETS, &before); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Signal(syscall.SIGCONT)
	p.Sees(t, `b or w\?\r\n`)
	p.Types(t, "b")
	p.Sees(t, `chose b\r\n`)
}

// What is typed behind the key is for who asks next.
func TestAQuestionTakesOneKey(t *testing.T) {
	p := termtest.Open(t, 80, 24)
	cmd := asks(t, p)
	p.Types(t, "bw")
	p.Sees(t, `chose b\r\n`)
	_ = cmd.Wait()
	p.Types(t, "\n")
	b := make([]byte, 10)
	if n, err := p.TTY.Read(b); err != nil || n == 0 || b[0] != 'w' {
		t.Errorf("%q is left, %v", b[:n], err)
	}
}
