package term

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/term"
)

// Codes of a terminal: a screen beside the one with the user's text, without a
// cursor; and back.
const (
	OtherScreen = "\x1b[?1049h\x1b[?25l"
	OwnScreen   = "\x1b[?25h\x1b[?1049l"
)

// Screen is a terminal that a program has to itself.
type Screen struct {
	in, out *os.File
	was     *term.State
}

// OpenScreen takes a terminal over: keys come raw from in, and the user's text on out
// makes room. It must be closed.
func OpenScreen(in, out *os.File) (*Screen, error) {
	was, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, err
	}
	s := &Screen{in, out, was}
	if _, err := out.WriteString(OtherScreen); err != nil {
		return nil, errors.Join(err, term.Restore(int(in.Fd()), was))
	}
	return s, nil
}

// Close gives the terminal back as it was.
func (s *Screen) Close() {
	s.out.WriteString(OwnScreen)
	term.Restore(int(s.in.Fd()), s.was) // there is nothing to do if it fails
}

// CloseOnPanic is deferred where a panic would end the program past Close, and its
// text be lost on the other screen.
func (s *Screen) CloseOnPanic() {
	if p := recover(); p != nil {
		s.Close()
		panic(p)
	}
}

// Size is the terminal's, in columns and lines; 80 and 24 of one that does not tell.
func (s *Screen) Size() (w, h int) {
	w, h, err := term.GetSize(int(s.out.Fd()))
	if err != nil || w <= 0 || h <= 0 {
		return 80, 24
	}
	return w, h
}

// OnScreen is what draws the lines over those drawn before. A line is cleared before it
// is written: behind its last column a terminal would clear that one as well.
func OnScreen(lines []string, height int) string {
	text := "\x1b[H\x1b[2K" + strings.Join(lines, "\r\n\x1b[2K")
	if len(lines) < height {
		text += "\r\n\x1b[J"
	}
	return text
}
