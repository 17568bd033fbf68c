//go:build e2e && linux

package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What is measured is a program as people run it: whoever changes what that says or takes has to see
// here that it can still be measured. How fast it is does not matter.
func TestWhatIsOursCanBeMeasured(t *testing.T) {
	const root = "../../.."
	dir := t.TempDir()
	tool := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	relay, load := filepath.Join(dir, "relay"), filepath.Join(dir, "load")
	tool("go", "build", "-o", relay, "./cli/relay")
	tool("go", "build", "-tags", "e2e", "-o", load, "./cli/e2e/load")
	const servers = "loop,flv,rtmp,children"
	out := tool(load, "-relay", relay, "-servers", servers, "-n", "3", "-for", "1s", "-warm", "200ms", "-repeats", "1",
		"-md", filepath.Join(dir, "load.md"), "-svg", filepath.Join(dir, "load.svg"))
	want := 2 * (strings.Count(servers, ",") + 1) // with viewers and without
	if got := len(regexp.MustCompile(`(?m)^\| \d+ \|.*\| exact \|$`).FindAllString(out, -1)); got != want {
		t.Errorf("%d of %d runs are exact:\n%s", got, want, out)
	}
}
