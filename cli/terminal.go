package cli

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/term"
)

// How relay talks to people:
//
//   - Results (a link, an address, a stream) go to stdout when it is not a terminal;
//     everything else goes to stderr.
//   - An error is one line, "relay: error: what happened", and where a person can do
//     something about it a second one, "relay: hint: what to do next".
//   - Whatever comes from a stranger is printed as text: no control characters.
//   - A warning is like an error: "relay: warning: ...", and a hint.
//   - One status line is redrawn in place on a terminal. Elsewhere there is a line when
//     something in it changes that matters.
//   - With --json, what happens goes to stdout as well, an object on a line (events.go).
//   - Colours and codes are used on a terminal alone, and no colours if NO_COLOR is set.

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
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// style is what standard error can show.
func (t *terminal) style() style {
	st := style{ascii: !speaksUTF8(os.Getenv, runtime.GOOS)}
	if !t.errTTY {
		return st
	}
	st.colour = os.Getenv("NO_COLOR") == ""
	st.width = 80 // of a terminal that does not tell
	if f, ok := t.err.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			st.width = w
		}
	}
	return st
}

// tint colours a text of our own where that is wanted.
func (t *terminal) tint(colour, text string) string {
	if !t.errTTY || os.Getenv("NO_COLOR") != "" {
		return text
	}
	return colour + text + plain
}

// print writes a line of our own, which may hold codes.
func (t *terminal) print(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	fmt.Fprintln(t.err, line)
	t.draw()
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
	t.print(fmt.Sprintf(format, args...))
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
