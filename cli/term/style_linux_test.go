package term

import (
	"os"
	"path/filepath"
	"testing"

	"relay/cli/term/termtest"
)

// Standard output and standard error are each asked what they can show.
func TestStyleIsThatOfTheTerminal(t *testing.T) {
	for name, value := range map[string]string{"TERM": "xterm", "LC_ALL": "C.UTF-8", "NO_COLOR": ""} {
		t.Setenv(name, value)
	}
	p := termtest.Open(t, 40, 12)
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	on := New(p.TTY, file)
	if st, height := on.OutStyle(); st != (Style{Width: 40, Colour: true}) || height != 12 {
		t.Errorf("a terminal of 40×12: %+v, %d lines", st, height)
	}
	if st := on.Style(); st != (Style{}) {
		t.Errorf("a file: %+v", st)
	}
	p.Resize(t, 0, 0) // a terminal that does not tell its size
	if st, height := on.OutStyle(); st.Width != 80 || height != 24 {
		t.Errorf("a terminal that does not tell: %+v, %d lines", st, height)
	}
	t.Setenv("NO_COLOR", "1")
	t.Setenv("LC_ALL", "C")
	if st, _ := New(file, p.TTY).OutStyle(); st != (Style{ASCII: true}) {
		t.Errorf("a file where there is ASCII alone: %+v", st)
	}
	if st := New(file, p.TTY).Style(); st != (Style{Width: 80, ASCII: true}) {
		t.Errorf("without colours: %+v", st)
	}
	t.Setenv("TERM", "dumb")
	if st, height := New(p.TTY, p.TTY).OutStyle(); st != (Style{ASCII: true}) || height != 0 {
		t.Errorf("a dumb terminal: %+v, %d lines", st, height)
	}
}
