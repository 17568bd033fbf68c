//go:build e2e && linux

// Package netns breaks a real network around real processes: one source and thirty
// watchers, each in a network namespace of its own on one bridge. A test here breaks
// a node or a cable that others depend on, and then asks every player in the swarm
// which tags it missed, which it got twice, and how long it had to wait. The swarm that copes
// with faults and the one that has liars in it run in parallel, after the tests that measure how
// long a channel takes to be found.
//
// Between the hosts of a private channel every packet is captured, and looked through for what only
// some may see. Where two sources have one key, what every player gets says which of them has won, and when.
//
// One host attacks a source from a thousand addresses, by relay abuse, while others watch.
//
// Other tests put homes on an Internet, behind routers of all kinds made of nft rules or of
// miniupnpd, and look who reaches whom.
//
// It needs root, ip, tc and nft. The run fails if one of them is missing, because a skipped
// test proves nothing.
package netns

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"relay/cli/e2e/internal/program"
)

var (
	nodesFlag  = flag.Int("nodes", 30, "watchers")
	runsFlag   = flag.Int("runs", 0, "run each fault so often; 0 for the short proof")
	faultsFlag = flag.String("faults", "", "faults to run, by comma; all if empty")
	seedFlag   = flag.Uint64("seed", 0, "seed that picks the victims; 0 for a new one")
	pairsFlag  = flag.Bool("pairs", false, "try all pairs of homes and all crowds, and not only some; so does -runs")
	keepFlag   = flag.String("keep", "", "folder for the nodes' logs and the report; none are kept if empty")
)

// thorough reports whether there is time for more than the short proof.
func thorough() bool { return *pairsFlag || *runsFlag > 0 }

// relayBin is the program, built once; clip is what the encoder sends.
var relayBin, clip string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(prepareAndRun(m))
}

func prepareAndRun(m *testing.M) int {
	if err := os.Setenv("RELAY_LANG", "en"); err != nil { // tests read English, whatever this machine's user does
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := equipped(); err != nil {
		fmt.Fprintln(os.Stderr, "relay: error:", err)
		fmt.Fprintln(os.Stderr, "relay: hint: make tools installs what is missing; network namespaces need root, as in sudo make e2e")
		return 1
	}
	dir, err := os.MkdirTemp("", "relay-netns-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	relayBin, clip = filepath.Join(dir, "relay"), filepath.Join(dir, "clip.flv")
	if err := program.Build(relayBin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if out, err := program.Command("ffmpeg", clipArgs(clip)...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "ffmpeg: %v\n%s\n", err, out)
		return 1
	}
	return m.Run()
}

// equipped reports what this machine lacks.
func equipped() error {
	var errs []error
	for _, tool := range []string{"ffmpeg", "ip", "tc", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			errs = append(errs, err)
		}
	}
	s, err := newSpace()
	if err != nil {
		return errors.Join(append(errs, fmt.Errorf("cannot make a network namespace: %w", err))...)
	}
	s.close()
	return errors.Join(errs...)
}
