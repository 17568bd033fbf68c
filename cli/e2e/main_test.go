//go:build e2e

// Package e2e tests the program from outside: the built binary, in its own processes, with real
// ffmpeg and loopback sockets. A test here says what a viewer must see, tag by tag. How fast a
// machine is decides nothing.
//
// A test that measures a delay runs alone. After those, the tests that mostly wait for media
// run in parallel, as many as the machine has room for, beside those that open a browser.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"relay/cli/e2e/internal/program"
	"relay/cli/e2e/internal/turns"
)

// waiting holds the places for tests that mostly wait. browsing holds those for tests that open
// a browser, which takes half a core.
var waiting, browsing turns.Turns

// relayBin is the program, built once.
var relayBin string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	if err := os.Setenv("RELAY_LANG", "en"); err != nil { // tests read English, whatever this machine's user does
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, tool := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(tool); err != nil {
			fmt.Fprintf(os.Stderr, "%s is needed (make tools installs it): %v\n", tool, err)
			return 1
		}
	}
	waiting, browsing = turns.New(1), turns.New(1)
	if turns.Spare() > 1 {
		waiting, browsing = turns.New(2), turns.New(2)
	}
	if err := turns.Unbounded(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "relay-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	relayBin = filepath.Join(dir, "relay")
	if err := program.Build(relayBin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
