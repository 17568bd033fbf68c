package term

import (
	"strings"
	"testing"
)

func TestNoColourWhereNoneIsWanted(t *testing.T) {
	var out strings.Builder
	for _, c := range []struct {
		tty     bool
		noColor string
		want    bool
	}{{true, "", true}, {true, "1", false}, {false, "", false}} {
		t.Setenv("NO_COLOR", c.noColor)
		term := &Terminal{Err: &out, ErrTTY: c.tty}
		if got := term.Style().Colour; got != c.want {
			t.Errorf("%+v: colour %v", c, got)
		}
		if got := term.Tint(Red, "x") != "x"; got != c.want {
			t.Errorf("%+v: tinted %v", c, got)
		}
	}
}

func TestLinesGoAboveTheStatusLine(t *testing.T) {
	var out strings.Builder
	term := &Terminal{Err: &out, ErrTTY: true}
	term.Show("one")
	term.Say("a line of %s", "somebody\x1b[2J")
	term.Show("two")
	term.End()
	if got, want := out.String(), "one\r\x1b[Ja line of somebody\uFFFD[2J\none\r\x1b[Jtwo\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
