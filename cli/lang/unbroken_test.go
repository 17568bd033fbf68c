package lang

import (
	"slices"
	"strings"
	"testing"
)

func TestLinesBrokenByHandAreJoined(t *testing.T) {
	text := `One paragraph of
two lines.

  relay some command         what it does, in
                             two lines
  relay another command

The last.`
	want := []string{"One paragraph of two lines.", "", "  relay some command         what it does, in two lines", "  relay another command", "", "The last."}
	if got := Unbroken(text); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := Unbroken(""); strings.Join(got, "|") != "" {
		t.Errorf("of nothing: %q", got)
	}
}
