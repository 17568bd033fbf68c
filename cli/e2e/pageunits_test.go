//go:build e2e

package e2e

import (
	"regexp"
	"strconv"
	"testing"
)

// TestPageUnits runs the tests of the page's own modules, under Node.js.
func TestPageUnits(t *testing.T) {
	waiting.Take(t)
	p := run(t, "node --test", "node", "--test", "--test-reporter=tap", "browser/unit/")
	count := func(what string) int {
		m := regexp.MustCompile(`(?m)^# ` + what + ` (\d+)$`).FindStringSubmatch(p.out.String())
		if m == nil {
			t.Fatalf("it does not say how many %s:\n%s", what, p.out.tail())
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 || count("fail") != 0 || count("skipped") != 0 || count("pass") < 20 {
		t.Errorf("it ended with %d:\n%s", code, p.out.String())
	}
}
