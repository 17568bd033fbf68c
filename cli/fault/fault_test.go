package fault

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"relay/cli/term"
)

func TestWhatIsToldAtOnceIsNotReportedAgain(t *testing.T) {
	for name, err := range map[string]error{
		"with a hint":    &Error{Err: errors.New("it broke"), Hint: "mend it", Code: ExitStolen},
		"without a hint": &Error{Err: errors.New("it broke"), Code: ExitStolen},
	} {
		var out bytes.Buffer
		tm := term.New(io.Discard, &out)
		if Tell(tm, err) != err || !strings.Contains(out.String(), "relay: error: it broke\n") {
			t.Errorf("%s: told %q", name, out.String())
		}
		said := out.String()
		if code := Report(tm, err); code != ExitStolen || out.String() != said {
			t.Errorf("%s: %d, %q", name, code, out.String())
		}
	}
	var out bytes.Buffer
	tm := term.New(io.Discard, &out)
	plain := errors.New("it broke")
	if Tell(tm, plain) != plain || Tell(tm, nil) != nil || out.Len() > 0 {
		t.Errorf("%q", out.String())
	}
	if code := Report(tm, plain); code != ExitRuntime || out.String() != "relay: error: it broke\n" {
		t.Errorf("%d, %q", code, out.String())
	}
}
