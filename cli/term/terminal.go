package term

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"relay/relay/oneline"
)

// Terminal writes what people read. It is safe for concurrent use.
type Terminal struct {
	Out, Err io.Writer // set once
	OutTTY   bool      // Out is a terminal that takes codes
	ErrTTY   bool      // Err is

	mu     sync.Mutex
	status string // on the screen now
}

// New returns a terminal that writes results to out and all else to err. Either may be
// a file or a pipe as well.
func New(out, err io.Writer) *Terminal {
	return &Terminal{Out: out, Err: err, OutTTY: IsTTY(out), ErrTTY: IsTTY(err)}
}

// Style is what standard error can show.
func (t *Terminal) Style() Style {
	st, _ := styleOf(t.Err, t.ErrTTY)
	return st
}

// OutStyle is what standard output can show, and its height in lines; 0 if it is no
// terminal.
func (t *Terminal) OutStyle() (st Style, height int) { return styleOf(t.Out, t.OutTTY) }

// Tint colours a text of our own where that is wanted.
func (t *Terminal) Tint(colour, text string) string {
	if !t.ErrTTY || os.Getenv("NO_COLOR") != "" {
		return text
	}
	return colour + text + Plain
}

// Print writes a line of our own, which may hold codes.
func (t *Terminal) Print(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	fmt.Fprintln(t.Err, line)
	t.draw()
}

// Say writes a line for a person. Strings and errors among args may hold a
// stranger's text.
func (t *Terminal) Say(format string, args ...any) {
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = Clean(a)
		case error:
			args[i] = Clean(a.Error())
		}
	}
	t.Print(fmt.Sprintf(format, args...))
}

// Hint says what to do about what was said last.
func (t *Terminal) Hint(format string, args ...any) {
	t.Say("relay: hint: "+format, args...)
}

// Result writes one line for a program, if one can be reading.
func (t *Terminal) Result(line string) {
	if !t.OutTTY {
		fmt.Fprintln(t.Out, line)
	}
}

// Show replaces the status line, which is the program's own text.
func (t *Terminal) Show(status string) {
	if !t.ErrTTY {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	t.status = status
	t.draw()
}

func (t *Terminal) clear() {
	if t.status != "" {
		// One line up for each line break, and clear to the end of the screen.
		fmt.Fprintf(t.Err, "\r%s\x1b[J", strings.Repeat("\x1b[A", strings.Count(t.status, "\n")))
	}
}

func (t *Terminal) draw() {
	if t.status != "" {
		io.WriteString(t.Err, t.status)
	}
}

// Typed is called when somebody has ended a line behind the status line.
func (t *Terminal) Typed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.status = ""
}

// End leaves the status line where it is and moves below it.
func (t *Terminal) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.status != "" {
		fmt.Fprintln(t.Err)
		t.status = ""
	}
}

// maxText bounds what is printed of a stranger's text, in characters: more than the
// longest line of a log.
const maxText = 64 << 10

// Clean makes a stranger's text safe to print: one line, by [oneline.Clean].
func Clean(s string) string { return oneline.Clean(s, maxText) }
