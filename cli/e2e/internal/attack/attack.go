//go:build e2e

// Package attack says what the end-to-end tests expect of relay abuse, and of what it attacks.
package attack

import (
	"regexp"
	"strings"
	"testing"
)

// newcomer is what a newcomer may wait for on a machine that is busy with other things. How
// long it waits is for relay abuse itself to say, on one that is not.
const newcomer = "6s"

// Args are those of relay abuse against a node.
func Args(link string, more ...string) []string {
	return append([]string{"abuse", link, "--newcomer", newcomer}, more...)
}

// Judge reports every bar that was missed, given what relay abuse said and complained of, and its exit code.
func Judge(t *testing.T, said, complained string, code int) {
	t.Helper()
	t.Logf("relay abuse:\n%s", said)
	held, missed, _ := strings.Cut(said, "\nMissed:\n")
	if code > 1 || code == 1 && missed == "" || !strings.Contains(held, "Goroutines: ") {
		t.Fatalf("it ended with %d:\n%s", code, complained)
	}
	for line := range strings.Lines(missed) {
		t.Error(strings.TrimSpace(line))
	}
}

// Fault finds what Go says of a program that breaks.
var Fault = regexp.MustCompile(`(?m)^(panic:|fatal error:|goroutine \d+ \[)|runtime error`)
