package termtest

import (
	"strings"
	"testing"
)

// WantLines compares what was drawn with the lines of a text, which blank lines may surround.
func WantLines(t *testing.T, got []string, want string) {
	t.Helper()
	if text := strings.Join(got, "\n"); text != strings.Trim(want, "\n") {
		t.Errorf("drawn:\n%s\nwant:\n%s", text, strings.Trim(want, "\n"))
	}
}
