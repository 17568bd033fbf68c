//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"relay/cli/e2e/internal/program"
)

// startOnTerminal runs a program on a terminal of its own until the test ends. Its
// screen is p.err; keyboard types.
func startOnTerminal(t *testing.T, name, path string, args ...string) (p *process, keyboard *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close() // the program has its own
	p = &process{name: name, cmd: program.Command(path, args...), ended: make(chan struct{})}
	p.cmd.Env = append(p.cmd.Env, "TERM=xterm")
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = tty, tty, tty
	p.cmd.SysProcAttr.Setsid, p.cmd.SysProcAttr.Setctty = true, true // so that Ctrl-C is typed, too
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() { // ends when nobody has the terminal open
		defer close(read)
		b := make([]byte, 4096)
		for {
			n, err := keyboard.Read(b)
			_, _ = p.err.Write(b[:n])
			if err != nil {
				return
			}
		}
	}()
	go func() { // ends with the process, which cleanup kills
		_ = p.cmd.Wait() // the state tells
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		<-read
		keyboard.Close()
		if t.Failed() {
			t.Logf("%s: %v\n%s", name, p.cmd.ProcessState, p.err.tail())
		}
	})
	return p, keyboard
}

// A person at a terminal is asked which of several channels to watch.
func TestPersonChoosesAChannel(t *testing.T) {
	c, err := net.ListenPacket("udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(c.LocalAddr().(*net.UDPAddr).Port)
	c.Close()
	dir := t.TempDir()
	args := func(command string, more ...string) []string {
		return append([]string{command, "--discovery-port", port, "--http", "127.0.0.1:0", "--listen", "127.0.0.1:0"}, more...)
	}
	clip, err := filepath.Abs("../../testdata/flv/video.flv")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"first", "second"} {
		p := start(t, name, relayBin, args("source", clip, "--loop", "--channel", name, "--config", filepath.Join(dir, "keys"))...)
		p.find(t, &p.out, `(?m)^relay://([a-z2-7]{8})`)
	}
	// On a busy machine one of the two may answer after the time for which channels are
	// looked for, and the other is then joined without a question.
	asked := func(name string) (*process, *os.File) {
		for range 10 {
			p, keyboard := startOnTerminal(t, name, relayBin, args("watch", "--config", filepath.Join(dir, "watch"))...)
			if p.find(t, &p.err, `(\d+ channels on this network|Joining channel)`) != "Joining channel" {
				return p, keyboard
			}
			p.kill()
		}
		t.Fatal("ten times one channel was found, and not the other")
		return nil, nil
	}
	p, keyboard := asked("watch")
	p.find(t, &p.err, `2 channels on this network:\r\n   1  [a-z2-7]{8} .*127\.0\.0\.1:\d+\r\n   2  `)
	second := p.find(t, &p.err, `\n   2  ([a-z2-7]{8}) `)
	p.find(t, &p.err, `Which one\? \[1-2\] $`)
	typed(t, keyboard, "three\n")
	p.find(t, &p.err, `"three" is none of them\.\r\n(?s:.*)Which one\? \[1-2\] $`)
	typed(t, keyboard, "2\n")
	p.find(t, &p.err, `Found   `+second+` on this network`)
	p.find(t, &p.err, `Joining channel `+second)
	p.find(t, &p.err, `Connected to 127\.0\.0\.1:`)
	typed(t, keyboard, "\x03")
	if code := p.wait(t); code != 130 {
		t.Errorf("Ctrl-C: exit code %d", code)
	}

	// Ctrl-C is an answer, too.
	p, keyboard = asked("watch again")
	p.find(t, &p.err, `Which one\? \[1-2\] $`)
	typed(t, keyboard, "\x03")
	if code := p.wait(t); code != 130 {
		t.Errorf("Ctrl-C: exit code %d", code)
	}
}

func typed(t *testing.T, keyboard *os.File, keys string) {
	t.Helper()
	if _, err := keyboard.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}
