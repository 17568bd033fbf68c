package term

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"relay/cli/lang"
	"relay/relay/oneline"
)

// Terminal writes what people read. It is safe for concurrent use.
type Terminal struct {
	Out, Err io.Writer      // set once
	OutTTY   bool           // Out is a terminal that takes codes
	ErrTTY   bool           // Err is such a terminal
	Verbose  bool           // errors are shown as Go words them, too; set before anything runs
	Lang     *lang.Language // of what is said; nil for English; set before anything runs

	mu     sync.Mutex
	status string // the status line on the screen now
}

// New returns a terminal that writes results to out and everything else to err. Each of them
// may also be a file or a pipe.
func New(out, err io.Writer) *Terminal {
	return &Terminal{Out: out, Err: err, OutTTY: IsTTY(out), ErrTTY: IsTTY(err)}
}

// Style returns what standard error can show.
func (t *Terminal) Style() Style {
	st, _ := styleOf(t.Err, t.ErrTTY)
	st.Lang = t.Lang
	return st
}

// OutStyle returns what standard output can show, and its height in lines, 0 if it is not a
// terminal.
func (t *Terminal) OutStyle() (st Style, height int) {
	st, height = styleOf(t.Out, t.OutTTY)
	st.Lang = t.Lang
	return st, height
}

// Tint colours one of our own texts if colours are wanted.
func (t *Terminal) Tint(colour, text string) string {
	if !t.ErrTTY || os.Getenv("NO_COLOR") != "" {
		return text
	}
	return colour + text + Plain
}

// Print writes some of our own lines as they are, which may contain terminal codes. Nothing comes in between.
func (t *Terminal) Print(lines ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	for _, l := range lines {
		fmt.Fprintln(t.Err, l)
	}
	t.draw()
}

// Greet writes some of our own lines in the person's language, as they fit the terminal. Nothing comes in between.
func (t *Terminal) Greet(lines []string) { t.Print(t.said(lines...)...) }

// Say writes a line for a person, in that person's language. Strings and errors among args may contain a stranger's text.
func (t *Terminal) Say(format string, args ...any) {
	t.Print(t.said(cleaned(format, args))...)
}

func cleaned(format string, args []any) string {
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = Clean(a)
		case error:
			args[i] = Clean(a.Error())
		}
	}
	return fmt.Sprintf(format, args...)
}

// Warn says what is wrong, and what to do about it if anything can be done.
func (t *Terminal) Warn(text, hint string) {
	label, lines := t.labelled("relay: warning:", Clean(text))
	lines[0] = strings.Replace(lines[0], label, t.Tint(Yellow, label), 1)
	t.Print(lines...)
	if hint != "" {
		t.Hint("%s", hint)
	}
}

// Hint says what to do about the previous message.
func (t *Terminal) Hint(format string, args ...any) {
	_, lines := t.labelled("relay: hint:", cleaned(format, args))
	t.Print(lines...)
}

// labelled is a text behind what it is, both in the person's language.
func (t *Terminal) labelled(what, text string) (label string, lines []string) {
	label = t.Lang.In(what)
	return label, t.folded(label + lang.Blank(label) + t.Lang.In(text))
}

// Result writes one line for a program, if a program can be reading standard output.
func (t *Terminal) Result(line string) {
	if !t.OutTTY {
		fmt.Fprintln(t.Out, line)
	}
}

// Show replaces the status line, which is the program's own text, as it is.
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

// Typed must be called when a person has typed a line end after the status line.
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

// maxText bounds how much of a stranger's text is printed, in characters. The longest line of a
// log is shorter.
const maxText = 64 << 10

// Clean makes a stranger's text safe to print: one line, by [oneline.Clean].
func Clean(s string) string { return oneline.Clean(s, maxText) }
