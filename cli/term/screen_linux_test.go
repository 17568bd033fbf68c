package term

import (
	"regexp"
	"testing"

	"relay/cli/term/termtest"
)

// The text of a panic appears on the user's own screen.
func TestPanicGivesTheTerminalBack(t *testing.T) {
	p := termtest.Open(t, 80, 24)
	before := p.Mode(t)
	func() {
		defer func() {
			if recover() != "oops" {
				t.Error("the panic is gone")
			}
		}()
		s, err := OpenScreen(p.TTY, p.TTY)
		if err != nil {
			t.Fatal(err)
		}
		defer s.CloseOnPanic()
		panic("oops")
	}()
	p.Sees(t, regexp.QuoteMeta(OtherScreen+OwnScreen))
	if after := p.Mode(t); after != before {
		t.Errorf("the terminal was left in mode %+v, before it was %+v", after, before)
	}
}
