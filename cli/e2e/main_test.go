//go:build e2e

// Package e2e proves the program from outside: the built binary, processes of its
// own, real ffmpeg, loopback sockets. A test here says what a viewer must see, tag
// by tag; how fast a machine is decides nothing.
//
// What measures a delay, memory or processor time has the machine for itself. After that
// tests that mostly wait for media to pass run beside each other, as many as the machine
// has room for, and beside one that opens a browser.
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

// waiting are the places of tests that mostly wait, browsing those of tests that open a
// browser, which takes a core.
var waiting, browsing turns.Turns

// relayBin is the program, built once.
var relayBin string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	for _, tool := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(tool); err != nil {
			fmt.Fprintf(os.Stderr, "%s is needed (make tools installs it): %v\n", tool, err)
			return 1
		}
	}
	waiting, browsing = turns.New(1), turns.New(1)
	if turns.Spare() > 1 {
		waiting = turns.New(2)
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
