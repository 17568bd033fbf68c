package termtest

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// PTY is a terminal whose other end the test holds.
type PTY struct {
	*os.File
	TTY *os.File // the program's end

	mu  sync.Mutex
	out bytes.Buffer
}

// patience bounds the wait for what a screen shows. A program takes about 100 ms to start.
const patience = 30 * time.Second

// Open returns a terminal of that size, which is closed when the test ends.
func Open(t *testing.T, cols, rows uint16) *PTY {
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
	p := &PTY{File: f, TTY: tty}
	p.Resize(t, cols, rows)
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

// Resize gives the terminal another size.
func (p *PTY) Resize(t *testing.T, cols, rows uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(p.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: cols, Row: rows}); err != nil {
		t.Fatal(err)
	}
}

// Sees waits until what was written since the last call matches, and returns that.
func (p *PTY) Sees(t *testing.T, exp string) string {
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

// Types presses keys.
func (p *PTY) Types(t *testing.T, keys string) {
	t.Helper()
	if _, err := p.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// Mode returns how the terminal treats input and output.
func (p *PTY) Mode(t *testing.T) unix.Termios {
	t.Helper()
	m, err := unix.IoctlGetTermios(int(p.TTY.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *m
}
