package term

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/term"
)

// These codes switch a terminal to a second screen without a cursor, and back to the one with
// the user's text.
const (
	OtherScreen = "\x1b[?1049h\x1b[?25l"
	OwnScreen   = "\x1b[?25h\x1b[?1049l"
)

// Screen is a terminal that the program has to itself.
type Screen struct {
	in, out *os.File
	was     *term.State
}

// OpenScreen takes over a terminal: keys come raw from in, and out switches to a second screen.
// The caller must close it.
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
	term.Restore(int(s.in.Fd()), s.was) // nothing can be done if it fails
}

// CloseOnPanic is for a defer where a panic would end the program without Close. The text of
// the panic would be lost on the second screen.
func (s *Screen) CloseOnPanic() {
	if p := recover(); p != nil {
		s.Close()
		panic(p)
	}
}

// Size returns the terminal's size in columns and lines, 80 and 24 if it does not tell.
func (s *Screen) Size() (w, h int) {
	w, h, err := term.GetSize(int(s.out.Fd()))
	if err != nil || w <= 0 || h <= 0 {
		return 80, 24
	}
	return w, h
}

// OnScreen returns the text that draws the lines over the previous ones. It clears each line
// before it writes it. Afterwards, with the cursor at the last column, a terminal would clear
// that column as well.
func OnScreen(lines []string, height int) string {
	text := "\x1b[H\x1b[2K" + strings.Join(lines, "\r\n\x1b[2K")
	if len(lines) < height {
		text += "\r\n\x1b[J"
	}
	return text
}
