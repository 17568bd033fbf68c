//go:build e2e

// Package e2e proves the program from outside: the built binary, processes of its
// own, real ffmpeg, loopback sockets. A test here says what a viewer must see, tag
// by tag; how fast a machine is decides nothing.
//
// Tests that mostly wait for media to pass run in parallel, so many at a time as -parallel
// allows. What opens a browser, or measures a delay, memory or processor time, has the
// machine for itself: it does not call t.Parallel.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"relay/cli/e2e/internal/program"
)

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
