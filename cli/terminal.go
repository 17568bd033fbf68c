package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode"
)

// How relay talks to people:
//
//   - Results (a link, an address, a stream) go to stdout when it is not a terminal;
//     everything else goes to stderr.
//   - An error is one line, "relay: error: what happened", and where a person can do
//     something about it a second one, "relay: hint: what to do next".
//   - Whatever comes from a stranger is printed as text: no control characters.
//   - One status line is redrawn in place on a terminal, and left out elsewhere.
//   - Colours are used by relay tree alone, on a terminal, and not if NO_COLOR is set.

// Stdio is where a command reads and writes.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
}

// terminal writes what people read. It is safe for concurrent use.
type terminal struct {
	out, err io.Writer
	outTTY   bool
	errTTY   bool

	mu     sync.Mutex
	status string // on the screen now
}

func newTerminal(s Stdio) *terminal {
	return &terminal{out: s.Out, err: s.Err, outTTY: isTTY(s.Out), errTTY: isTTY(s.Err)}
}

func isTTY(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	fi, err := f.Stat()
	return err == nil && fi.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// say writes a line for a person. Strings and errors among args may hold a
// stranger's text.
func (t *terminal) say(format string, args ...any) {
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = clean(a)
		case error:
			args[i] = clean(a.Error())
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	fmt.Fprintln(t.err, fmt.Sprintf(format, args...))
	t.draw()
}

func (t *terminal) hint(format string, args ...any) {
	t.say("relay: hint: "+format, args...)
}

// result writes one line for a program, if one can be reading.
func (t *terminal) result(line string) {
	if !t.outTTY {
		fmt.Fprintln(t.out, line)
	}
}

// show replaces the status line, which is the program's own text.
func (t *terminal) show(status string) {
	if !t.errTTY {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	t.status = status
	t.draw()
}

func (t *terminal) clear() {
	if t.status != "" {
		// One line up for each line break, and clear to the end of the screen.
		fmt.Fprintf(t.err, "\r%s\x1b[J", strings.Repeat("\x1b[A", strings.Count(t.status, "\n")))
	}
}

func (t *terminal) draw() {
	if t.status != "" {
		io.WriteString(t.err, t.status)
	}
}

// typed is called when somebody has ended a line behind the status line.
func (t *terminal) typed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.status = ""
}

// end leaves the status line where it is and moves below it.
func (t *terminal) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.status != "" {
		fmt.Fprintln(t.err)
		t.status = ""
	}
}

// clean makes a stranger's text safe to print: no control characters, no marks
// that change the direction of writing.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
