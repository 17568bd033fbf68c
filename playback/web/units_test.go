package web

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestUnits runs the tests of the page's own modules, under Node.js. Their names end in
// .mjs, so that they are no part of the page.
func TestUnits(t *testing.T) {
	for _, program := range []string{"node", "ffmpeg"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	files, err := filepath.Glob("*.test.mjs")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests of the page: %v", err)
	}
	for _, name := range append([]string{"../api/situation.go"}, files...) {
		// What a test opens belongs to the key under which go test keeps its result.
		if _, err := os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), "node", append([]string{"--test", "--test-reporter=tap"}, files...)...).CombinedOutput()
	count := func(what string) int {
		m := regexp.MustCompile(`(?m)^# ` + what + ` (\d+)$`).FindSubmatch(out)
		if m == nil {
			t.Fatalf("it does not say how many %s: %v\n%s", what, err, out)
		}
		n, err := strconv.Atoi(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err != nil || count("fail") != 0 || count("skipped") != 0 || count("pass") < 20 {
		t.Errorf("%v\n%s", err, out)
	}
}
