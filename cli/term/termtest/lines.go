package termtest

import (
	"strings"
	"testing"
)

// WantLines compares what was drawn with lines, which blank ones may surround.
func WantLines(t *testing.T, got []string, want string) {
	t.Helper()
	if text := strings.Join(got, "\n"); text != strings.Trim(want, "\n") {
		t.Errorf("drawn:\n%s\nwant:\n%s", text, strings.Trim(want, "\n"))
	}
}
