package term

import (
	"io"
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"

	"relay/cli/lang"
)

// These are colours as a terminal's codes. Plain ends each of them.
const (
	Bold   = "\x1b[1m"
	Faint  = "\x1b[2m"
	Red    = "\x1b[31m"
	Yellow = "\x1b[33m"
	Green  = "\x1b[32m"
	Plain  = "\x1b[0m"
)

// Style is what a terminal can show.
type Style struct {
	Width  int            // columns; 0 for no bound
	ASCII  bool           // it shows only ASCII
	Colour bool           // it has colours, and they are wanted
	Lang   *lang.Language // of what it shows; nil for English
}

// styleOf returns what w can show, and its height in lines, 0 if it is not a terminal. A
// terminal that does not tell its size counts as 80 columns by 24 lines.
func styleOf(w io.Writer, tty bool) (st Style, height int) {
	st.ASCII = !SpeaksUTF8(os.Getenv, runtime.GOOS)
	if !tty {
		return st, 0
	}
	st.Colour = os.Getenv("NO_COLOR") == ""
	st.Width, height = 80, 24
	if cols, lines, ok := SizeOf(w); ok {
		st.Width = cols
		if lines > 1 {
			height = lines
		}
	}
	return st, height
}

// SizeOf returns the size of a terminal in columns and lines, and whether w is a terminal that
// tells it.
func SizeOf(w io.Writer) (cols, lines int, ok bool) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, 0, false
	}
	cols, lines, err := term.GetSize(int(f.Fd()))
	return cols, lines, err == nil && cols > 0
}

// Pick returns whichever of two texts the terminal can show.
func (st Style) Pick(unicode, ascii string) string {
	if st.ASCII {
		return ascii
	}
	return unicode
}

// IsTTY reports whether w is a terminal that takes codes.
func IsTTY(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("TERM") != "dumb"
}

// IsKeyboard reports whether r reads from a terminal. Other devices, such as /dev/null, have no
// keys.
func IsKeyboard(r io.Reader) bool { return isTerminal(r) }

func isTerminal(of any) bool {
	f, ok := of.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// SpeaksUTF8 reports whether the user's terminal shows more than ASCII. As POSIX has it, the
// first of three variables that is set decides. If none is set, only Windows and macOS do.
func SpeaksUTF8(getenv func(string) string, goos string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(getenv(name)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return goos == "windows" || goos == "darwin"
}
