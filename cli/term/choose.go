package term

import (
	"context"
	"io"
	"os"
	"os/signal"
	"slices"

	"golang.org/x/term"
)

const (
	keySuspend Key = 0x1a // Ctrl-Z
	keyEnd     Key = 0x04 // Ctrl-D
)

// Choose shows lines and waits for one of the keys; upper case counts as lower. It returns
// KeyInterrupt for Ctrl-C, and 'q' for Ctrl-D and where no more keys come. Whichever way it ends, and
// while Ctrl-Z or a signal has stopped the process, the terminal is as it was.
func (t *Terminal) Choose(ctx context.Context, in *os.File, lines []string, keys []Key) (Key, error) {
	fd := int(in.Fd())
	was, err := term.MakeRaw(fd)
	if err != nil {
		return 0, err
	}
	defer term.Restore(fd, was) // nothing can be done if it fails
	stopped := make(chan os.Signal, 4)
	if len(stopSignals) > 0 {
		signal.Notify(stopped, stopSignals...)
		defer signal.Stop(stopped)
	}
	t.printRaw(lines)
	pressed := make(chan Key, 1)
	var r KeyReader
	next := func() { // reads no further than the key that is chosen: what follows is for others
		b := make([]byte, 1)
		for {
			n, err := in.Read(b)
			if err != nil {
				pressed <- keyEnd
				return
			}
			if got := r.Keys(b[:n]); len(got) > 0 {
				pressed <- got[0]
				return
			}
		}
	}
	go next() // ends with a key, or with the process
	suspend := func() error {
		if err := term.Restore(fd, was); err != nil {
			return err
		}
		stopProcess(stopped)
		if _, err := term.MakeRaw(fd); err != nil {
			return err
		}
		t.printRaw(lines)
		return nil
	}
	for {
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case s := <-stopped:
			if wentOn(s) { // it was stopped without a word, and whoever stopped it has used the terminal
				if _, err := term.MakeRaw(fd); err != nil {
					return 0, err
				}
				t.printRaw(lines)
			} else if err := suspend(); err != nil {
				return 0, err
			}
		case k := <-pressed:
			if k >= 'A' && k <= 'Z' {
				k += 'a' - 'A'
			}
			switch {
			case k == keyEnd:
				return 'q', nil
			case k == KeyInterrupt || slices.Contains(keys, k):
				return k, nil
			case k == keySuspend && len(stopSignals) > 0:
				if err := suspend(); err != nil {
					return 0, err
				}
			}
			go next()
		}
	}
}

// printRaw writes lines to a terminal that does not go back to the left by itself.
func (t *Terminal) printRaw(lines []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range lines {
		io.WriteString(t.Err, l+"\r\n")
	}
}
